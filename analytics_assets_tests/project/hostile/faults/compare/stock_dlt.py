"""The same resource loaded by stock dlt, with no line of this project in between."""

import os
from collections.abc import Mapping
from typing import Any

import dlt
from dlt.sources.rest_api import rest_api_source

from analytics_assets_tests.project.hostile.faults.case import RESOURCE, visits_api
from analytics_assets_tests.project.hostile.faults.targets import Table


class StockTable(Table):
    """A table that stock dlt loads."""

    def load(self, columns: Mapping[str, Any]) -> str | None:
        """Load the resource; return why that failed, None if it did not."""
        return load_stock(columns)


def load_stock(columns: Mapping[str, Any]) -> str | None:
    """Load the resource into the environment's warehouse; return why that failed, or None."""
    config: Any = {
        "client": {
            "base_url": os.environ["BASE_URL"],
            "auth": {
                # stock dlt does not know the type `oauth2`
                "type": "oauth2_client_credentials",
                "access_token_url": os.environ["TOKEN_URL"],
                "client_id": os.environ["CLIENT_ID"],
                "client_secret": os.environ["CLIENT_SECRET"],
            },
        },
        "resource_defaults": {"primary_key": "id", "write_disposition": "merge"},
        "resources": [visits_api(columns).resources[RESOURCE].entry],
    }
    pipeline = dlt.pipeline(
        "stock",
        pipelines_dir=os.environ["PIPELINES_DIR"],
        destination=dlt.destinations.duckdb(os.environ["DESTINATION__DUCKDB__CREDENTIALS"]),
        dataset_name="analytics",
    )
    try:
        pipeline.run(rest_api_source(config, name="analytics"))
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None
