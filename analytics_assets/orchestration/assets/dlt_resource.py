"""The Dagster resource `dlt`, dagster-dlt's own with other metadata; and the source of a load."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

import dagster as dg
from dagster_dlt import DagsterDltResource
from dlt.common.pipeline import LoadInfo
from dlt.extract import DltResource, DltSource
from dlt.pipeline.pipeline import Pipeline

from analytics_assets.config.load import Partitioned
from analytics_assets.contract.contract import Contract
from analytics_assets.extract.incremental.cursor import StateReset
from analytics_assets.extract.incremental.request_params import with_params
from analytics_assets.extract.incremental.window_check import WindowCheck
from analytics_assets.extract.source import rest_api_source
from analytics_assets.orchestration.assets.run_config import LoadConfig, cursor_of
from analytics_assets.orchestration.compat import history_kept_open, import_arrow
from analytics_assets.orchestration.metadata.load import load_metadata
from analytics_assets.orchestration.metadata.names import LOAD_ID, NO_LOAD_ID
from analytics_assets.orchestration.partitions.definition import time_window_of, window_parts
from analytics_assets.orchestration.runs.progress import LoadProgress


class DltLoader(DagsterDltResource):
    """Runs the dlt pipelines that load the tables.

    It has no configuration: the settings of APIs and warehouse are read in each run, from the
    environment and `.dlt/secrets.toml`.
    """

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Generator[Any, None, None]:
        """Keep the files of Dagster's history open while a process runs assets."""
        import_arrow()
        with history_kept_open(context.instance) if context.instance else nullcontext():
            yield self

    def extract_resource_metadata(
        self,
        context: Any,
        resource: DltResource,
        load_info: LoadInfo,
        dlt_pipeline: Pipeline,
    ) -> Mapping[str, Any]:
        """Return the metadata that comes from the load alone.

        dagster-dlt 0.29 takes its own out of the live dlt schema, which breaks a second run in the
        same process, and misnames the table.
        """
        trace = dlt_pipeline.last_trace
        assert trace is not None, "a pipeline that has loaded has a trace"
        return {
            **load_metadata(trace, resource.name, str(resource.table_name)),
            LOAD_ID: ", ".join(load_info.loads_ids) or NO_LOAD_ID,
        }


def source_of(progress: LoadProgress, contract: Contract, config: LoadConfig) -> DltSource:
    """Return the source of one load; a new one each time, as dagster-dlt changes its source.

    Args:
        progress: the load, with its resource, partitions and connection.
        contract: the contract of the resource, as its table can hold it.
        config: the config of the run.
    """
    resource, partitions = progress.resource, progress.partitions
    name, load = resource.name, resource.policy.load
    cursor, window, halved = cursor_of(resource, config), None, None
    entries: dict[str, Any] = dict(resource.config)
    if isinstance(load, Partitioned):
        window = time_window_of(load, partitions)
        entries = with_params(entries, name, window.params)
        halved = window_parts(resource, partitions)
    source = rest_api_source(
        entries,
        resource.api_name,
        progress.connection,
        {name: contract},
        {name: cursor} if cursor else {},
        # with one schema for all resources, concurrent loads would overwrite each other's columns
        schema=resource.pipeline_name,
        absent=resource.absent,
        windows={name: halved} if halved else {},
    )
    if config.begins_anew and not cursor:
        source.resources[name].add_step(StateReset(), insert_at=1)
    if window:
        check = WindowCheck(name, str(resource.policy.date_column), window)
        source.resources[name].add_step(check)
    return source.with_resources(name)
