"""The Dagster resource `dlt`: dagster-dlt's own, with the metadata of this project."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

import dagster as dg
from dagster_dlt import DagsterDltResource
from dlt.common.pipeline import LoadInfo
from dlt.extract import DltResource
from dlt.pipeline.pipeline import Pipeline

from analytics_assets.orchestration.compat import history_kept_open, import_arrow
from analytics_assets.orchestration.metadata.load import load_metadata
from analytics_assets.orchestration.metadata.names import LOAD_ID, NO_LOAD_ID


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
