"""Rows that go to dlt as Arrow tables make the same table as rows that dlt looks at one by one."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from analytics_assets.contract import Contract
from analytics_assets.contract.column import Column, DataType
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.loading import table_values
from analytics_assets_tests.support.paged_server import orders, paged, serving, source_of

MERGED = {"write_disposition": "merge"}
SEEN_ONE_BY_ONE = {**MERGED, "processing_steps": [{"map": lambda row: row}]}
Row = dict[str, Any]

VALUES: dict[DataType, list[Any]] = {
    "text": ["plain", "", " ", "Ж “quoted” 'too'", "a\nb\tc\\d", "🎉", "null", "{}", "1"],
    "bigint": [0, -1, 5.0, 1e15, 2**63 - 1, -(2**63)],
    "double": [0, 3, -2.5, 1e-300, 1.7976931348623157e308, 0.1, 2**53 - 1, 2**53],
    "bool": [True, False],
    "timestamp": [
        "2025-08-01T12:30:45Z",
        "2025-08-01T12:30:45+05:30",
        "2025-08-01T12:30:45.123456-08:00",
        "2025-08-01T12:30:45.1Z",
        "2025-08-01T12:30:45",
        "2025-08-01 12:30:45Z",
        "1969-12-31T23:59:59.999999Z",
        "0999-01-01T00:00:00Z",
        "9999-12-01T00:00:00Z",
    ],
    "date": ["2025-08-01", "1969-12-31", "0999-01-01", "9999-12-31"],
    "time": ["12:30:45", "00:00:00", "23:59:59.999999"],
    "json": [
        {"a": 1, "b": [1, {"c": None}]},
        {},
        [],
        [1, "two", 3.5, None, True],
        "text",
        "",
        '{"looks": "like JSON"}',
        "Ж “quoted”",
        5,
        -2.5,
        2**60,
        True,
        False,
        {"Ж": "🎉", "line": "a\nb"},
        {"b": 1, "a": 2},
        [[]],
    ],
}


def contract_of(*columns: Column, rename: Mapping[str, str] | None = None) -> Contract:
    key = Column("id", "id", "bigint", nullable=False)
    return Contract("orders", (key, *columns), ("id",), rename or {})


def columns_for(kinds: Iterable[DataType]) -> list[Column]:
    return [Column(kind, kind, kind, nullable=True) for kind in kinds]


def of_type(kind: DataType) -> Contract:
    return contract_of(Column("value", "value", kind, nullable=True))


def loaded(
    warehouse: Warehouse,
    *loads: tuple[list[Any], Contract | None],
    entry: Mapping[str, Any] = MERGED,
    limit: int = 1000,
    key: str = "id",
) -> list[Row]:
    """Load rows, once or several times, and return the table."""
    place = replace(warehouse, dataset=f"test_{uuid4().hex}")
    pipeline = place.pipeline(f"test_{uuid4().hex}")
    for all_rows, contract in loads:
        with serving(paged(all_rows)) as server:
            paginator = {"type": "offset", "limit": limit}
            source = source_of(server, orders(entry, paginator=paginator), contract=contract)
            file_format: Any = place.loader_file_format
            pipeline.run(source, loader_file_format=file_format)
    return table_values(pipeline, "orders", key)


def numbered(values: list[Any]) -> list[Row]:
    """A row for each value, one with null and one without the field."""
    return [{"id": number, "value": value} for number, value in enumerate([*values, None])] + [
        {"id": len(values) + 1}
    ]


@pytest.mark.parametrize("kind", VALUES)
def test_values_of_each_type_are_the_same(
    warehouse: Warehouse, arrow_tables: list[Any], kind: DataType
) -> None:
    all_rows = numbered(VALUES[kind])
    one_by_one = loaded(warehouse, (all_rows, of_type(kind)), entry=SEEN_ONE_BY_ONE)
    assert arrow_tables == []

    found = loaded(warehouse, (all_rows, of_type(kind)))

    assert found == one_by_one
    assert len(one_by_one) == len(all_rows)


@pytest.mark.parametrize("kind", VALUES)
def test_each_type_goes_as_arrow(
    warehouse: Warehouse, arrow_tables: list[Any], kind: DataType
) -> None:
    usual = VALUES[kind][:3]

    assert len(loaded(warehouse, (numbered(usual), of_type(kind)))) == len(usual) + 2
    assert len(arrow_tables) == 1


@pytest.mark.parametrize(
    "value", ["2025-08-01T12:30:45.1234567Z", "2025-08-01T12:30:45.123456789Z"]
)
def test_a_time_of_more_digits_than_a_table_holds_is_the_same(
    warehouse: Warehouse, value: str
) -> None:
    load = (numbered([value]), of_type("timestamp"))

    assert loaded(warehouse, load) == loaded(warehouse, load, entry=SEEN_ONE_BY_ONE)


def test_a_column_of_nothing_but_nulls_is_the_same(warehouse: Warehouse) -> None:
    columns = columns_for(VALUES)
    nulls: Row = {column.name: None for column in columns}
    load = ([{"id": 1}, {"id": 2, **nulls}], contract_of(*columns))

    assert loaded(warehouse, load) == loaded(warehouse, load, entry=SEEN_ONE_BY_ONE)


def test_renamed_columns_are_the_same(warehouse: Warehouse, arrow_tables: list[Any]) -> None:
    rename = {"id": "number", "someValue": "label"}
    columns = (
        Column("id", "number", "bigint", nullable=False),
        Column("someValue", "label", "text", nullable=True),
        Column("camelCase", "camel_case", "json", nullable=True),
    )
    contract = Contract("orders", columns, ("id",), rename)
    all_rows = [{"id": 1, "someValue": "a", "camelCase": [1]}, {"id": 2, "camelCase": "x"}]
    load = (all_rows, contract)
    one_by_one = loaded(warehouse, load, entry=SEEN_ONE_BY_ONE, key="number")

    assert loaded(warehouse, load, key="number") == one_by_one
    assert set(one_by_one[0]) == {"number", "label", "camel_case"}
    assert len(arrow_tables) == 1


def test_a_later_row_with_the_same_key_replaces_the_one_before(warehouse: Warehouse) -> None:
    contract = of_type("text")
    loads = [(numbered(["a", "b"]), contract), ([{"id": 1, "value": "new"}], contract)]

    found = loaded(warehouse, *loads)

    assert found == loaded(warehouse, *loads, entry=SEEN_ONE_BY_ONE)
    assert [row["value"] for row in found] == ["a", "new", None, None]


PLAIN: dict[DataType, Any] = {
    "text": "a",
    "bigint": 5,
    "double": 2.5,
    "bool": True,
    "timestamp": "2025-08-01T12:30:45Z",
    "date": "2025-08-01",
}


def test_a_table_that_was_loaded_without_a_contract_takes_rows_with_one(
    warehouse: Warehouse,
) -> None:
    values: Row = {kind: value for kind, value in PLAIN.items() if kind != "date"}
    columns = [each for each in columns_for(PLAIN) if each.name in values]
    loads = [
        ([{"id": 1, **values}], None),
        ([{"id": 2, **values}], contract_of(*columns)),
    ]

    first, second = loaded(warehouse, *loads)

    assert {**first, "id": 2} == second


@pytest.mark.parametrize("odd_first", [True, False])
def test_one_load_may_bring_rows_in_both_ways(
    warehouse: Warehouse, arrow_tables: list[Any], odd_first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # a page a batch
    monkeypatch.setattr("analytics_assets.extract.paging.spool.BATCH_ROWS", 1)
    columns = columns_for(PLAIN)
    all_rows = [{"id": number, **PLAIN} for number in range(6)]
    all_rows[0 if odd_first else 3]["unknown"] = "field"
    load = (all_rows, contract_of(*columns))

    found = loaded(warehouse, load, limit=2)

    assert found == loaded(warehouse, load, entry=SEEN_ONE_BY_ONE, limit=2)
    assert [row["unknown"] for row in found].count("field") == 1
    assert len(arrow_tables) == 2


def add_one(row: Row) -> Row:
    return {**row, "value": "changed"}


@pytest.mark.parametrize("step", [{"map": add_one}, {"yield_map": lambda row: [add_one(row)]}])
def test_steps_of_the_users_own_see_rows(
    warehouse: Warehouse, arrow_tables: list[Any], step: Mapping[str, Any]
) -> None:
    entry = {**MERGED, "processing_steps": [step]}

    found = loaded(warehouse, (numbered(["a"]), of_type("text")), entry=entry)

    assert {row["value"] for row in found} == {"changed"}
    assert arrow_tables == []


def test_a_filter_of_the_users_own_sees_rows(warehouse: Warehouse, arrow_tables: list[Any]) -> None:
    entry = {**MERGED, "processing_steps": [{"filter": lambda row: row["id"] > 0}]}

    found = loaded(warehouse, (numbered(["a"]), of_type("text")), entry=entry)

    assert [row["id"] for row in found] == [1, 2]
    assert arrow_tables == []


def test_nothing_is_said_of_columns_that_are_known(warehouse: Warehouse) -> None:
    columns = columns_for(VALUES)
    values: Row = {kind: found[0] for kind, found in VALUES.items()}
    said: list[str] = []

    class Listening(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    logger, listening = logging.getLogger("dlt"), Listening(logging.WARNING)
    logger.addHandler(listening)
    try:
        loaded(warehouse, ([{"id": 1, **values}], contract_of(*columns)))
    finally:
        logger.removeHandler(listening)

    assert said == []
