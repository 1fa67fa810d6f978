"""Metadata of a table: its rows, its newest data, and its columns."""

from typing import Any

from analytics_assets.contract.resource import Resource
from analytics_assets.orchestration.metadata.names import (
    COLUMN_SCHEMA,
    COLUMNS_KEPT,
    COLUMNS_WIDENED,
    NEWEST_CHANGE,
    NEWEST_DATA,
    ROW_COUNT,
)
from analytics_assets.orchestration.metadata.table_schema import table_schema
from analytics_assets.warehouse.evolution.comparison import Comparison, compare
from analytics_assets.warehouse.queries.tables import Tables


def table_metadata(tables: Tables, resource: Resource) -> dict[str, Any]:
    """Return the metadata of a table: its rows, columns, and newest data.

    Args:
        tables: the open warehouse.
        resource: the resource.
    """
    table, policy, contract = resource.table, resource.policy, resource.contract
    columns = tables.columns(table)
    metadata: dict[str, Any] = {
        ROW_COUNT: tables.row_count(table) if columns else 0,
        COLUMN_SCHEMA: table_schema(columns, resource),
    }
    if policy.date_column and tables.column_name(policy.date_column) in columns:
        newest = tables.newest(table, policy.date_column)
        metadata[NEWEST_DATA] = str(newest.date()) if newest else "none"
    if policy.newest:
        # dlt's column of a nested field, whose path has dots
        column = contract.name_of(policy.newest["field"].replace(".", "__"))
        newest = tables.newest(table, column) if column in columns else None
        metadata |= {NEWEST_CHANGE: newest.isoformat()} if newest else {}
    return metadata


def column_metadata(
    tables: Tables, resource: Resource, comparison: Comparison
) -> dict[str, dict[str, str]]:
    """Return the metadata of columns that the table has in another type than declared.

    Args:
        tables: the open warehouse, after the load.
        resource: the resource.
        comparison: its contract held against the table before the load.
    """
    widened = dict(comparison.widened)
    if widened:  # by the merge of a load, which has none without rows
        left = compare(tables, resource, resource.contract).widened
        widened = {name: widened[name] for name in widened if name not in left}
    metadata = {COLUMNS_WIDENED: widened, COLUMNS_KEPT: dict(comparison.kept)}
    return {name: columns for name, columns in metadata.items() if columns}
