"""Metadata of a table: its rows, its newest data, and its columns."""

from collections.abc import Mapping
from datetime import datetime
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
from analytics_assets.warehouse.queries.newest_rows import time_columns
from analytics_assets.warehouse.queries.tables import Tables


def table_metadata(
    tables: Tables, resource: Resource, counted: int | None = None
) -> dict[str, Any]:
    """Return the metadata of a table: its rows, columns, and newest data.

    Args:
        tables: the open warehouse.
        resource: the resource.
        counted: the number of rows, if the load has counted them; None to count them.
    """
    columns = tables.columns(resource.table)
    day, changed = time_columns(tables, resource)
    times = [column for column in (day, changed) if column]
    newest: Mapping[str, datetime | None] = {}
    if counted is not None:
        newest = {column: tables.newest(resource.table, column) for column in times}
    elif columns:
        counted, newest = tables.size(resource.table, times)
    metadata: dict[str, Any] = {
        ROW_COUNT: counted or 0,
        COLUMN_SCHEMA: table_schema(columns, resource),
    }
    if day:
        metadata[NEWEST_DATA] = str(moment.date()) if (moment := newest[day]) else "none"
    if changed and (moment := newest[changed]):
        metadata[NEWEST_CHANGE] = moment.isoformat()
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
