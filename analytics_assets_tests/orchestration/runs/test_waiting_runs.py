"""Waiting runs: told whose end they wait for, and told once."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.remote_origin import GrpcServerCodeLocationOrigin, RemoteRepositoryOrigin

from analytics_assets.defs.analytics.api import API
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets.orchestration.runs.waiting_runs import tell_waiting_runs
from analytics_assets_tests.conftest import ROOT

POOL = "one_table"


@dg.op(pool=POOL)
def load() -> None:
    """A step that takes a place in the pool."""


@dg.job
def loading() -> None:
    """A run that takes a place in the pool."""
    load()


@pytest.fixture
def instance(clean_place: Path) -> Iterator[dg.DagsterInstance]:
    """A Dagster instance set up as shipped."""
    (clean_place / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text())
    with dg.DagsterInstance.from_config(str(clean_place)) as on_disk:
        yield on_disk


def run_of(instance: dg.DagsterInstance, status: dg.DagsterRunStatus) -> dg.DagsterRun:
    server = GrpcServerCodeLocationOrigin(host="127.0.0.1", port=1, location_name="tests")
    job = RemoteRepositoryOrigin(server, "__repository__").get_job_origin("loading")
    return instance.create_run_for_job(loading, status=status, remote_job_origin=job)


def claim(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Ask for the place in the pool, which nobody has set up."""
    storage = instance.event_log_storage
    if not storage.get_concurrency_info(POOL).slot_count:
        storage.initialize_concurrency_limit_to_default(POOL)
    claimed: bool = storage.claim_concurrency_slot(POOL, run.run_id, "load").is_claimed
    return claimed


def lines(instance: dg.DagsterInstance, run: dg.DagsterRun) -> Sequence[str]:
    messages = [entry.message for entry in instance.all_logs(run.run_id)]
    return [message for message in messages if message.startswith("Waiting")]


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTED])
def test_a_run_that_waits_is_told_once_which_run_holds_the_place(
    instance: dg.DagsterInstance, status: dg.DagsterRunStatus
) -> None:
    holder = run_of(instance, dg.DagsterRunStatus.STARTED)
    assert claim(instance, holder)
    waiting = run_of(instance, status)
    if status == dg.DagsterRunStatus.STARTED:
        assert not claim(instance, waiting)
    assert tell_waiting_runs(instance) == [waiting.run_id]
    assert tell_waiting_runs(instance) == []
    assert lines(instance, holder) == []
    assert lines(instance, waiting) == [
        f"Waiting for run {holder.run_id}, which holds the pool {POOL}."
    ]


def test_nobody_is_told_where_nobody_waits(instance: dg.DagsterInstance) -> None:
    assert claim(instance, run_of(instance, dg.DagsterRunStatus.STARTED))
    run_of(instance, dg.DagsterRunStatus.STARTED)
    assert tell_waiting_runs(instance) == []


def test_the_sensor_is_on_from_the_start(instance: dg.DagsterInstance) -> None:
    sensor = build_definitions(API).resolve_sensor_def("analytics_waiting_runs")
    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
    context = dg.build_sensor_context(instance=instance)
    assert sensor.evaluate_tick(context).skip_message == "No run waits."
    assert claim(instance, run_of(instance, dg.DagsterRunStatus.STARTED))
    waiting = run_of(instance, dg.DagsterRunStatus.QUEUED)
    assert sensor.evaluate_tick(context).skip_message == f"Told {waiting.run_id}."
