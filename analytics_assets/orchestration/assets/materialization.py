"""One load of one resource: what is run, and what is told of it in the asset's metadata."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import dagster as dg
from dagster_dlt import DagsterDltResource, DagsterDltTranslator
from dagster_dlt.translator import DltResourceTranslatorData
from dlt.common.pipeline import LoadInfo
from dlt.common.runtime.collector import LogCollector
from dlt.extract import DltResource, DltSource
from dlt.pipeline.pipeline import Pipeline

from analytics_assets.config.api import Api
from analytics_assets.config.errors import AnalyticsAssetsError, find_cause, without_name
from analytics_assets.config.load import Partitioned
from analytics_assets.contract import Contract
from analytics_assets.extract.http.connection import Connection, connect
from analytics_assets.extract.incremental.cursor import StateReset
from analytics_assets.extract.incremental.time_window import with_params
from analytics_assets.extract.incremental.window_check import watch_window
from analytics_assets.extract.source import rest_api_source
from analytics_assets.orchestration.assets.column_errors import unfit_column
from analytics_assets.orchestration.assets.pruning import RowsNotDroppedError, drop, prune
from analytics_assets.orchestration.assets.run_config import LoadConfig, cursor_of
from analytics_assets.orchestration.keys import asset_key, endpoint_key, endpoint_url
from analytics_assets.orchestration.metadata import (
    COLUMN_LINEAGE,
    COLUMN_SCHEMA,
    LOAD_ID,
    ROWS_OF_LOAD,
    TABLE_NAME,
    column_lineage,
    load_metadata,
    loads_of,
    table_metadata,
    traffic_metadata,
)
from analytics_assets.orchestration.partitions.backfill import Backfill, WindowLoaded
from analytics_assets.orchestration.partitions.definition import in_words, time_window_of
from analytics_assets.orchestration.partitions.row_counts import rows_of_partitions
from analytics_assets.orchestration.runs.dead_runs import refuse_to_go_on, tell_machine
from analytics_assets.warehouse.tables import Tables
from analytics_assets.warehouse.warehouse import Warehouse

PROGRESS_PERIOD = 5.0  # seconds between two lines of dlt's progress in a run's log


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
        return {
            **load_metadata(trace, resource.name, str(resource.table_name)),
            LOAD_ID: ", ".join(load_info.loads_ids) or "none",
        }


@dataclass
class ResourceTranslator(DagsterDltTranslator):
    """Says to dagster-dlt which asset a resource is; it asks for nothing else in a run.

    Args:
        api: the API.
    """

    api: Api

    def get_asset_spec(self, data: DltResourceTranslatorData) -> dg.AssetSpec:
        """Return a spec with the asset's key."""
        return dg.AssetSpec(asset_key(self.api, data.resource.name))


def materialize(
    context: dg.AssetExecutionContext,
    api: Api,
    contract: Contract,
    warehouse: Warehouse,
    config: LoadConfig,
) -> Iterator[dg.MaterializeResult[Any]]:
    """Read a resource and merge it into its table.

    Args:
        context: the run.
        api: the API.
        contract: the resource to read, and what its rows must be.
        warehouse: where the table is.
        config: what was chosen for this run in the launchpad.

    Yields:
        The one materialization, with what happened and what the table holds now as metadata.

    Raises:
        dagster.Failure: something that the user can mend; its description says what and how.
    """
    tell_machine(context.instance, context.run.run_id)
    resource, backfill = contract.resource, None
    load, pool = api.policy(resource).load, warehouse.pool(api.table(resource))
    try:
        config.refuse_what_cannot_be(api, resource)
        with closing(connect(api.config["client"], api.name, resource=resource)) as connection:
            _tell_where(context, resource, connection)
            read = partial(_load, context, api, contract, warehouse, config, connection)
            if isinstance(load, Partitioned):
                backfill = Backfill(context, asset_key(api, resource), load, pool)
                yield from backfill.run(read)
            else:
                yield dg.MaterializeResult(asset_key(api, resource), metadata=read().metadata)
    except dg.RetryRequested:
        raise
    except Exception as error:
        cause = find_cause(error, AnalyticsAssetsError) or unfit_column(
            error, contract, warehouse, api.table(resource)
        )
        if cause is None:
            raise
        when = f" for {in_words(backfill.window)}" if backfill and backfill.window else ""
        kept = isinstance(cause, RowsNotDroppedError)
        outcome = "loaded, but nothing was dropped" if kept else "not loaded"
        reason = without_name(cause, resource)
        raise dg.Failure(f"{resource} was {outcome}{when}. {reason}") from error


