"""What an asset's metadata says of a load."""

from collections.abc import Mapping
from typing import Any

import dagster as dg
from dlt.common.metrics import DataWriterAndCustomMetrics
from dlt.common.schema.typing import TTableSchemaColumns
from dlt.pipeline.trace import PipelineTrace

from analytics_assets.config.api import Api
from analytics_assets.contract import Contract
from analytics_assets.extract.http.connection import Connection
from analytics_assets.extract.http.traffic import Traffic
from analytics_assets.extract.incremental.window_check import ROWS_OUTSIDE
from analytics_assets.orchestration.keys import endpoint_key
from analytics_assets.warehouse.tables import Tables

# metadata keys to which the Dagster UI gives a place of their own
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
NOT_SAID = "not said"  # in place of how many rows are expected
ROWS_RECEIVED = "rows_received"
ROWS_REPEATED = "rows_repeated"
ROWS_REJECTED = "rows_rejected"
ROWS_OF_LOAD = "rows_of_load"
ROWS_TO_PRUNE = "rows_to_prune"
ROWS_PRUNED = "rows_pruned"
ROWS_DROPPED = "rows_dropped"
UNKNOWN_FIELDS = "unknown_fields"
ABSENT_FIELDS = "absent_fields"
KEY_TYPES = "key_types"


def load_metadata(trace: PipelineTrace, resource: str, table: str) -> dict[str, Any]:
    """Say how a load went: rows, the proof that they are all, and seconds per stage.

    Args:
        trace: what dlt remembers of it.
        resource: the resource.
        table: its table, as dlt calls it.
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
        ROWS_EXPECTED: NOT_SAID if read.get("reads_without_total") else read.get(ROWS_EXPECTED),
        **{name: read.get(name, 0) for name in (ROWS_RECEIVED, ROWS_REPEATED, ROWS_REJECTED)},
        "passes": read.get("passes", 0),
        **{name: read[name] for name in (ROWS_OUTSIDE,) if name in read},
        UNKNOWN_FIELDS: read.get(UNKNOWN_FIELDS, {}),
        ABSENT_FIELDS: read.get(ABSENT_FIELDS, []),
        **read.get("cursor", {}),
        **seconds,
    }


def key_types(trace: PipelineTrace, resource: str) -> dict[str, str]:
    """Return the JSON types of a load's primary key by field, where the values have said them."""
    metrics = _metrics(trace, resource)
    return metrics[0].custom_metrics.get(KEY_TYPES, {}) if metrics else {}


def _metrics(trace: PipelineTrace, resource: str) -> list[DataWriterAndCustomMetrics]:
    extracted = trace.last_extract_info
    return [
        package["resource_metrics"][resource]
        for packages in (extracted.metrics if extracted else {}).values()
        for package in packages
        if resource in package["resource_metrics"]
    ]


def loads_of(metadata: Mapping[str, Any]) -> list[str]:
    """Return dlt's ids of the loads that a materialization tells of."""
    return str(metadata[LOAD_ID]).split(", ")


def table_metadata(tables: Tables, api: Api, contract: Contract) -> dict[str, Any]:
    """Say what the table holds: its rows, columns, and newest data.

    Args:
        tables: the open warehouse.
        api: the API.
        contract: the resource, and which column a field has become.
    """
    resource = contract.resource
    table = api.table(resource)
    columns = tables.columns(table)
    policy = api.policy(resource)
    metadata: dict[str, Any] = {
        ROW_COUNT: tables.row_count(table) if columns else 0,
        COLUMN_SCHEMA: column_schema(columns),
    }
    if policy.date_column and tables.column_name(policy.date_column) in columns:
        newest = tables.newest(table, policy.date_column)
        metadata[NEWEST_DATA] = str(newest.date()) if newest else "none"
    if policy.newest and contract.name_of(policy.newest["field"]) in columns:
        newest = tables.newest(table, contract.name_of(policy.newest["field"]))
        metadata |= {NEWEST_UPDATE: newest.isoformat()} if newest else {}
    return metadata


def traffic_metadata(connection: Connection, before: Traffic) -> dict[str, Any]:
    """Say what was asked of the API, and how long it took.

    Args:
        connection: what was asked with.
        before: what had been asked with it before.
    """
    traffic = connection.traffic
    return {
        "api": "embedded API" if connection.settings.embedded else connection.settings.base_url,
        "requests": traffic.requests - before.requests,
        "retries": traffic.retries - before.retries,
        "seconds_waiting_for_api": round(traffic.seconds_waiting - before.seconds_waiting, 3),
    }


def column_schema(columns: TTableSchemaColumns) -> dg.TableSchema:
    """Turn dlt's columns into what the Dagster UI shows.

    Args:
        columns: dlt columns by name; dlt's own, which start with `_dlt`, are left out.
    """
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=name,
                type=str(column.get("data_type", "unknown")),
                description=column.get("description"),
                constraints=dg.TableColumnConstraints(nullable=column.get("nullable") is not False),
            )
            for name, column in columns.items()
            if not name.startswith("_dlt")
        ]
    )


def contract_schema(contract: Contract, of_the_endpoint: bool = False) -> dg.TableSchema:
    """Turn a contract into what the Dagster UI shows.

    Args:
        contract: what the rows must be.
        of_the_endpoint: whether to call columns as the API does, rather than as the table does.
    """
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=column.field if of_the_endpoint else column.name,
                type=column.data_type,
                description=column.description if of_the_endpoint else column.comment,
                constraints=dg.TableColumnConstraints(nullable=column.nullable),
            )
            for column in contract.columns
        ]
    )


def column_lineage(schema: dg.TableSchema, api: Api, contract: Contract) -> dg.TableColumnLineage:
    """Say from which field of the endpoint each column comes.

    Args:
        schema: the table's columns.
        api: the API.
        contract: says how fields are called, and what they are renamed to.
    """
    fields = {contract.name_of(field): field for field in contract.rename}
    fields |= {column.name: column.field for column in contract.columns}
    endpoint = endpoint_key(api, contract.resource)
    return dg.TableColumnLineage(
        {
            column.name: [dg.TableColumnDep(endpoint, fields.get(column.name, column.name))]
            for column in schema.columns
        }
    )
