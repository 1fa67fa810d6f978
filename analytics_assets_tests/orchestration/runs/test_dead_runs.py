"""Dead runs: a killed run gives its place back, and one that lives is left alone."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.events import EngineEventData

from analytics_assets.defs.analytics.api import API
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.orchestration.runs.dead_runs import MACHINE_TAG, end_dead_runs, is_gone
from analytics_assets.orchestration.runs.machine import this_machine
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import ROOT
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.sandbox import Sandbox

JOB = ["-m", "dagster", "job", "execute", "-m", "analytics_assets.definitions"]
PATIENCE = 120  # seconds that a busy machine may take


@pytest.fixture
def home(clean_place: Path, warehouse: Warehouse) -> Mapping[str, str]:
    """The environment of a Dagster instance on disk, set up as shipped."""
    (clean_place / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text())
    return {**os.environ, "DAGSTER_HOME": str(clean_place)}


@pytest.fixture
def stuck(connected: Sandbox, home: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A run in a process of its own that holds a pool's place, waiting for a slow API."""
    connected.faults.add(Fault(path="/v1/page_views", times=None, delay=PATIENCE))
    run = subprocess.Popen(
        [sys.executable, *JOB, "-j", "analytics_cron_30_6_job"],
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
    """Count the places that are taken in the pool of the table."""
    pool = Warehouse.from_settings().pool("page_views")
    return len(instance.event_log_storage.get_concurrency_info(pool).claimed_slots)


def statuses(instance: dg.DagsterInstance) -> list[dg.DagsterRunStatus]:
    return [run.status for run in instance.get_runs()]


def test_a_killed_run_is_marked_as_failed_and_gives_its_place_back(
    stuck: subprocess.Popen[bytes], clean_place: Path
) -> None:
    with dg.DagsterInstance.from_config(str(clean_place)) as instance:
        assert end_dead_runs(instance) == []
        assert (statuses(instance), claimed(instance)) == ([dg.DagsterRunStatus.STARTED], 1)
        os.killpg(stuck.pid, signal.SIGKILL)
        stuck.wait()
        assert end_dead_runs(instance) == [run.run_id for run in instance.get_runs()]
        assert (statuses(instance), claimed(instance)) == ([dg.DagsterRunStatus.FAILURE], 0)


def test_a_run_of_another_machine_or_container_is_left_alone(
    stuck: subprocess.Popen[bytes], clean_place: Path
) -> None:
    with dg.DagsterInstance.from_config(str(clean_place)) as instance:
        (run,) = instance.get_runs()
        instance.add_run_tags(run.run_id, {MACHINE_TAG: "another machine"})
        os.killpg(stuck.pid, signal.SIGKILL)
        stuck.wait()
        assert end_dead_runs(instance) == []
        assert statuses(instance) == [dg.DagsterRunStatus.STARTED]


def test_a_run_of_checks_alone_says_where_it_is(
    warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    selection = dg.AssetSelection.checks_for_assets(asset_key(API.resources["page_views"]))
    jobs = dg.Definitions(jobs=[dg.define_asset_job("checks", selection)])
    job = dg.Definitions.merge(build_definitions(API), jobs).resolve_job_def("checks")
    job.execute_in_process(instance=instance)
    (run,) = instance.get_runs()
    assert run.tags[MACHINE_TAG] == this_machine()


@pytest.mark.parametrize(("tags", "ended"), [({}, 0), ({MACHINE_TAG: this_machine()}, 1)])
def test_a_run_that_has_not_said_where_it_is_is_left_alone(
    tags: Mapping[str, str], ended: int, clean_place: Path
) -> None:
    """Its number is free here, and may be that of a living process of another machine."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    job = build_definitions(API).resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.local_temp(str(clean_place)) as instance:
        run = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED, tags=tags)
        instance.report_engine_event(
            "Started process for run", run, EngineEventData.in_process(gone.pid)
        )
        assert len(end_dead_runs(instance)) == ended


def test_a_process_that_got_the_number_of_a_dead_one_does_not_keep_its_run_alive() -> None:
    assert not is_gone(os.getpid(), seen=datetime.now(UTC))
    assert is_gone(os.getpid(), seen=datetime.now(UTC) - timedelta(days=1000))


def test_the_sensor_is_on_from_the_start_and_says_what_it_ended(
    stuck: subprocess.Popen[bytes], clean_place: Path
) -> None:
    sensor = build_definitions(API).resolve_sensor_def("analytics_dead_runs")
    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
    with dg.DagsterInstance.from_config(str(clean_place)) as instance:
        context = dg.build_sensor_context(instance=instance)
        assert sensor.evaluate_tick(context).skip_message == "No run is dead."
        os.killpg(stuck.pid, signal.SIGKILL)
        stuck.wait()
        (run,) = instance.get_runs()
        assert sensor.evaluate_tick(context).skip_message == f"Ended {run.run_id}."


def test_the_command_line_says_for_which_run_it_waits_and_goes_on_when_that_one_dies(
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
    assert waiting == f"Waiting for run {run.run_id}, which loads into the same place ...\n"
    os.killpg(stuck.pid, signal.SIGKILL)
    stuck.wait()
    said, _ = command.communicate(timeout=PATIENCE)
    assert command.returncode == 0, said
