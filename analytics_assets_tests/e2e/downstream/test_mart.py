"""The example of a mart in a process of Dagster: one step at a time on DuckDB, else several."""

import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import ROOT

SELECTION = (
    'key:"analytics/page_views" or key:"analytics/daily_active_users" '
    'or key:"example_mart/daily_traffic"'
)


def test_the_mart_is_made_after_its_tables_in_a_process_of_dagster(
    clean_place: Path, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATASET_NAME")
    (clean_place / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text())
    command = ["asset", "materialize", "-m", "analytics_assets.definitions", "--select", SELECTION]
    done = subprocess.run(
        [sys.executable, "-m", "dagster", *command],
        env={**os.environ, "DAGSTER_HOME": str(clean_place)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with dg.DagsterInstance.from_config(str(clean_place)) as instance:
        [run] = instance.get_runs()
        messages = [entry.message for entry in instance.all_logs(run.run_id)]
    one_by_one = any("in threads of a process, 1 at a time" in message for message in messages)
    assert one_by_one == warehouse.is_duckdb
    [(made, loaded)] = Warehouse.from_settings("example_mart").query(
        "SELECT (SELECT CAST(sum(page_views) AS BIGINT) FROM example_mart.daily_traffic), "
        "(SELECT CAST(sum(page_views) AS BIGINT) FROM analytics.page_views)"
    )
    assert made == loaded > 0
