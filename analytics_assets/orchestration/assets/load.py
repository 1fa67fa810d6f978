"""The load of one asset: read the resource, merge the rows, and describe the outcome."""

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import dagster as dg
from dagster_dlt import DagsterDltTranslator

from analytics_assets.contract.resource import Resource
from analytics_assets.extract.http.connection import connect
from analytics_assets.orchestration.assets.deletion import delete_rows
from analytics_assets.orchestration.assets.dlt_resource import DltLoader, source_of
from analytics_assets.orchestration.assets.dropped import (
    dropped_metadata,
    dropped_observed,
    forget_noted,
)
from analytics_assets.orchestration.assets.errors import failure_of
from analytics_assets.orchestration.assets.nothing_loaded import refuse_nothing_loaded
from analytics_assets.orchestration.assets.observation import (
    failed_observation,
    observation_of_load,
    report_reachable,
)
from analytics_assets.orchestration.assets.rejections import settle_rejected_rows
from analytics_assets.orchestration.assets.run_config import LoadConfig
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.orchestration.metadata.asset_page import page_metadata
from analytics_assets.orchestration.metadata.load import load_ids
from analytics_assets.orchestration.metadata.materialization import LoadOutcome, without_secrets
from analytics_assets.orchestration.metadata.names import (
    COLUMN_SCHEMA,
    DELETED_KEYS,
    DROPPED,
    DROPPED_SINCE,
    DURATION,
    FORMER_CONFIGURATION,
    LAST_ROWS,
    LAST_SECONDS,
    ROW_COUNT,
    ROWS_LOADED,
    TABLE_NAME,
)
from analytics_assets.orchestration.metadata.table import column_metadata, table_metadata
from analytics_assets.orchestration.metadata.table_schema import column_lineage
from analytics_assets.orchestration.metadata.traffic import traffic_metadata
from analytics_assets.orchestration.partitions.former_configuration import (
    as_note,
    configurations,
    describe,
    former_configurations,
)
from analytics_assets.orchestration.partitions.lost import rows_elsewhere
from analytics_assets.orchestration.partitions.notes import note_loaded
from analytics_assets.orchestration.partitions.row_counts import row_counts
from analytics_assets.orchestration.partitions.selection import selected_partitions
from analytics_assets.orchestration.runs.check_results import last_results_kept
from analytics_assets.orchestration.runs.liveness.dead_runs import refuse_ended_run
from analytics_assets.orchestration.runs.liveness.lease import Lease, executing
from analytics_assets.orchestration.runs.liveness.time_limit import TimeLimit
from analytics_assets.orchestration.runs.materializations import newest_metadata
from analytics_assets.orchestration.runs.progress import (
    LoadProgress,
    StageLog,
    log_columns,
    log_source,
    log_table,
    logged,
    show,
)
from analytics_assets.orchestration.runs.tags import range_name
from analytics_assets.redaction.errors import errors_redacted, redacted
from analytics_assets.warehouse.evolution.comparison import compare
from analytics_assets.warehouse.evolution.indexes import create_indexes
from analytics_assets.warehouse.pipeline import LoadingPipeline
from analytics_assets.warehouse.queries.tables import open_tables
from analytics_assets.warehouse.warehouse import Warehouse


@dataclass(frozen=True)
class LoadStep:
    """The step of a run that executes a load.

    Args:
        context: that of the op.
        dlt: runs the pipeline.
        config: the config of the run.
        lease: says that the process of the step lives.
    """

    context: dg.AssetExecutionContext
    dlt: DltLoader
    config: LoadConfig
    lease: Lease