def _tell_where(context: dg.AssetExecutionContext, resource: str, connection: Connection) -> None:
    context.log.info(f"Reading {resource} from {connection.settings.base_url}")
    if connection.settings.embedded:
        context.log.info(
            "That is the embedded API, as no `base_url` is set: its page views are real Wikipedia "
            "counts with moved dates, its other rows are synthetic."
        )


def _load(
    context: dg.AssetExecutionContext,
    api: Api,
    contract: Contract,
    warehouse: Warehouse,
    config: LoadConfig,
    connection: Connection,
    partitions: Sequence[str] = (),
) -> WindowLoaded:
    """Load a resource, or some of its partitions, and say what came of it."""
    resource, before = contract.resource, replace(connection.traffic)
    source = _source(api, contract, config, connection, partitions)
    with warehouse.loading(
        _pipeline(api, resource),
        len(contract.columns),
        table=api.table(resource),
        run=context.run.run_id,
        log=context.log,
    ) as pipeline:
        refuse_to_go_on(context.instance, context.run.run_id)  # as it may have waited for long
        pipeline.collector = LogCollector(PROGRESS_PERIOD, context.log, dump_system_stats=False)
        [result] = Loader().run(
            context,
            dlt_source=source,
            dlt_pipeline=pipeline,
            dagster_dlt_translator=ResourceTranslator(api),
            loader_file_format=warehouse.loader_file_format,
        )
        metadata = {**(result.metadata or {}), **traffic_metadata(connection, before)}
        with warehouse.open(context.log) as tables:
            metadata |= _of_table(tables, api, contract, config, metadata, partitions)
            rows = rows_of_partitions(tables, api, resource, partitions)
        metadata[TABLE_NAME] = warehouse.qualified(api.table(resource))
        metadata[COLUMN_LINEAGE] = column_lineage(metadata[COLUMN_SCHEMA], api, contract)
        context.log_event(_endpoint_seen(api, resource, connection, metadata))
        return WindowLoaded(metadata, rows)


def _pipeline(api: Api, resource: str) -> str:
    """Return under which name dlt keeps the state of a resource, and the columns of its tables."""
    return f"{api.name}_{resource}"


def _of_table(
    tables: Tables,
    api: Api,
    contract: Contract,
    config: LoadConfig,
    load: Mapping[str, Any],
    partitions: Sequence[str],
) -> dict[str, Any]:
    """Clear the table of what is gone, and say what it holds."""
    resource, told = contract.resource, dict[str, Any]()
    if api.loads_row_by_row(resource) and tables.columns(api.table(resource)):
        told[ROWS_OF_LOAD] = tables.rows_of_loads(api.table(resource), loads_of(load))
    if config.drops_data:
        told |= drop(tables, api, resource, load, partitions)
    elif api.policy(resource).prune:
        told |= prune(tables, api, resource, load)
    return {**told, **table_metadata(tables, api, contract)}


def _source(
    api: Api,
    contract: Contract,
    config: LoadConfig,
    connection: Connection,
    partitions: Sequence[str],
) -> DltSource:
    """Make the source of one load: dagster-dlt changes the one that it runs."""
    resource, policy = contract.resource, api.policy(contract.resource)
    cursor, window = cursor_of(api, contract, config), None
    entries: dict[str, Any] = api.config_of(resource)
    if partitions:
        assert isinstance(policy.load, Partitioned), "else there are no partitions"
        window = time_window_of(policy.load, partitions)
        entries = with_params(entries, resource, window.params)
    cursors = {resource: cursor} if cursor else {}
    source = rest_api_source(
        *(entries, api.name, connection, {resource: contract}, cursors),
        # in one schema for all resources, loads at once would store columns over each other's
        schema=_pipeline(api, resource),
    )
    if config.begins_anew and not cursor:
        source.resources[resource].add_step(StateReset(), insert_at=1)
    if window:
        watch_window(source.resources[resource], str(policy.date_column), window)
    return source.with_resources(resource)


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
