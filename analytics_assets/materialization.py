"""One load of one resource: what is run, and what is told of it in the asset's metadata."""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
from dagster_dlt import DagsterDltResource, DagsterDltTranslator
from dlt.common.pipeline import LoadInfo
from dlt.common.runtime.collector import LogCollector
from dlt.common.schema.exceptions import UnboundColumnException
from dlt.common.schema.typing import TTableSchemaColumns
from dlt.extract import DltResource
from dlt.pipeline.pipeline import Pipeline

from analytics_assets.asset_keys import endpoint_key, endpoint_url
from analytics_assets.configuration import Api
from analytics_assets.dead_runs import MACHINE_TAG, this_machine
from analytics_assets.errors import AnalyticsAssetsError, find_cause
from analytics_assets.extract.connection import Connection, connect
from analytics_assets.extract.source import rest_api_source
from analytics_assets.warehouse import TableReader, Warehouse

PROGRESS_PERIOD = 5.0  # seconds between two lines of dlt's progress in a run's log
# metadata keys to which the Dagster UI gives a place of their own
# https://docs.dagster.io/guides/build/assets/metadata-and-tags#standard-metadata-types
ROW_COUNT = "dagster/row_count"
COLUMN_SCHEMA = "dagster/column_schema"
TABLE_NAME = "dagster/table_name"
NEWEST_UPDATE = "newest_updated_at"


class Loader(DagsterDltResource):
    """Runs a resource's pipeline and says what happened in the asset's metadata.

    dagster-dlt 0.29 would take its metadata out of the live dlt schema, which breaks a second run
    in the same process, and name the table wrongly; hence this override of its public method.
    """

    def extract_resource_metadata(
        self,
        context: Any,
        resource: DltResource,
        load_info: LoadInfo,
        dlt_pipeline: Pipeline,
    ) -> Mapping[str, Any]:
        """Return the metadata that comes from the load alone."""
        trace = dlt_pipeline.last_trace
        assert trace is not None, "a pipeline that has loaded has a trace"
        name, table = resource.name, str(resource.table_name)
        extracted = trace.last_extract_info.metrics if trace.last_extract_info else {}
        loaded = trace.last_normalize_info.row_counts if trace.last_normalize_info else {}
        seconds = {
            f"seconds_{step.step}": round((step.finished_at - step.started_at).total_seconds(), 3)
            for step in trace.steps
            if step.step in ("extract", "normalize", "load") and step.finished_at
        }
        return {
            "rows_extracted": sum(
                metrics["resource_metrics"][name].items_count
                for package in extracted.values()
                for metrics in package
                if name in metrics["resource_metrics"]
            ),
            "rows_loaded": loaded.get(table, 0),
            "load_id": ", ".join(load_info.loads_ids) or "none",
            **seconds,
        }


def materialize(
    context: dg.AssetExecutionContext,
    api: Api,
    resource: str,
    warehouse: Warehouse,
    translator: DagsterDltTranslator,
) -> Iterator[dg.MaterializeResult[Any]]:
    """Read a resource and merge it into its table.

    Args:
        context: the run.
        api: the API.
        resource: what to read.
        warehouse: where the table is.
        translator: says to dagster-dlt which asset the resource is.

    Yields:
        The one materialization, with what happened and what the table holds now as metadata.

    Raises:
        dagster.Failure: something that the user can mend; its description says what and how.
    """
    # says where the process of this run is, for those who look after dead runs
    context.instance.add_run_tags(context.run_id, {MACHINE_TAG: this_machine()})
    try:
        yield from _load(context, api, resource, warehouse, translator)
    except Exception as error:
        cause = find_cause(error, AnalyticsAssetsError) or _missing_key(error, api, resource)
        if cause is None:
            raise
        raise dg.Failure(f"{resource} was not loaded. {cause}") from error


def _missing_key(error: Exception, api: Api, resource: str) -> str | None:
    """Say what to do if no row had the primary key, which dlt finds out after reading them all."""
    if not find_cause(error, UnboundColumnException):
        return None
    key = ", ".join(f"`{column}`" for column in api.primary_key(resource))
    return (
        f"No row has the primary key {key}, or another column that is said not to be null. Set "
        "`primary_key` in the entry to the field that tells its rows apart."
    )


def _load(
    context: dg.AssetExecutionContext,
    api: Api,
    resource: str,
    warehouse: Warehouse,
    translator: DagsterDltTranslator,
) -> Iterator[dg.MaterializeResult[Any]]:
    connection = connect(api.config["client"], api.name)
    context.log.info(f"Reading {resource} from {connection.settings.base_url}")
    if connection.settings.embedded:
        context.log.info(
            "That is the embedded API, as no `base_url` is set: its page views are real Wikipedia "
            "counts with moved dates, its other rows are synthetic."
        )
    # dagster-dlt changes the source that it runs, so each run has its own
    source = rest_api_source(api.config_of(resource), api.name, connection).with_resources(resource)
    with warehouse.loading(f"{api.name}_{resource}") as pipeline:
        pipeline.collector = LogCollector(PROGRESS_PERIOD, context.log, dump_system_stats=False)
        for result in Loader().run(
            context,
            dlt_source=source,
            dlt_pipeline=pipeline,
            dagster_dlt_translator=translator,
            loader_file_format=warehouse.loader_file_format,
        ):
            with warehouse.reading() as tables:
                state = _table_metadata(tables, api, resource)
            metadata = {**(result.metadata or {}), **_traffic_metadata(connection), **state}
            metadata[TABLE_NAME] = warehouse.qualified(api.table(resource))
            context.log_event(_endpoint_seen(api, resource, connection, metadata))
            yield dg.MaterializeResult(asset_key=result.asset_key, metadata=metadata)


def _endpoint_seen(
    api: Api, resource: str, connection: Connection, metadata: Mapping[str, Any]
) -> dg.AssetObservation:
    """Say in the lineage that the endpoint was read, where it is, and what it gave."""
    url = endpoint_url(connection.settings.base_url, str(api.endpoint(resource)["path"]))
    # the embedded API ends with the process that started it, and a link to it would be dead
    embedded = connection.settings.embedded
    return dg.AssetObservation(
        endpoint_key(api, resource),
        metadata={
            "url": "embedded API" if embedded else dg.MetadataValue.url(url),
            "rows_extracted": metadata["rows_extracted"],
            "requests": metadata["requests"],
        },
    )


def _table_metadata(tables: TableReader, api: Api, resource: str) -> dict[str, Any]:
    table = api.table(resource)
    columns = tables.columns(table)
    policy = api.policy(resource)
    metadata: dict[str, Any] = {
        ROW_COUNT: tables.row_count(table) if columns else 0,
        COLUMN_SCHEMA: column_schema(columns),
    }
    if policy.date_column and tables.column_name(policy.date_column) in columns:
        newest = tables.newest(table, policy.date_column)
        metadata["newest_data"] = str(newest.date()) if newest else "none"
    if policy.newest and tables.column_name(policy.newest["field"]) in columns:
        newest = tables.newest(table, policy.newest["field"])
        metadata |= {NEWEST_UPDATE: newest.isoformat()} if newest else {}
    return metadata


def _traffic_metadata(connection: Connection) -> dict[str, Any]:
    traffic = connection.traffic
    return {
        "api": "embedded API" if connection.settings.embedded else connection.settings.base_url,
        "requests": traffic.requests,
        "retries": traffic.retries,
        "seconds_waiting_for_api": round(traffic.seconds_waiting, 3),
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
