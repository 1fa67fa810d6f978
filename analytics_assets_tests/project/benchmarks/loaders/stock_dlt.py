"""dlt's own REST source as its documentation shows it, with no line of this project in between."""

from typing import Any

import dlt
from dlt.extract import DltSource
from dlt.sources.rest_api import rest_api_source

from analytics_assets_tests.project.benchmarks.loaders.endpoint import entries
from analytics_assets_tests.project.benchmarks.loaders.stages import (
    Stopwatch,
    print_stages,
    seconds_in,
)
from analytics_assets_tests.project.benchmarks.loaders.task import (
    CLIENT_ID,
    CLIENT_SECRET,
    DATASET,
    Task,
    read_task,
)


def main() -> None:
    """Load the task of the command line."""
    task, watch = read_task(), Stopwatch()
    pipeline = pipeline_of(task)
    watch.end("import")
    # DuckDB reads parquet fast; dlt's default is INSERT statements
    pipeline.run(source_of(task), loader_file_format="parquet")
    if task.stages:
        print_stages({**watch.seconds, **seconds_in(pipeline.last_trace)})


def pipeline_of(task: Task) -> dlt.Pipeline:
    """Return the pipeline into the file of a task."""
    return dlt.pipeline(
        "stock",
        pipelines_dir=str(task.workdir),
        destination=dlt.destinations.duckdb(str(task.duckdb_file)),
        dataset_name=DATASET,
    )


def source_of(task: Task) -> DltSource:
    """Return the source of a task, which reads several resources at once."""
    # dlt 1.31 takes this argument, but not the one of the same name in entries
    return rest_api_source(config_of(task), name=DATASET, parallelized=task.resources > 1)


def config_of(task: Task) -> Any:
    """Return the same resources in stock dlt's configuration."""
    return {
        "client": {
            "base_url": task.base_url,
            "auth": {
                "type": "oauth2_client_credentials",
                "access_token_url": task.token_url,
                "client_id": CLIENT_ID,
                "client_secret": CLIENT_SECRET,
            },
        },
        "resource_defaults": {"primary_key": "id", "write_disposition": "merge"},
        "resources": entries(task.names, task.paging),
    }


if __name__ == "__main__":
    main()
