"""Imports of a process: packages that take long are imported by those who need them."""

import json
import subprocess
import sys

import pytest

SOURCE = """
import json, sys
from analytics_assets import rest_api_source
from analytics_assets.warehouse.warehouse import Warehouse

rest_api_source(
    {
        "client": {
            "base_url": "http://127.0.0.1:9",
            "auth": {
                "type": "oauth2",
                "client_id": "a",
                "client_secret": "b",
                "token_url": "http://127.0.0.1:9/token",
            },
        },
        "resources": [{"name": "orders", "endpoint": {"paginator": {"type": "page_number"}}}],
    },
    "shop",
)
Warehouse.from_settings("shop").pipeline("shop")
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""
# Dagster and what it needs; the driver of one warehouse; what only pages of rows need
NOT_NEEDED = {
    *("alembic", "click", "dagster", "dagster_dlt", "psutil", "pydantic", "rich", "sqlalchemy"),
    *("adbc_driver_manager", "duckdb", "psycopg2", "starlette", "uvicorn"),
    *("numpy", "pandas", "pyarrow"),
}


@pytest.mark.usefixtures("clean_place")
def test_a_source_and_its_pipeline_import_what_they_need() -> None:
    done = subprocess.run([sys.executable, "-c", SOURCE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert NOT_NEEDED & {*json.loads(done.stdout)} == set()
