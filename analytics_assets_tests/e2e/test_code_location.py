"""Dagster in processes of its own: it finds the definitions, and runs their jobs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from analytics_assets.defs.analytics.api import API
from analytics_assets.sandbox import sandbox_rows
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import ROOT, TODAY
from analytics_assets_tests.support.loading import api_rows, partition_tags, table_rows

JOB_BY_DAY = "analytics_daily_partitions"


@pytest.mark.parametrize(
    "arguments", [[], ["-w", "workspace.yaml"]], ids=["pyproject", "workspace"]
)
def test_dagster_finds_the_definitions(arguments: list[str], clean_place: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dagster", "definitions", "validate", *arguments],
        cwd=ROOT,
        env={**os.environ, "DAGSTER_HOME": str(clean_place)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    assert "Validation successful for code location analytics_assets" in done.stderr + done.stdout


def test_all_resources_are_loaded_in_one_process_on_postgres(
    clean_place: Path, postgres_warehouse: Warehouse
) -> None:
    (clean_place / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text())
    resources = ("website_overview", "traffic_sources")
    job = ["job", "execute", "-m", "analytics_assets.definitions", "--tags"]
    job += [json.dumps(partition_tags(API, resources)), "-j", JOB_BY_DAY]
    done = subprocess.run(
        [sys.executable, "-m", "dagster", *job],
        env={**os.environ, "DAGSTER_HOME": str(clean_place)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    with dg.DagsterInstance.from_config(str(clean_place)) as instance:
        [run] = instance.get_runs()
        messages = [entry.message for entry in instance.all_logs(run.run_id)]
    assert len([each for each in messages if each.startswith("Executing steps in threads")]) == 1
    assert not [each for each in messages if each.startswith("Launching subprocess")]
    for resource in resources:
        assert table_rows(postgres_warehouse, resource) == api_rows(sandbox_rows(resource, TODAY))
