"""Loads of one resource whose contract, entry or rows change in between."""

from collections.abc import Mapping
from typing import Any

import pytest
from dlt.pipeline.exceptions import PipelineStepFailed

from analytics_assets.config.api import Api
from analytics_assets.config.errors import AnalyticsAssetsError, find_cause
from analytics_assets.contract.column import Column
from analytics_assets.contract.contract import Contract
from analytics_assets.warehouse.evolution.comparison import Comparison, compare
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.loading import table_rows
from analytics_assets_tests.support.paged_server import orders, paged, serving, source_of

Row = dict[str, Any]
MERGED = {"write_disposition": "merge"}
KEYED = Contract("orders", primary_key=("id",))


def typed(key: Any = "bigint", **kinds: Any) -> Contract:
    """A contract with these types of columns."""
    columns = [Column(name, name, kind, nullable=True) for name, kind in kinds.items()]
    return Contract("orders", (Column("id", "id", key, nullable=False), *columns), ("id",))


def load(
    warehouse: Warehouse,
    rows: list[Row],
    contract: Contract = KEYED,
    entry: Mapping[str, Any] | None = None,
) -> Comparison:
    """Load rows as an asset does: with the contract held against the table."""
    given = orders({**MERGED, **(entry or {})})
    with serving(paged(rows)) as server, warehouse.loading("shop", table="orders") as pipeline:
        config: Any = {"client": {"base_url": server.base_url}, "resources": [given]}
        resource = Api(name="shop", config=config).resources["orders"]
        with warehouse.open() as tables:
            comparison = compare(tables, resource, contract)
        source = source_of(server, given, contract=comparison.contract)
        pipeline.run(source, loader_file_format=warehouse.loader_file_format)  # type: ignore[arg-type]
    return comparison


def refusal_of(
    warehouse: Warehouse,
    rows: list[Row],
    contract: Contract,
    entry: Mapping[str, Any] | None = None,
) -> str:
    """Load rows; the load must be refused. Return the reason."""
    with pytest.raises((AnalyticsAssetsError, PipelineStepFailed)) as failed:
        load(warehouse, rows, contract, entry)
    cause = find_cause(failed.value, AnalyticsAssetsError)
    assert cause
    return str(cause)


def stored(warehouse: Warehouse, *columns: str, table: str = "orders") -> list[Any]:
    """The values of the rows in some columns, by id; of one column, the values themselves."""
    rows = table_rows(warehouse, table)
    assert rows
    found = [tuple(row.get(column, "no column") for column in columns) for row in rows]
    return [values[0] if len(columns) == 1 else values for values in found]


def types(warehouse: Warehouse, *columns: str) -> list[Any]:
    """The types of columns of the table."""
    with warehouse.open() as tables:
        found = tables.columns("orders")
    return [found[column]["data_type"] for column in columns]
