"""Fields that would become one column are refused by name, before one overwrites the other."""

import re
from typing import Any

import pytest

from analytics_assets.contract.contract import Contract
from analytics_assets.contract.rows.column_collisions import ColumnCollisions, FieldCollisionError
from analytics_assets_tests.extract.rows.reading import MERGED, load, read_rows
from analytics_assets_tests.support.loading import table_values
from analytics_assets_tests.support.paged_server import attempted, orders, paged

KEYED = Contract("orders", primary_key=("id",))
WHOLE = {"fooBar": 1, "foo_bar": 2, "_dlt_id": [{"_dlt_id": 3}]}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([{"fooBar": "a", "foo_bar": "b"}], r"`foo_?[bB]ar` and `foo_?[bB]ar`.*`rename`"),
        ([{"a__b": 1, "a": {"b": 2}}], r"`a__b` and `a\.b` .*`a__b`.*`rename`.*keep `a` whole"),
        ([{"a__b": 1}, {"a": {"b": 2}}], r"`a__b` and `a\.b` .*column `a__b`"),
        ([{"a__b": [1], "a": {"b": [2]}}], r"`a__b` and `a\.b` .*column `a__b`"),
        ([{"a": {"fooBar": 1, "foo_bar": 2}}], r"`a\.fooBar` and `a\.foo_bar`.*keep `a` whole"),
        ([{"a": [{"x+": 1}, {"xx": 2}]}], r"`a\[\]\.x\+` and `a\[\]\.xx`.*keep `a` whole"),
        ([{"_dlt_id": "mine"}], r"`_dlt_id` would become a column of dlt's own.*`rename`"),
        ([{"_dltLoadId": "mine"}], r"`_dltLoadId` would become a column of dlt's own"),
        ([{"zip": 1, "zip__v_text": "a"}], r"`zip__v_text` has .* values of `zip` .*`rename`"),
        (
            [{"zip__v_text": "a"}, {"zip": 1}],
            r"`zip__v_text` has .* values of `zip` .*`rename",
        ),
        ([{"zip": 1}, {"zip": {"v_text": "a"}}], r"`zip\.v_text` has .* values of `zip` .*"),
        ([{"a": [{"b": 1, "b__v_json": 2}]}], r"`a\[\]\.b__v_json` has .*`a\[\]\.b` .*`a` whole"),
        ([{"a": [{"_dlt_id": 1}]}], r"`a\[\]\._dlt_id` would become a column of dlt's own.*whole"),
    ],
)
def test_fields_that_would_become_one_column_are_refused_by_name(found: Any, expected: str) -> None:
    numbered = [{"id": number, **each} for number, each in enumerate(found)]

    with pytest.raises(FieldCollisionError) as in_a_page:
        ColumnCollisions(KEYED).check(numbered)
    over_pages = ColumnCollisions(KEYED)
    for row in numbered[:-1]:
        over_pages.check([row])
    with pytest.raises(FieldCollisionError) as on_the_last_page:
        over_pages.check(numbered[-1:])

    for error in (in_a_page.value, on_the_last_page.value):
        assert str(error).startswith("orders: its field")
        assert re.search(expected, str(error)), error


def test_a_collision_fails_the_read() -> None:
    entry = {"primary_key": "id"}

    read = attempted(paged([{"id": 1, "a__b": 1, "a": {"b": 2}}]), entry)

    assert "`a__b` and `a.b` would both become the column `a__b`" in read.error
    assert read.rows == []


def test_a_field_may_be_named_like_a_variant_of_no_field() -> None:
    found = {
        "zip__v_text": 1,
        "zip__v_5": 1,
        "zip_code": 1,
        "__v_text": 1,
        "code__v_text": {"a": 1},
    }
    ColumnCollisions(KEYED).check([{"id": 1, **found}])


def test_fields_inside_one_that_stays_whole_do_not_collide() -> None:
    ColumnCollisions(KEYED, whole={"a"}).check([{"id": 1, "a": WHOLE}])
    ColumnCollisions(KEYED, max_nesting=0).check([{"id": 1, "a": WHOLE}])
    with pytest.raises(FieldCollisionError):
        ColumnCollisions(KEYED, max_nesting=1).check([{"id": 1, "a": WHOLE}])


@pytest.mark.parametrize(
    "option", [{"max_table_nesting": 0}, {"columns": {"a": {"data_type": "json"}}}]
)
def test_an_entry_may_keep_a_field_whole(option: dict[str, Any]) -> None:
    rows = read_rows(paged([{"id": 1, "a": WHOLE}]), orders({**MERGED, **option}), contract=KEYED)

    assert rows.valid == [{"id": 1, "a": WHOLE}]


@pytest.mark.usefixtures("warehouse")
def test_fields_of_several_levels_that_do_not_collide_are_all_loaded() -> None:
    found = {"id": 1, "a": {"b": {"c": 1}, "": 5}, "b": [{"c": 2}, 3], "": 4}
    renamed = {**orders(MERGED), "name": "renamed", "columns": {"whole": {"data_type": "json"}}}
    contract = Contract("renamed", primary_key=("id",), rename={"_dlt_id": "their_id"})
    rows = [{**found, "_dlt_id": "mine", "whole": WHOLE}]

    pipeline = load(paged([found]), contract=KEYED)
    load(paged(rows), renamed, contract=contract)

    columns = {"id": 1, "a__b__c": 1, "a___empty": 5, "_empty": 4}
    assert table_values(pipeline, "orders") == [columns]
    assert table_values(pipeline, "renamed") == [{**columns, "their_id": "mine", "whole": WHOLE}]
    assert table_values(pipeline, "orders__b", "c") == [
        {"c": 2, "value": None},
        {"c": None, "value": 3},
    ]


def test_a_field_is_not_lost_to_another_that_is_renamed_to_its_name() -> None:
    contract = Contract("orders", primary_key=("id",), rename={"text": "label"})
    fields = ColumnCollisions(contract)

    with pytest.raises(FieldCollisionError, match="label"):
        fields.check([{"id": 1, "text": "row 1", "label": "own"}])
