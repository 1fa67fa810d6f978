"""Fields within objects as columns: the same table on each way."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from analytics_assets.contract.column import Column, DataType, ParentObject
from analytics_assets.contract.contract import Contract
from analytics_assets.extract.rows.arrow import table_of_rows
from analytics_assets.extract.rows.columns.json_columns import table_of_json
from analytics_assets.extract.rows.columns.row_type import RowType
from analytics_assets.extract.rows.page_decoder import PageDecoder
from analytics_assets_tests.extract.rows.reading import MERGED, load, metrics_of
from analytics_assets_tests.support.loading import table_values
from analytics_assets_tests.support.paged_server import orders, paged

USER, HOME = ParentObject("user", nullable=True), ParentObject("homeAddress", nullable=True)


def nested(field: str, name: str, kind: DataType, nullable: bool = True) -> Column:
    parents = (USER, HOME)[: field.count(".")]
    return Column(field, name, kind, nullable, parents=parents)


PARSED = (
    Column("id", "id", "bigint", nullable=False),
    nested("user.email", "user__email", "text", nullable=False),
    nested("user.homeAddress.since", "user__home_address__since", "timestamp"),
    Column("paid", "paid", "bool", nullable=True),
    nested("user.age", "user__age", "bigint"),  # behind a column of the row
)
WITH_JSON = (*PARSED, nested("user.homeAddress.tags", "user__home_address__tags", "json"))
SINCE = "2026-01-31T23:30:00.25+01:00"
ROWS: list[dict[str, Any]] = [
    {"id": 1, "user": {"email": "a", "homeAddress": {"since": SINCE}, "age": 5}, "paid": True},
    {"id": 2, "user": {"email": "b", "homeAddress": None}},
    {"id": 3, "user": None, "paid": False},
    {"id": 4, "user": {"email": "c", "homeAddress": {}, "age": None}},
    {"id": 5},
]
MOMENT = datetime(2026, 1, 31, 22, 30, 0, 250_000, UTC)
VALUES: list[tuple[Any, ...]] = [
    (1, "a", MOMENT, True, 5),
    (2, "b", None, None, None),
    (3, None, None, False, None),
    (4, "c", None, None, None),
    (5, None, None, None, None),
]
TAGS = [["x", 1], "text", 5, {"a": None}, None]


def contract(*columns: Column) -> Contract:
    return Contract("orders", columns, ("id",))


def with_tags(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    home = [{"homeAddress": {"tags": tags}, "email": "e"} for tags in TAGS]
    return [{**row, "user": user} for row, user in zip(rows, home, strict=True)]


def page(*rows: Any) -> bytes:
    return json.dumps(rows).encode()


def rows_of(table: Any) -> list[tuple[Any, ...]] | None:
    return None if table is None else [tuple(row.values()) for row in table.to_pylist()]


def test_pages_and_rows_make_the_same_columns() -> None:
    parsed = contract(*PARSED)
    by_arrow = table_of_json(RowType(parsed), [page(*ROWS)], [len(ROWS)])
    of_rows = table_of_rows(RowType(parsed), ROWS)

    assert rows_of(by_arrow) == VALUES
    assert by_arrow is not None
    assert by_arrow.column_names == [column.name for column in PARSED]
    assert of_rows is not None
    assert by_arrow.equals(of_rows.select(by_arrow.column_names))


@pytest.mark.parametrize(
    "row",
    [
        {"id": 1, "user": {"email": None}},
        {"id": 1, "user": {"age": 5}},
        {"id": 1, "user": {"email": "a", "other": 5}},
        {"id": 1, "user": {"email": "a", "homeAddress": {"other": 5}}},
        {"id": 1, "user": "a"},
        {"id": 1, "user": [{"email": "a"}]},
        {"id": 1, "user": {"email": "a", "homeAddress": {"since": 5}}},
    ],
)
def test_a_page_with_anything_else_in_an_object_is_left_to_dlts_way(row: Any) -> None:
    parsed = contract(*PARSED)

    assert table_of_json(RowType(parsed), [page(row)], [1]) is None
    assert PageDecoder(parsed, "data").decode([page(row)], [1]) is None


@pytest.mark.parametrize("free", [None, 2**64, [{"n": -(2**63) - 1}]])
def test_a_json_value_that_the_validation_rejects_is_left_to_it(free: Any) -> None:
    columns = (PARSED[0], Column("free", "free", "json", nullable=False))
    kept, left = page({"id": 1, "free": [2**64 - 1]}), page({"id": 1, "free": free})

    assert PageDecoder(contract(*columns), "data").decode([kept], [1]) is not None
    assert PageDecoder(contract(*columns), "data").decode([left], [1]) is None


def test_a_row_with_an_unknown_field_in_an_object_is_no_arrow_row() -> None:
    row = {"id": 1, "user": {"email": "a", "homeAddress": {"other": 5}}}

    assert table_of_rows(RowType(contract(*PARSED)), [row]) is None


@pytest.mark.merge
@pytest.mark.usefixtures("warehouse")
@pytest.mark.parametrize("columns", [PARSED, WITH_JSON], ids=["parsed", "json"])
def test_rows_have_the_same_table_as_arrow_and_on_dlts_way(columns: tuple[Column, ...]) -> None:
    rows = with_tags(ROWS) if columns is WITH_JSON else ROWS
    steps = {"processing_steps": [{"map": lambda row: row}]}  # not as Arrow
    many = [{**row, "id": 10 * number + row["id"]} for number in range(30) for row in rows]

    as_arrow = load(paged(many), orders(MERGED), contract=contract(*columns))
    first = table_values(as_arrow, "orders")
    again = load(paged(many), orders({**MERGED, **steps}), contract=contract(*columns))

    assert first == table_values(again, "orders")
    assert list(as_arrow.default_schema.tables["orders"]["columns"])[: len(columns)] == [
        column.name for column in columns
    ]
    assert [name for name in again.default_schema.tables if name.startswith("orders__")] == []
    assert len(first) == len(many)
    expected = VALUES
    if columns is WITH_JSON:
        expected = [
            (row["id"], "e", None, row.get("paid"), None, tags)
            for row, tags in zip(ROWS, TAGS, strict=True)
        ]
    assert [tuple(row.values())[1:] for row in first[:5]] == [each[1:] for each in expected]


@pytest.mark.merge
@pytest.mark.usefixtures("warehouse")
def test_an_unknown_field_in_an_object_becomes_a_column_beside_the_others() -> None:
    rows = [*ROWS[:2], {"id": 9, "user": {"email": "z", "other": 5}}]

    pipeline = load(paged(rows), orders(MERGED), contract=contract(*PARSED))

    found = table_values(pipeline, "orders")
    assert [row["user__email"] for row in found] == ["a", "b", "z"]
    assert [row["user__other"] for row in found] == [None, None, 5]
    assert metrics_of(pipeline)["unknown_fields"] == {"user.other": "bigint"}
