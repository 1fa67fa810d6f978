"""The API of the benchmark as an `Api` of this project, and its warehouse."""

import json
import os
from pathlib import Path

from analytics_assets.config.api import Api
from analytics_assets_tests.project.benchmarks.loaders.endpoint import entries
from analytics_assets_tests.project.benchmarks.loaders.task import (
    CLIENT_ID,
    CLIENT_SECRET,
    DATASET,
    FULL,
    OLDER,
    Task,
)

NEW_FIELD = "is_returning"  # unknown to the older contract
OPENAPI = Path(__file__).with_name("openapi.json")


def own_api(task: Task) -> Api:
    """Return the `Api` of a task, with the contract of its rows if it has one."""
    return Api(
        name="analytics",
        openapi=_document(task),
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
            "resources": entries(task.names, task.paging),
        },
    )


def _document(task: Task) -> str | None:
    if task.contract != OLDER:
        return str(OPENAPI) if task.contract == FULL else None
    document = json.loads(OPENAPI.read_text(encoding="utf-8"))
    event = document["components"]["schemas"]["Event"]
    del event["properties"][NEW_FIELD], event["additionalProperties"]
    event["required"].remove(NEW_FIELD)
    older = task.workdir / "openapi.json"
    older.write_text(json.dumps(document), encoding="utf-8")
    return str(older)


def point_at_warehouse(task: Task) -> None:
    """Set the warehouse of a task in the environment, as a user would."""
    os.environ["DESTINATION__DUCKDB__CREDENTIALS"] = str(task.duckdb_file)
    os.environ["DATASET_NAME"] = DATASET
    os.environ["PIPELINES_DIR"] = str(task.workdir)
