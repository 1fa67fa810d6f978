"""Types of rows that are learned from pages: what dlt would infer, and no more."""

import json
from typing import Any

import dlt
import pytest

from analytics_assets.contract.column import Column
from analytics_assets.contract.contract import Contract
from analytics_assets.extract.rows.columns.row_type import columns_of
from analytics_assets.extract.rows.page_decoder import PageDecoder

KEYED = Contract("orders", primary_key=("id",))
TYPED = Contract("orders", (Column("id", "id", "bigint", nullable=False),), ("id",))
Row = dict[str, Any]


def learned(*pages: list[Row], contract: Contract = KEYED, **hints: Any) -> PageDecoder:
    """A decoder that has learned pages within an extraction."""
    made: list[PageDecoder] = []
    given = {"primary_key": contract.primary_key, **hints}

    @dlt.resource(name="orders", **given)
    def orders() -> Any:
        made.append(PageDecoder(contract, "data", orders))
        for page in pages:
            made[0].learn(page)
        yield []

    list(orders)
    return made[0]


def decoded(decoder: PageDecoder, *rows: Row) -> list[Row] | None:
    page = decoder.split(json.dumps({"data": rows}).encode())
    assert page
    table = decoder.decode([page.rows], [page.count])
    return None if table is None else table.to_pylist()


def kinds(decoder: PageDecoder) -> dict[str, str]:
    return {
        each.name: each.data_type
        for each in columns_of(decoder._type.fields, with_child_tables=True)
    }


def test_nothing_is_known_before_a_page_without_a_contract() -> None:
    assert decoded(learned(), {"id": 1}) is None


def test_a_page_gives_the_columns_that_dlt_infers() -> None:
    decoder = learned(
        [{"id": 1, "someName": "x", "at": "2026-01-01T00:00:00Z", "n": 0.5, "on": True}]
    )

    assert kinds(decoder) == {
        "id": "bigint",
        "some_name": "text",
        "at": "timestamp",
        "n": "double",
        "on": "bool",
    }


def test_columns_of_a_contract_come_first_and_keep_their_types() -> None:
    contract = Contract(
        "orders",
        (*TYPED.columns, Column("zip", "zip_code", "text", nullable=True)),
        ("id",),
        {"zip": "zip_code"},
    )

    decoder = learned(
        [{"new": 1, "zip": "5", "id": 7}], contract=contract, columns=contract.hints()
    )

    assert decoded(decoder, {"id": 1, "zip": "1", "new": 2}) == [
        {"id": 1, "zip_code": "1", "new": 2}
    ]
    assert decoded(decoder, {"id": 1, "zip": 5}) is None


def test_a_field_that_was_null_takes_null_alone_until_a_value_gives_its_type() -> None:
    decoder = learned([{"id": 1, "x": None}])

    assert decoded(decoder, {"id": 1, "x": None}) == [{"id": 1}]
    assert decoded(decoder, {"id": 1, "x": 5}) is None
    decoder = learned([{"id": 1, "x": None}], [{"id": 2, "x": 5}])
    assert decoded(decoder, {"id": 1, "x": 5}) == [{"id": 1, "x": 5}]


def test_a_field_within_objects_has_the_column_that_dlt_makes_of_it() -> None:
    decoder = learned([{"id": 1, "user": {"homeAddress": {"zip": "1"}, "age": None}}])

    assert decoded(decoder, {"id": 1, "user": {"homeAddress": {"zip": "2"}}}, {"id": 2}) == [
        {"id": 1, "user__home_address__zip": "2"},
        {"id": 2, "user__home_address__zip": None},
    ]


def test_objects_below_the_nesting_of_the_resource_are_left_to_dlt() -> None:
    # of a column of Arrow without a hint, dlt makes one of texts
    page = [{"id": 1, "user": {"parts": {"a": 1}}}]
    hints = {"user__parts": {"data_type": "json"}}
    decoder, hinted = (learned(page, max_table_nesting=1, columns=each) for each in ({}, hints))

    assert kinds(decoder) == {"id": "bigint"}
    assert decoded(decoder, *page) is None
    assert decoded(hinted, {"id": 1, "user": {"parts": {"b": [2]}}}) == [
        {"id": 1, "user__parts": '{"b":[2]}'}
    ]


