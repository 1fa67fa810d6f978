"""Metadata of a materialization."""

from collections.abc import Mapping
from typing import Any

import dagster as dg
from dlt.common.metrics import DataWriterAndCustomMetrics
from dlt.pipeline.trace import PipelineTrace

from analytics_assets.contract.resource import Resource
from analytics_assets.extract.children.parent_rows import PARENTS_WITHOUT_VALUE
from analytics_assets.extract.entry import (
    ROWS_ALIKE_BEFORE_STEPS,
    ROWS_REPEATED,
    ROWS_SUPERSEDED,
)
from analytics_assets.extract.http.connection import Connection
from analytics_assets.extract.http.traffic import Traffic
from analytics_assets.extract.incremental.window_check import ROWS_OUTSIDE
from analytics_assets.extract.reading import PAGES_BY_DLT, PAGES_TYPED
from analytics_assets.orchestration.metadata.table_schema import table_schema
from analytics_assets.redaction.redactor import redact
from analytics_assets.warehouse.evolution.comparison import Comparison, compare
from analytics_assets.warehouse.queries.tables import Tables

# standard keys of the Dagster UI
# https://docs.dagster.io/guides/build/assets/metadata-and-tags#standard-metadata-types
ROW_COUNT = "dagster/row_count"
PARTITION_ROW_COUNT = "dagster/partition_row_count"
COLUMN_SCHEMA = "dagster/column_schema"
COLUMN_LINEAGE = "dagster/column_lineage"
TABLE_NAME = "dagster/table_name"
NEWEST_DATA = "newest_data"
NEWEST_UPDATE = "newest_updated_at"
LOAD_ID = "load_id"
COMPLETE = "complete"
ROWS_LOADED = "rows_loaded"
ROWS_EXPECTED = "rows_expected"
UNKNOWN = "unknown"  # `ROWS_EXPECTED` if the API gives no total
ROWS_RECEIVED = "rows_received"
ROWS_REJECTED = "rows_rejected"
REJECTION_REASONS = "rejection_reasons"
ROWS_MARKED_DELETED = "rows_marked_deleted"
ROWS_OF_LOAD = "rows_of_load"
ROWS_TO_PRUNE = "rows_to_prune"
ROWS_PRUNED = "rows_pruned"
ROWS_DROPPED = "rows_dropped"
DROPPED = "dropped"
DROPPED_SINCE = "dropped_since"
UNKNOWN_FIELDS = "unknown_fields"
ABSENT_FIELDS = "absent_fields"
COLUMNS_WIDENED = "columns_widened"
COLUMNS_KEPT = "columns_kept"

OF_TEXT = (dg.TextMetadataValue, dg.UrlMetadataValue, dg.MarkdownMetadataValue)

# counts that only some loads have
IF_ANY = (ROWS_SUPERSEDED, ROWS_ALIKE_BEFORE_STEPS, ROWS_MARKED_DELETED)
IF_COUNTED = (ROWS_OUTSIDE, PARENTS_WITHOUT_VALUE, REJECTION_REASONS)


def load_metadata(trace: PipelineTrace, resource: str, table: str) -> dict[str, Any]:
    """Return the metadata of a load: rows, completeness, and seconds per stage.

    Args:
        trace: dlt's trace of it.
        resource: the resource.
        table: its table by dlt's name.
    """
    metrics = _metrics(trace, resource)
    read = metrics[0].custom_metrics if metrics else {}
    loaded = trace.last_normalize_info.row_counts if trace.last_normalize_info else {}
    seconds = {
        f"seconds_{step.step}": round((step.finished_at - step.started_at).total_seconds(), 3)
        for step in trace.steps
        if step.step in ("extract", "normalize", "load") and step.finished_at
    }
    return {
        "rows_extracted": sum(metric.items_count for metric in metrics),
        ROWS_LOADED: loaded.get(table, 0),
        COMPLETE: not read.get("reads_limited"),
        ROWS_EXPECTED: UNKNOWN if read.get("reads_without_total") else read.get(ROWS_EXPECTED),
        **{name: read.get(name, 0) for name in (ROWS_RECEIVED, ROWS_REPEATED, ROWS_REJECTED)},
        **{name: read[name] for name in IF_ANY if read.get(name)},
        **{name: read.get(name, 0) for name in ("passes", PAGES_TYPED, PAGES_BY_DLT)},
        **{name: read[name] for name in IF_COUNTED if name in read},
        UNKNOWN_FIELDS: read.get(UNKNOWN_FIELDS, {}),
        ABSENT_FIELDS: read.get(ABSENT_FIELDS, []),
        **read.get("cursor", {}),
        **seconds,
    }


def _metrics(trace: PipelineTrace, resource: str) -> list[DataWriterAndCustomMetrics]:
    extracted = trace.last_extract_info
    return [
        package["resource_metrics"][resource]
        for packages in (extracted.metrics if extracted else {}).values()
        for package in packages
        if resource in package["resource_metrics"]
    ]


def without_secrets(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return metadata without the secrets that this process knows."""
    return {name: _without_secrets(value) for name, value in metadata.items()}


def _without_secrets(value: Any) -> Any:
    if isinstance(value, OF_TEXT):
        return type(value)(redact(str(value.value)))
    if isinstance(value, dg.JsonMetadataValue):
        return dg.JsonMetadataValue(redact.all_of(value.value))
    return redact.all_of(value)


def load_ids(metadata: Mapping[str, Any]) -> list[str]:
    """Return dlt's load ids of a materialization."""
    return str(metadata[LOAD_ID]).split(", ")


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
        COLUMN_SCHEMA: table_schema(columns),
    }
    if policy.date_column and tables.column_name(policy.date_column) in columns:
        newest = tables.newest(table, policy.date_column)
        metadata[NEWEST_DATA] = str(newest.date()) if newest else "none"
    if policy.newest:
        # dlt's column of a nested field, whose path has dots
        column = contract.name_of(policy.newest["field"].replace(".", "__"))
        newest = tables.newest(table, column) if column in columns else None
        metadata |= {NEWEST_UPDATE: newest.isoformat()} if newest else {}
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


def traffic_metadata(connection: Connection, before: Traffic) -> dict[str, Any]:
    """Return the number of requests, and the seconds of waiting for them.

    Args:
        connection: the connection of the load.
        before: its traffic before the load.
    """
    traffic = connection.traffic
    return {
        "api": "embedded API" if connection.settings.embedded else connection.settings.base_url,
        "requests": traffic.requests - before.requests,
        "retries": traffic.retries - before.retries,
        "seconds_waiting_for_api": round(traffic.seconds_waiting - before.seconds_waiting, 3),
    }