@dataclass(frozen=True)
class AssetLoad:
    """The load of a resource's asset, as its op runs it.

    Args:
        resource: the resource.
        warehouse: the warehouse of its table.
        translator: names the asset of the resource.
        checks: the checks that run after the load.
    """

    resource: Resource
    warehouse: Warehouse
    translator: DagsterDltTranslator
    checks: Sequence[dg.AssetCheckKey]

    @errors_redacted()
    def run(
        self, context: dg.AssetExecutionContext, dlt: DltLoader, config: LoadConfig
    ) -> dg.MaterializeResult[Any]:
        """Read the resource, or the partitions of the run, and merge the rows into its table.

        Args:
            context: the run.
            dlt: runs the pipeline.
            config: the config of the run.

        Returns:
            The materialization, with metadata of the load and of the table.

        Raises:
            dagster.Failure: an error that the user can correct; its description has the remedy.
        """
        instance, run_id = context.instance, context.run.run_id
        with executing(context) as lease, last_results_kept(instance, run_id, self.checks):
            return self._run(LoadStep(context, dlt, config, lease))

    def _run(self, step: LoadStep) -> dg.MaterializeResult[Any]:
        context, resource, partitions = step.context, self.resource, tuple[str, ...]()
        try:
            partitions = tuple(selected_partitions(context, resource))
            step.config.validate_for(resource)
            client = resource.api.config["client"]
            with closing(connect(client, resource.api_name, resource=resource.name)) as connection:
                progress = LoadProgress(resource, connection, partitions)
                show(progress)
                log_source(progress, context.log)
                with logged(progress, context.log):
                    load = self._observed(step, progress)
            refuse_nothing_loaded(load.metadata, resource.policy)
        except Exception as error:
            failure = failure_of(error, resource, partitions)
            if failure is None:
                raise
            raise failure from redacted(error)
        return _result(context, resource, load)

    def _observed(self, step: LoadStep, progress: LoadProgress) -> LoadOutcome:
        """Load, and record the state in which the load has found the endpoint."""
        context, connection = step.context, progress.connection
        before = replace(connection.traffic)
        try:
            load = self._load(step, progress)
        except Exception as error:
            if seen := failed_observation(self.resource, connection, before, error):
                context.log_event(seen)
            raise
        context.log_event(observation_of_load(self.resource, connection, before, load.metadata))
        report_reachable(context.instance, self.resource, "A load")
        return load

    def _load(self, step: LoadStep, progress: LoadProgress) -> LoadOutcome:
        context, config = step.context, step.config
        resource, partitions = self.resource, progress.partitions
        connection, traffic = progress.connection, replace(progress.connection.traffic)
        place = self.warehouse.qualified(resource.table)
        limit = TimeLimit(resource.policy.max_runtime)
        loading = self.warehouse.loading(
            resource.pipeline_name,
            len(resource.contract.columns),
            table=resource.table,
            run=context.run.run_id,
            log=context.log,
            waiting=progress.wait_for,
            allowed=partial(_begin_to_write, step, resource, limit),
        )
        with loading as pipeline, dropped_observed(context, resource, pipeline):
            began = time.monotonic()  # after a wait for the table
            refuse_ended_run(context.instance, context.run.run_id)
            with open_tables(pipeline) as tables:
                compared = compare(tables, resource, resource.contract)
                known = configurations(
                    tables, resource, datetime.now(UTC), forget=config.forgets_configurations
                )
            pipeline.notes = as_note(known)
            log_columns(progress, compared, context.log)
            source = source_of(progress, compared.contract, config)
            pipeline.collector = StageLog(progress, place, context.log)
            with limit, step.lease.watched(limit.end):
                [result] = step.dlt.run(
                    context,
                    dlt_source=source,
                    dlt_pipeline=pipeline,
                    dagster_dlt_translator=self.translator,
                    loader_file_format=self.warehouse.loader_file_format,
                )
            metadata = {**(result.metadata or {}), **traffic_metadata(connection, traffic)}
            metadata |= dropped_metadata(
                *(context.instance, resource, config.begins_anew, partitions),
                *(pipeline.dropped, metadata),
            )
            if DROPPED_SINCE in metadata:
                context.log.warning(metadata[DROPPED])
            with open_tables(pipeline) as tables:
                metadata |= delete_rows(tables, resource, config, metadata, partitions)
                settle_rejected_rows(tables, resource, compared.contract, metadata, context.log)
                metadata.pop(DELETED_KEYS, None)
                metadata |= table_metadata(tables, resource, metadata.get(ROW_COUNT))
                rows, brought = metadata[ROW_COUNT], metadata[ROWS_LOADED]
                create_indexes(tables, resource, rows, brought, context.log)
                metadata |= column_metadata(tables, resource, compared)
                metadata[DURATION] = round(time.monotonic() - began, 2)
                before = newest_metadata(context.instance, asset_key(resource))
                embedded = connection.settings.embedded
                page = page_metadata(
                    tables, resource, metadata, before, embedded=embedded, log=context.log
                )
                loaded = row_counts(tables, resource, partitions, load_ids(metadata))
                stored = row_counts(tables, resource, partitions)
                note_loaded(context.instance, tables, resource, metadata, stored, context.log)
                if former := former_configurations(tables, resource, known):
                    metadata[FORMER_CONFIGURATION] = describe(resource, former)
                    context.log.warning(metadata[FORMER_CONFIGURATION])
        metadata |= rows_elsewhere(context.instance, resource, before, metadata, stored)
        rows = [(key, loaded[key], stored[key]) for key in partitions]
        metadata |= {name: page.pop(name) for name in (LAST_ROWS, LAST_SECONDS)}
        metadata[TABLE_NAME] = place
        log_table(progress, metadata, context.log)
        columns = column_lineage(metadata[COLUMN_SCHEMA], resource)
        window = range_name(partitions) if len(partitions) > 1 else None
        return LoadOutcome(without_secrets(metadata), columns, page, rows, window)


def _begin_to_write(
    step: LoadStep, resource: Resource, limit: TimeLimit, pipeline: LoadingPipeline
) -> None:
    """End the time limit, whose interruption would leave open whether the table has changed.

    The notes of loaded partitions end with what somebody has dropped.

    Raises:
        RunEndedError: the run was ended while its process was stopped, or its machine asleep.
        LeaseLostError: so was the step.
    """
    limit.lift()
    refuse_ended_run(step.context.instance, step.context.run.run_id)
    step.lease.refuse_lost()
    forget_noted(resource, pipeline)


def _result(
    context: dg.AssetExecutionContext, resource: Resource, load: LoadOutcome
) -> dg.MaterializeResult[Any]:
    """Return the materialization; of partitions, each with its own rows."""
    key = asset_key(resource)
    if not load.rows:  # metadata of a result stands in the event of the output, too
        context.add_asset_metadata(load.of_table(), key)
    for partition, metadata in load.of_partitions().items():
        context.add_asset_metadata(metadata, key, partition)
    return dg.MaterializeResult(key)
