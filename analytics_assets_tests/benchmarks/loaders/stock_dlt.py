"""dlt's own REST source as its documentation shows it, with no line of this project in between."""

from typing import Any

import dlt
from dlt.sources.rest_api import rest_api_source

from analytics_assets_tests.benchmarks.loaders.stages import Stopwatch, print_stages, seconds_in
from analytics_assets_tests.benchmarks.loaders.task import (
    CLIENT_ID,
    CLIENT_SECRET,
    DATASET,
    Task,
    read_task,
)
from analytics_assets_tests.benchmarks.server.pages import ROWS_PER_PAGE


def main() -> None:
    """Load the task of the command line."""
    task, watch = read_task(), Stopwatch()
    pipeline = dlt.pipeline(
        "stock",
        pipelines_dir=str(task.workdir),
        destination=dlt.destinations.duckdb(str(task.duckdb_file)),
        dataset_name=DATASET,
    )
    watch.end("import")
    # dlt 1.31 reads several resources at once by this argument, but not by their entries
    source = rest_api_source(config_of(task), name=DATASET, parallelized=task.resources > 1)
    # DuckDB reads parquet fast; dlt's default is INSERT statements
    pipeline.run(source, loader_file_format="parquet")
    if task.stages:
        print_stages({**watch.seconds, **seconds_in(pipeline.last_trace)})


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
        "resources": [
            {
                "name": name,
                "endpoint": {
                    "path": f"/v1/{name}",
                    "data_selector": "data",
                    "paginator": {
                        "type": "offset",
                        "limit": ROWS_PER_PAGE,
                        "total_path": "total",
                    },
                },
            }
            for name in task.names
        ],
    }


if __name__ == "__main__":
    main()
