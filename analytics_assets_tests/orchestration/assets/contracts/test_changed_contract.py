"""Assets whose contract changes between two loads."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from analytics_assets.config.load import Full, Incremental, Load, Partitioned
from analytics_assets.orchestration.metadata.names import (
    COLUMNS_WIDENED,
)
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.loading import failures_of, load, metadata_of, table_rows
from analytics_assets_tests.support.orders import document_of, orders_api

DAY = {"type": "string", "format": "date"}
TIME = {"type": "string", "format": "date-time"}
KINDS = {"int": "integer", "num": "number", "text": "string", "bool": "boolean"}
BEFORE = {"price": "int", "zip": "int", "paid": "bool", "day": DAY}
AFTER = {"price": "num", "zip": "text", "paid": "text", "day": TIME}
FIRST = {"id": 1, "price": 5, "zip": 1234, "paid": True, "day": "2025-07-02"}
SECOND = {"id": 2, "price": 5.5, "zip": "01234", "paid": "yes", "day": "2025-07-02T23:30:00Z"}
SERVED_BY = {"date": "2025-07-02", "updated_at": "2025-07-02T00:00:00Z"}
WIDENED = [
    {**FIRST, "price": 5.0, "zip": "1234", "paid": "true", "day": "2025-07-02T00:00:00Z"},
    SECOND,
]


def document(path: Path, fields: Mapping[str, Any]) -> str:
    """Write a document with these types of fields, and return its path."""
    schemas = {
        name: {"type": KINDS[kind]} if isinstance(kind, str) else kind
        for name, kind in {"id": "int", "date": DAY, "updated_at": TIME, **fields}.items()
    }
    return document_of(path, schemas, ["id"])


def load_both(how: Load, folder: Path, serve: Any, instance: dg.DagsterInstance) -> Any:
    """Load by one contract and then by the other; return the metadata of the second load."""
    for row, fields in ((FIRST, BEFORE), (SECOND, AFTER)):
        serve([{**row, **SERVED_BY}])
        api = orders_api(document(folder / "api.json", fields), load=how, date_column="day")
        result = load(instance, "orders", api=api)
        assert failures_of(result) == {}
    return metadata_of(result, "orders", api)


def rows_in(warehouse: Warehouse) -> list[Any]:
    return [{name: row[name] for name in FIRST} for row in table_rows(warehouse, "orders")]


@pytest.mark.merge
@pytest.mark.usefixtures("warehouse")
def test_columns_are_widened_and_named(
    tmp_path: Path, serve: Any, instance: dg.DagsterInstance
) -> None:
    metadata = load_both(Full(), tmp_path, serve, instance)

    assert rows_in(Warehouse.from_settings("shop")) == WIDENED
    assert metadata[COLUMNS_WIDENED] == {
        "price": "bigint to double",
        "zip": "bigint to text",
        "paid": "bool to text",
        "day": "date to timestamp",
    }


@pytest.mark.usefixtures("duckdb_warehouse")
@pytest.mark.parametrize(
    "how",
    [
        Incremental(param="updated_since", field="updated_at", initial_value="2025-07-01"),
        Partitioned(start=date(2025, 7, 2), longest_window=60),
    ],
    ids=lambda how: type(how).__name__,
)
def test_columns_are_widened_whatever_a_load_reads(
    how: Load, tmp_path: Path, serve: Any, instance: dg.DagsterInstance
) -> None:
    load_both(how, tmp_path, serve, instance)

    assert rows_in(Warehouse.from_settings("shop")) == WIDENED
