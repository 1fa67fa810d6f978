"""The Dagster resource `dlt`: dagster-dlt's own, with the metadata of this project."""

from collections.abc import Mapping
from typing import Any

from dagster_dlt import DagsterDltResource
from dlt.common.pipeline import LoadInfo
from dlt.extract import DltResource
from dlt.pipeline.pipeline import Pipeline

from analytics_assets.orchestration.metadata import LOAD_ID, load_metadata


class DltLoader(DagsterDltResource):
    """Runs dlt pipelines for assets.

    dagster-dlt 0.29 takes its metadata out of the live dlt schema, which breaks a second run in the
    same process, and misnames the table; hence the override of its public method.
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
