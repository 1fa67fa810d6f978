"""The API of a measured project: many small resources. A project has it as `defs/scale/api.py`.

It uses what this checkout and an older one have in common, and reads its size from the environment.
"""

import json
import os
from datetime import date
from typing import Any

import dagster as dg

from analytics_assets import Api, Partitioned, build_definitions

SIZE = "SCALE"  # the environment variable
size: dict[str, Any] = {"url": "http://127.0.0.1", "resources": 1, **json.loads(os.environ[SIZE])}
names = [f"resource_{number}" for number in range(size["resources"])]

API = Api(
    name="scale",
    file=__file__,
    openapi=size.get("openapi"),
    config={
        "client": {"base_url": size["url"]},
        "resource_defaults": {"primary_key": "id", "write_disposition": "merge"},
        "resources": [
            {
                "name": name,
                "endpoint": {
                    "path": f"v1/{name}",
                    "data_selector": "data",
                    "paginator": {"type": "offset", "limit": 1000, "total_path": "total"},
                },
            }
            for name in names
        ],
    },
    default_policy={
        "newest": {"params": {"limit": 1}, "field": "updated_at"},
        "load": Partitioned(
            start=date.fromisoformat(size["start"]), longest_window=size["days"], lookback=3
        ),
    }
    if "days" in size
    else {"newest": {"params": {"limit": 1}, "field": "updated_at"}},
)


@dg.definitions
def definitions() -> dg.Definitions:
    """Dagster's definitions of the API."""
    return build_definitions(API)
