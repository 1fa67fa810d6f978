"""Columns as the Dagster UI shows them: by the contract before a load, by the table after it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from analytics_assets.config.api import Api
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.loading import load, metadata_of
from analytics_assets_tests.support.orders import document_of, orders_api
from analytics_assets_tests.support.sandbox import Sandbox

FIELDS: dict[str, Any] = {
    "id": {"type": "integer", "description": "Names the order."},
    "address": {
        "type": "object",
        "properties": {
            "city": {"type": "string", "description": "The town."},
            "zip": {"type": "string", "nullable": True},
        },
        "required": ["city"],
    },
    "labels": {"type": "array", "items": {"type": "string"}},
    "amount": {"type": "number"},
    "ordered": {"type": "string", "format": "date-time"},
    "day": {"type": "string", "format": "date"},
    "is_paid": {"type": "boolean"},
    "comment": {"type": "string", "description": "Written by the customer."},
}
REQUIRED = ["id", "address", "labels", "amount", "day"]
ROW: dict[str, Any] = {
    "id": 1,
    "address": {"city": "Bonn", "zip": None},
    "labels": ["new"],
    "amount": 1.5,
    "ordered": "2026-01-31T10:00:00Z",
    "day": "2026-01-31",
    "is_paid": True,
}
DLT_COLUMNS = ["_dlt_load_id", "_dlt_id"]


def described(schema: dg.TableSchema) -> dict[str, tuple[str, bool, str | None]]:
    return {
        column.name: (column.type, column.constraints.nullable, column.description)
        for column in schema.columns
    }


def schemas(api: Api, instance: dg.DagsterInstance) -> list[dict[str, Any]]:
    """Return the columns of `orders` before the first load and after it."""
    key = asset_key(api.resources["orders"])
    before = build_definitions(api).resolve_asset_graph().get(key).metadata
    after = metadata_of(load(instance, "orders", api=api), "orders", api)
    return [described(each["dagster/column_schema"]) for each in (before, after)]


def with_entry(api: Api, **entry: Any) -> Api:
    [given] = api.config["resources"]
    return replace(api, config={**api.config, "resources": [{**given, **entry}]})


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"max_table_nesting": 1},
        {"primary_key": ["id", "day"]},
        {"write_disposition": "append"},
        {"write_disposition": {"disposition": "merge", "strategy": "scd2"}},
    ],
    ids=["json", "nested", "two keys", "appended", "history"],
)
def test_the_first_load_changes_no_column_of_the_contract(
    warehouse: Warehouse,
    serve: Callable[[list[Any]], Sandbox],
    instance: dg.DagsterInstance,
    tmp_path: Path,
    entry: dict[str, Any],
) -> None:
    serve([ROW])
    document = document_of(tmp_path / "kept.json", FIELDS, REQUIRED)

    before, after = schemas(with_entry(orders_api(document), **entry), instance)

    assert before == after
    assert before["id"] == ("bigint", False, "Names the order.")
    assert before["comment"] == ("text", True, "Written by the customer.")
    assert before["amount"][1] is False
    assert list(before)[-2:] == DLT_COLUMNS
    assert all(before[name][2] for name in DLT_COLUMNS)


def test_without_rows_the_columns_of_the_contract_stay(
    duckdb_warehouse: Warehouse,
    serve: Callable[[list[Any]], Sandbox],
    instance: dg.DagsterInstance,
    tmp_path: Path,
) -> None:
    serve([])

    before, after = schemas(
        orders_api(document_of(tmp_path / "kept.json", FIELDS, REQUIRED)), instance
    )

    assert before == after


def test_without_a_contract_the_key_takes_no_null_and_columns_of_dlt_are_described(
    warehouse: Warehouse, serve: Callable[[list[Any]], Sandbox], instance: dg.DagsterInstance
) -> None:
    serve([{"id": 1, "size": 1}, {"id": 2, "size": "large"}])
    api = orders_api()

    metadata = metadata_of(load(instance, "orders", api=api), "orders", api)

    columns = described(metadata["dagster/column_schema"])
    assert columns["id"] == ("bigint", False, None)
    assert columns["size"] == ("bigint", True, None)
    assert columns["size__v_text"] == ("text", True, "Values of `size` that are of another type.")
    assert all(columns[name][2] for name in DLT_COLUMNS)
    assert not set(DLT_COLUMNS) & metadata["dagster/column_lineage"].deps_by_column.keys()
