"""Objects and lists of rows: the table keeps the layout of its first load."""

from typing import Any

import pytest

from analytics_assets.contract.column import Column, ParentObject
from analytics_assets.contract.contract import Contract
from analytics_assets.warehouse.evolution.layout import columns_elsewhere
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.loading import table_values
from analytics_assets_tests.warehouse.evolution.changed import (
    KEYED,
    Row,
    load,
    stored,
    typed,
    types,
)

TEXT, JSON = {"data_type": "text"}, {"data_type": "json"}


def person(number: int, *tags: str) -> Row:
    return {"id": number, "properties": {"email": f"{number}@x"}, "tags": list(tags)}


def tags(warehouse: Warehouse) -> list[Any]:
    rows = table_values(warehouse.pipeline("test_reader"), "orders__tags", order="value")
    return [row["value"] for row in rows]


def test_columns_and_tables_that_dlt_inferred_are_filled_under_a_first_contract(
    warehouse: Warehouse,
) -> None:
    contract = typed(properties="json", tags="json")
    load(warehouse, [person(1, "a", "b"), person(2, "c")], KEYED)
    changed = load(warehouse, [person(2, "d"), person(3, "e")], contract)

    assert stored(warehouse, "id", "properties__email", "properties") == [
        (1, "1@x", "no column"),
        (2, "2@x", "no column"),
        (3, "3@x", "no column"),
    ]
    assert tags(warehouse) == ["a", "b", "d", "e"]
    kept = "stays in columns and tables of its parts, as dlt inferred them"
    assert changed.kept == {"properties": kept, "tags": kept}


def test_a_json_column_stays_one_without_the_contract(warehouse: Warehouse) -> None:
    load(warehouse, [person(1, "a")], typed(properties="json", tags="json"))
    load(warehouse, [person(2, "b"), {"id": 3, "properties": "5", "tags": 5}], KEYED)

    assert stored(warehouse, "properties", "tags") == [
        ({"email": "1@x"}, ["a"]),
        ({"email": "2@x"}, ["b"]),
        ("5", 5),
    ]


def test_a_json_column_stays_one_where_a_contract_names_its_parts(warehouse: Warehouse) -> None:
    parents = (ParentObject("properties", nullable=True),)
    email = Column("properties.email", "properties__email", "text", True, parents=parents)
    parts = Contract("orders", (Column("id", "id", "bigint", nullable=False), email), ("id",))
    load(warehouse, [{"id": 1, "properties": {"email": "1@x"}}], typed(properties="json"))
    changed = load(warehouse, [{"id": 2, "properties": {"email": "2@x"}}], parts)

    assert stored(warehouse, "properties", "properties__email") == [
        ({"email": "1@x"}, "no column"),
        ({"email": "2@x"}, "no column"),
    ]
    assert changed.kept == {"properties__email": "stays in the JSON column `properties`"}


def test_values_of_a_json_field_are_stored_as_before_in_a_column_of_another_type(
    warehouse: Warehouse,
) -> None:
    load(warehouse, [{"id": 1, "extra": "a"}], KEYED)
    rows: list[Row] = [
        {"id": 2, "extra": "b"},
        {"id": 3, "extra": 5},
        {"id": 4, "extra": {"x": "c"}},
    ]
    load(warehouse, rows, typed(extra="json"))

    assert stored(warehouse, "extra", "extra__x") == [
        ("a", None),
        ("b", None),
        ("5", None),
        (None, "c"),
    ]
    assert types(warehouse, "extra") == ["text"]


def test_a_new_object_has_the_layout_of_the_contract(warehouse: Warehouse) -> None:
    load(warehouse, [{"id": 1}], typed(n="bigint"))
    load(warehouse, [{"id": 2, "properties": {"a": 1}}], typed(n="bigint", properties="json"))

    assert stored(warehouse, "properties") == [None, {"a": 1}]


def test_integers_in_the_parts_of_an_object_that_no_column_holds_are_rejected(
    warehouse: Warehouse,
) -> None:
    load(warehouse, [{"id": 1, "properties": {"n": 1}}], KEYED)
    rows = [{"id": 2, "properties": {"n": 2**63}}, {"id": 3, "properties": {"n": 3}}]
    load(warehouse, rows, typed(properties="json"))

    assert stored(warehouse, "id", "properties__n") == [(1, 1), (3, 3)]


@pytest.mark.parametrize(
    ("declared", "stored", "child_tables", "expected"),
    [
        ({"a": JSON}, {"id": TEXT, "a__b": TEXT}, [], {"a"}),
        ({"a": JSON}, {"id": TEXT}, ["a"], {"a"}),
        ({"a": JSON}, {"id": TEXT}, ["a__b"], {"a"}),
        ({"a": JSON}, {"a": TEXT}, [], {"a"}),
        ({"a": JSON}, {"a": JSON, "a__b": TEXT}, [], set()),
        ({"a": JSON}, {"id": TEXT, "ab": TEXT}, ["ab"], set()),
        ({"a": JSON, "a__b": TEXT}, {"a__b": TEXT}, [], set()),
        ({"a__b__c": TEXT}, {"a": JSON}, [], {"a__b__c"}),
        ({"a__b__c": TEXT}, {"a__b": JSON}, [], {"a__b__c"}),
        ({"a__b": TEXT}, {"a": TEXT}, [], set()),
        ({"a__b": JSON}, {"a": JSON}, [], {"a__b"}),
    ],
)
def test_a_declared_column_is_elsewhere_if_the_table_has_another_layout(
    declared: Any, stored: Any, child_tables: Any, expected: Any
) -> None:
    assert columns_elsewhere(declared, stored, child_tables) == expected
