"""Rows that dlt loads as Arrow tables make the same table as rows that it normalizes one by one."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from dlt.extract import DltSource

from analytics_assets.contract.column import Column, DataType
from analytics_assets.contract.contract import Contract
from analytics_assets.extract.source import rest_api_source
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.extract.rows.reading import MERGED, extract_source, read_rows
from analytics_assets_tests.support.loading import table_values
from analytics_assets_tests.support.paged_server import (
    Answer,
    Request,
    orders,
    paged,
    serving,
)

ONE_BY_ONE = {**MERGED, "processing_steps": [{"map": lambda row: row}]}
Row = dict[str, Any]
Case = tuple[Contract, list[Row]]  # a resource of a source

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
        "2025-08-01T12:30:45.1234567Z",
        "2025-08-01T12:30:45.123456789Z",
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

ID = Column("id", "id", "bigint", nullable=False)


def contract(name: str, *columns: Column) -> Contract:
    return Contract(name, (ID, *columns), ("id",))


def columns_for(kinds: Iterable[DataType]) -> list[Column]:
    return [Column(kind, kind, kind, nullable=True) for kind in kinds]


def numbered(values: list[Any]) -> list[Row]:
    """A row for each value, one with null and one without the field."""
    return [{"id": number, "value": value} for number, value in enumerate([*values, None])] + [
        {"id": len(values) + 1}
    ]


def of_type(kind: DataType, values: list[Any]) -> Case:
    return contract(kind, Column("value", "value", kind, nullable=True)), numbered(values)


ROUNDED = (1.7976931348623157e308, 2**53)  # doubles that are beyond what Arrow certainly keeps
NULLS: Row = dict.fromkeys(VALUES)
PLAIN: dict[DataType, Any] = {
    "text": "a",
    "bigint": 5,
    "double": 2.5,
    "bool": True,
    "timestamp": "2025-08-01T12:30:45Z",
    "date": "2025-08-01",
}
RENAMED = Contract(
    "renamed",
    (
        Column("number", "id", "bigint", nullable=False),
        Column("someValue", "label", "text", nullable=True),
        Column("camelCase", "camel_case", "json", nullable=True),
    ),
    ("number",),
    {"number": "id", "someValue": "label"},
)
CASES: list[Case] = [
    *(of_type(kind, VALUES[kind]) for kind in VALUES),
    (contract("nulls", *columns_for(VALUES)), [{"id": 1}, {"id": 2, **NULLS}]),
    (
        RENAMED,
        [{"number": 1, "someValue": "a", "camelCase": [1]}, {"number": 2, "camelCase": "x"}],
    ),
]


@contextmanager
def source_of_cases(
    cases: Iterable[Case], options: Mapping[str, Any] = MERGED, limit: int = 1000
) -> Iterator[DltSource]:
    """A source with a resource for each contract."""
    answers = {f"/{contract.resource}": paged(rows) for contract, rows in cases}

    def answer(asked: Request) -> Answer:
        return answers[asked.path](asked)

    contracts = {contract.resource: contract for contract, _ in cases}
    entries = []
    for name, each in contracts.items():
        entry = {**options, "primary_key": list(each.primary_key)}
        paginator = {"type": "offset", "limit": limit}
        entries.append({**orders(entry, path=f"/{name}", paginator=paginator), "name": name})
    with serving(answer) as server:
        config = {"client": {"base_url": server.base_url}, "resources": entries}
        yield rest_api_source(config, "shop", contracts=contracts)


def loaded(
    warehouse: Warehouse,
    *loads: list[Case],
    options: Mapping[str, Any] = MERGED,
    limit: int = 1000,
) -> dict[str, list[Row]]:
    """Load one or several times into a dataset of its own, and return the tables."""
    place = replace(warehouse, dataset=f"test_{uuid4().hex}")
    pipeline = place.pipeline(f"test_{uuid4().hex}")
    for cases in loads:
        with source_of_cases(cases, options, limit) as source:
            file_format: Any = place.loader_file_format
            pipeline.run(source, loader_file_format=file_format)
    names = [contract.resource for contract, _ in loads[0]]
    return {name: table_values(pipeline, name) for name in names}


@pytest.mark.merge
def test_values_of_each_type_are_the_same_either_way(
    warehouse: Warehouse, arrow_tables: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    one_by_one = loaded(warehouse, CASES, options=ONE_BY_ONE)
    assert arrow_tables == []
    # a row a batch, so that each goes its own way
    monkeypatch.setattr("analytics_assets.extract.paging.spool.BATCH_BYTES", 1)

    found = loaded(warehouse, CASES, limit=1)

    assert found == one_by_one
    assert {name: len(table) for name, table in found.items()} == {
        contract.resource: len(rows) for contract, rows in CASES
    }
    assert set(found["renamed"][0]) == {"id", "label", "camel_case"}
    rows_as_arrow = sum(table.num_rows for table in arrow_tables)
    assert sum(len(rows) for _, rows in CASES) - rows_as_arrow == len(ROUNDED)


def test_usual_values_of_each_type_go_as_arrow(arrow_tables: list[Any]) -> None:
    cases = [of_type(kind, VALUES[kind][:3]) for kind in VALUES]
    cases.append(CASES[-1])

    with source_of_cases(cases) as source:
        extract_source(source)

    assert sorted(table.num_rows for table in arrow_tables) == sorted(
        len(rows) for _, rows in cases
    )


@pytest.mark.merge
def test_a_later_row_with_the_same_key_replaces_the_one_before(
    warehouse: Warehouse, arrow_tables: list[Any]
) -> None:
    text, rows = of_type("text", ["a", "b"])
    loads = [(text, rows)], [(text, [{"id": 1, "value": "new"}])]

    found = loaded(warehouse, *loads)

    assert len(arrow_tables) == len(loads)
    assert found["text"] == [
        {"id": number, "value": value} for number, value in enumerate(["a", "new", None, None])
    ]


@pytest.mark.merge
def test_a_table_that_was_loaded_without_a_contract_accepts_rows_with_one(
    warehouse: Warehouse,
) -> None:
    values: Row = {kind: value for kind, value in PLAIN.items() if kind != "date"}
    columns = [each for each in columns_for(PLAIN) if each.name in values]
    without: Case = Contract("orders", primary_key=("id",)), [{"id": 1, **values}]
    typed: Case = contract("orders", *columns), [{"id": 2, **values}]

    first, second = loaded(warehouse, [without], [typed])["orders"]

    assert {**first, "id": 2} == second


def with_unknown_field(place: int) -> Case:
    """Six rows, one with a field that the contract does not name."""
    plain: Row = {str(kind): value for kind, value in PLAIN.items()}
    rows = [{"id": number, **plain} for number in range(6)]
    rows[place]["unknown"] = "field"
    return contract(f"odd_{place}", *columns_for(PLAIN)), rows


def test_a_field_that_is_learned_during_a_load_is_in_its_table(
    duckdb_warehouse: Warehouse, arrow_tables: list[Any]
) -> None:
    cases = [with_unknown_field(0), with_unknown_field(3)]

    found = loaded(duckdb_warehouse, cases, limit=2)

    assert len(arrow_tables) == 5
    assert found == loaded(duckdb_warehouse, cases, options=ONE_BY_ONE, limit=2)
    for table in found.values():
        assert [row["unknown"] for row in table].count("field") == 1


def add_one(row: Row) -> Row:
    return {**row, "value": "changed"}


@pytest.mark.parametrize(
    ("step", "values"),
    [
        ({"map": add_one}, ["changed"] * 3),
        ({"yield_map": lambda row: [add_one(row)]}, ["changed"] * 3),
        ({"filter": lambda row: row["id"] == 0}, ["a"]),
    ],
)
def test_steps_of_the_users_own_see_rows(
    arrow_tables: list[Any], step: Mapping[str, Any], values: list[str]
) -> None:
    typed, rows = of_type("text", ["a"])
    entry = orders({**MERGED, "processing_steps": [step]})
    contract = replace(typed, resource="orders")

    with source_of_cases([(typed, rows)], {**MERGED, "processing_steps": [step]}) as source:
        extract_source(source)

    assert arrow_tables == []
    assert [
        row["value"] for row in read_rows(paged(rows), entry, contract=contract).valid
    ] == values


def test_dlt_logs_no_warning_about_columns_that_are_known() -> None:
    values: Row = {str(kind): found[0] for kind, found in VALUES.items()}
    messages: list[str] = []

    class Listening(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            messages.append(record.getMessage())

    logger, listening = logging.getLogger("dlt"), Listening(logging.WARNING)
    logger.addHandler(listening)
    try:
        case: Case = contract("orders", *columns_for(VALUES)), [{**values, "id": 1}]
        with source_of_cases([case]) as source:
            extract_source(source)
    finally:
        logger.removeHandler(listening)

    assert messages == []
