"""The API of the benchmark as an `Api` of this project, and its warehouse."""

import os
from pathlib import Path

from analytics_assets.config.api import Api
from analytics_assets_tests.benchmarks.loaders.task import CLIENT_ID, CLIENT_SECRET, DATASET, Task
from analytics_assets_tests.benchmarks.server.pages import ROWS_PER_PAGE

OPENAPI = Path(__file__).with_name("openapi.json")


def own_api(task: Task) -> Api:
    """Return the `Api` of a task, contract included."""
    return Api(
        name="analytics",
        openapi=str(OPENAPI),
        config={
            "client": {
                "base_url": task.base_url,
                "auth": {
                    "type": "oauth2",
                    "client_id": CLIENT_ID,
                    "client_secret": CLIENT_SECRET,
                    "token_url": task.token_url,
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
        },
    )


def point_at_warehouse(task: Task) -> None:
    """Set the warehouse of a task in the environment, as a user would."""
    os.environ["DESTINATION__DUCKDB__CREDENTIALS"] = str(task.duckdb_file)
    os.environ["DATASET_NAME"] = DATASET
    os.environ["PIPELINES_DIR"] = str(task.workdir)
