"""The end of a command, whichever moment of its runs it comes at."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import dagster as dg
import pytest

from analytics_assets.cli import run_under_way
from analytics_assets.cli.run_under_way import RunUnderWay
from analytics_assets_tests.support.loading import history_in

PATIENCE = 60  # seconds that a busy machine may take
Status = dg.DagsterRunStatus


@dg.job
def job() -> None:
    """A job whose runs are created, but not executed."""


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """An instance with its history on disk."""
    with history_in(tmp_path) as instance:
        yield instance


def start(instance: dg.DagsterInstance, run_id: str) -> None:
    """Record the start of a run, as Dagster does when it executes one."""
    event = dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, job.name)
    instance.report_dagster_event(event, run_id)


def fail(instance: dg.DagsterInstance, run_id: str) -> None:
    """Record the failure of a run, as Dagster does when a step of it fails."""
    event = dg.DagsterEvent(dg.DagsterEventType.RUN_FAILURE.value, job.name)
    instance.report_dagster_event(event, run_id)


def test_a_run_is_canceled_though_its_thread_records_it_and_its_start_meanwhile(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_under_way, "GRACE", 2 * PATIENCE)
    under_way, find = RunUnderWay(instance), instance.get_run_by_id
    begun = under_way.next_run()
    run_id = begun.__enter__()
    looks = iter(range(PATIENCE))

    def found(run_id: str) -> dg.DagsterRun | None:
        look = next(looks)
        if look == 1:
            instance.create_run_for_job(job, run_id=run_id)
        elif look == 2:  # the run is canceled before it has started
            start(instance, run_id)
        return find(run_id)

    monkeypatch.setattr(instance, "get_run_by_id", found)
    under_way.cancel("The user ended it.")
    run = find(run_id)
    assert run
    assert run.status is Status.CANCELED


@pytest.mark.parametrize("during", [True, False])
def test_a_canceled_run_stays_so_and_no_other_one_follows(
    instance: dg.DagsterInstance, during: bool
) -> None:
    under_way, begun, canceled, followed = RunUnderWay(instance), Event(), Event(), Event()

    def run_all() -> None:
        if during:
            with under_way.next_run() as run_id:
                instance.create_run_for_job(job, run_id=run_id, status=Status.STARTED)
                begun.set()
                assert canceled.wait(PATIENCE)
                instance.report_engine_event("A step has failed", run_id=run_id, job_name=job.name)
                fail(instance, run_id)
        else:
            begun.set()
            assert canceled.wait(PATIENCE)
            with under_way.next_run():
                pass
        followed.set()

    Thread(target=run_all, daemon=True).start()
    assert begun.wait(PATIENCE)
    under_way.cancel("The user ended it.")
    canceled.set()
    assert not followed.wait(0.3)
    assert [run.status for run in instance.get_runs()] == [Status.CANCELED] * during
