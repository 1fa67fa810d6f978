"""The end of a command, whichever moment of its runs it comes at."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from threading import Event, Thread

import dagster as dg
import pytest

from analytics_assets.cli import run_under_way
from analytics_assets.cli.run_under_way import RunUnderWay
from analytics_assets_tests.support.loading import history_in

PATIENCE = 60.0  # seconds that a busy machine may take
Status = dg.DagsterRunStatus


@dg.job
def job() -> None:
    """A job whose runs are created, but not executed."""


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """An instance with its history on disk."""
    with history_in(tmp_path) as instance:
        yield instance


def status(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    run = instance.get_run_by_id(run_id)
    assert run
    return run.status


def start(instance: dg.DagsterInstance, run_id: str) -> None:
    """Record the start of a run, as Dagster does when it executes one."""
    event = dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, job.name)
    instance.report_dagster_event(event, run_id)


def test_a_run_that_the_command_has_begun_is_canceled_once_it_has_started(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_under_way, "GRACE", 2 * PATIENCE)
    under_way, looked = RunUnderWay(instance), Event()
    find = instance.get_run_by_id

    def found(run_id: str) -> dg.DagsterRun | None:
        run = find(run_id)
        looked.set()
        return run

    monkeypatch.setattr(instance, "get_run_by_id", found)
    begun = under_way.next_run()
    run_id = begun.__enter__()
    canceling = Thread(target=under_way.cancel, args=("The user ended it.",))
    canceling.start()
    begin = (
        partial(instance.create_run_for_job, job, run_id=run_id),
        partial(start, instance, run_id),
    )
    for step in begin:
        looked.clear()
        assert looked.wait(PATIENCE)
        step()
    canceling.join(PATIENCE)
    assert status(instance, run_id) is Status.CANCELED


@pytest.mark.parametrize("during", [True, False])
def test_no_run_follows_the_one_that_is_canceled(
    instance: dg.DagsterInstance, during: bool
) -> None:
    under_way, begun, canceled, followed = RunUnderWay(instance), Event(), Event(), Event()

    def run_all() -> None:
        if during:
            with under_way.next_run() as run_id:
                instance.create_run_for_job(job, run_id=run_id, status=Status.STARTED)
                begun.set()
                assert canceled.wait(PATIENCE)
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
