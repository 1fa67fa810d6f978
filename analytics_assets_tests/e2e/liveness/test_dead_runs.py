"""A killed run frees its slot of the pool, and a living one keeps it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import dagster as dg
import pytest

from analytics_assets.defs.analytics.api import API
from analytics_assets.orchestration.automation.housekeeping import (
    NOTHING_TO_DO,
    build_housekeeping_sensor,
)
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import ROOT
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.sandbox import Sandbox

JOB = ["-m", "dagster", "job", "execute", "-m", "analytics_assets.definitions"]
PATIENCE = 600  # seconds that a busy machine may take


@pytest.fixture
def home(clean_place: Path, warehouse: Warehouse) -> Mapping[str, str]:
    """The environment of a Dagster instance on disk, set up as shipped."""
    (clean_place / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text())
    return {**os.environ, "DAGSTER_HOME": str(clean_place)}


@pytest.fixture
def stuck(connected: Sandbox, home: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A run in a process of its own that holds a slot of a pool, and waits for a slow API."""
    connected.faults.add(Fault(path="/v1/page_views", times=None, delay=PATIENCE))
    run = subprocess.Popen(
        [sys.executable, *JOB, "-j", "analytics_daily_2"],
        env={**os.environ, **home},
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + PATIENCE
    while not any(record.path == "/v1/page_views" for record in connected.requests):
        assert time.monotonic() < deadline
        assert run.poll() is None
        time.sleep(0.05)
    yield run
    if run.poll() is None:
        os.killpg(run.pid, signal.SIGKILL)
    run.wait()


def claimed(instance: dg.DagsterInstance) -> int:
    """Count the claimed slots in the pool of the table."""
    pool = Warehouse.from_settings("analytics").pool("page_views")
    return len(instance.event_log_storage.get_concurrency_info(pool).claimed_slots)


def statuses(instance: dg.DagsterInstance) -> list[dg.DagsterRunStatus]:
    return [run.status for run in instance.get_runs()]


def test_the_sensor_fails_a_killed_run_and_frees_its_slot(
    stuck: subprocess.Popen[bytes], clean_place: Path
) -> None:
    sensor = build_housekeeping_sensor([API])
    with dg.DagsterInstance.from_config(str(clean_place)) as instance:
        context = dg.build_sensor_context(instance=instance)
        assert sensor.evaluate_tick(context).skip_message == NOTHING_TO_DO
        assert (statuses(instance), claimed(instance)) == ([dg.DagsterRunStatus.STARTED], 1)

        os.killpg(stuck.pid, signal.SIGKILL)
        stuck.wait()

        (run,) = instance.get_runs()
        assert (
            sensor.evaluate_tick(context).skip_message == f"Ended run {run.run_id}, which was dead."
        )
        assert (statuses(instance), claimed(instance)) == ([dg.DagsterRunStatus.FAILURE], 0)


def test_the_command_line_names_the_run_it_waits_for_and_loads_once_that_one_is_dead(
    stuck: subprocess.Popen[bytes],
    connected: Sandbox,
    home: Mapping[str, str],
    clean_place: Path,
) -> None:
    connected.faults.clear()
    with dg.DagsterInstance.from_config(str(clean_place)) as instance:
        (run,) = instance.get_runs()
    command = subprocess.Popen(
        [sys.executable, "-m", "analytics_assets.cli.main", "materialize", "page_views"],
        env=home,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert command.stdout
    waiting = next(line for line in command.stdout if "Waiting" in line)
    assert waiting == (
        f"Waiting for run {run.run_id}, which loads into the same place; for up to 1 h "
        "(setting `lock_patience`) ...\n"
    )
    os.killpg(stuck.pid, signal.SIGKILL)
    stuck.wait()
    output, _ = command.communicate(timeout=PATIENCE)
    assert command.returncode == 0, output
