"""Stock dlt as an asset of dagster-dlt, as its documentation shows it."""

from typing import Any

import dagster as dg
from dagster_dlt import DagsterDltResource, dlt_assets

from analytics_assets_tests.project.benchmarks.loaders.dagster_instance import QUIET, instance_in
from analytics_assets_tests.project.benchmarks.loaders.stages import (
    Stopwatch,
    print_stages,
    seconds_in,
)
from analytics_assets_tests.project.benchmarks.loaders.stock_dlt import pipeline_of, source_of
from analytics_assets_tests.project.benchmarks.loaders.task import read_task


def main() -> None:
    """Load the task of the command line."""
    task, watch = read_task(), Stopwatch()
    pipeline = pipeline_of(task)

    @dlt_assets(dlt_source=source_of(task), dlt_pipeline=pipeline)
    def resources(context: dg.AssetExecutionContext, dlt: DagsterDltResource) -> Any:
        yield from dlt.run(context=context, loader_file_format="parquet")

    definitions = dg.Definitions(assets=[resources], resources={"dlt": DagsterDltResource()})
    job = definitions.resolve_implicit_global_asset_job_def()
    with instance_in(task.workdir) as instance:
        watch.end("import")
        job.execute_in_process(instance=instance, run_config=QUIET)
    if task.stages:
        print_stages({**watch.seconds, **seconds_in(pipeline.last_trace)})


if __name__ == "__main__":
    main()