def test_lists_are_rows_of_child_tables_with_the_columns_that_dlt_makes() -> None:
    decoder = learned([{"id": 1, "tags": ["a"], "lines": [{"n": 1, "of": {"x": 0.5}}]}])

    assert decoded(
        decoder, {"id": 2, "tags": ["b", "c"], "lines": None}, {"id": 3, "lines": [{}]}
    ) == [
        {"id": 2, "orders__tags": [{"value": "b"}, {"value": "c"}], "orders__lines": []},
        {"id": 3, "orders__tags": [], "orders__lines": [{"n": None, "of__x": None}]},
    ]


@pytest.mark.parametrize("value", [[[1]], [{"_dlt_id": "x"}]], ids=["lists in a list", "dlt's own"])
def test_a_field_that_dlt_alone_loads_leaves_its_pages_to_dlt(value: Any) -> None:
    row = {"id": 1, "odd": value}
    decoder = learned([row, {"id": 2}])

    assert decoded(decoder, row) is None
    assert decoded(decoder, {"id": 3}) == [{"id": 3}]


def test_rows_that_are_rejected_teach_nothing() -> None:
    decoder = learned([{"id": 1, "a": 1}, {"id": None, "b": 1}, {"id": 2, "c": "\0"}])

    assert kinds(decoder) == {"id": "bigint", "a": "bigint"}


def test_a_value_of_another_type_leaves_its_page_to_dlt_and_no_other() -> None:
    decoder = learned([{"id": 1, "x": 5}], [{"id": 2, "x": "five"}])

    assert kinds(decoder) == {"id": "bigint", "x": "bigint"}
    assert decoded(decoder, {"id": 3, "x": 6}) == [{"id": 3, "x": 6}]
    assert decoded(decoder, {"id": 3, "x": "six"}) is None


@pytest.mark.parametrize(
    ("hint", "value", "stored", "misfit"),
    [
        ({"data_type": "decimal", "precision": 5, "scale": 2}, "12.50", "12.50", "12.505"),
        ({"data_type": "decimal"}, "1e3", "1000.000000000", '"+1"'),
        ({"data_type": "bigint", "precision": 32}, str(2**31 - 1), str(2**31 - 1), str(2**31)),
        ({"data_type": "text", "precision": 2}, '"Жж"', "Жж", '"abc"'),
        ({"data_type": "date"}, '"2026-01-31"', "2026-01-31", '"20260131"'),
        ({"data_type": "time"}, '"23:59:00.5"', "23:59:00.500000", '"23:59"'),
        ({"data_type": "json"}, '"5"', '"5"', "18446744073709551616"),
    ],
    ids=str,
)
def test_hints_give_types_and_their_limits(hint: Row, value: str, stored: str, misfit: str) -> None:
    decoder = learned([{"id": 1}], columns={"x": hint})
    decoder.learn([{"id": 1, "x": None}])

    def of(text: str) -> Any:
        page = decoder.split(b'{"data": [{"id": 1, "x": %b}]}' % text.encode())
        assert page
        return decoder.decode([page.rows], [page.count])

    assert str(of(value).column("x")[0].as_py()) == stored
    assert of(misfit) is None


@pytest.mark.parametrize(
    "hint", [{"data_type": "wei"}, {"data_type": "timestamp", "timezone": False}]
)
def test_types_that_arrow_does_not_keep_are_left_to_dlt(hint: Row) -> None:
    decoder = learned([{"id": 1, "x": None}], columns={"x": hint})

    assert decoded(decoder, {"id": 1, "x": None}) is None


def test_a_refusal_of_dlts_schema_leaves_all_pages_to_dlt() -> None:
    decoder = learned([{"id": 1}], [{"id": 1, "x": 5}], schema_contract={"columns": "freeze"})

    assert decoded(decoder, {"id": 1}) is None


def test_what_is_not_learned_three_times_is_learned_rarely(monkeypatch: pytest.MonkeyPatch) -> None:
    decoder = learned([{"id": 1, "x": 5}])
    tried: list[Row] = []
    monkeypatch.setattr(decoder._type, "learn", tried.extend)

    for _ in range(64):
        decoder.learn([{"id": 1, "x": "five"}])

    assert len(tried) == 8  # 1, 2, 3, 4, 8, 16, 32, 64
