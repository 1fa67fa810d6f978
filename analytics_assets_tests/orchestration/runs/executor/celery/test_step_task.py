"""The task of a worker: it executes each step once, and ends with the signal to."""

import os
import signal
from threading import Thread
from typing import Any

import dagster as dg
import pytest
from celery.app.task import Context
from celery.result import AsyncResult

from analytics_assets.orchestration.runs.executor.celery.compat import CODE_VERSIONS
from analytics_assets.orchestration.runs.executor.celery.step_task import StepTask
from analytics_assets_tests.orchestration.runs.executor.celery.conftest import (
    FLAKY,
    VERSION,
    Send,
    Workers,
    begun,
    with_version,
    without_end,
    worker_app,
)
from analytics_assets_tests.orchestration.runs.executor.jobs import PATIENCE, events_of

E = dg.DagsterEventType


def test_a_message_that_is_delivered_twice_is_executed_once(
    workers: Workers, instance: dg.DagsterInstance
) -> None:
    def twice(send: Send) -> AsyncResult:
        first, second = send(), send()
        assert second.state == "IGNORED"
        return first

    run = workers.run(twice)

    assert run.is_success
    started = [event.step_key for event in events_of(instance, run, E.STEP_START)]
    assert started.count(FLAKY) == 1


def test_a_step_of_a_run_that_has_ended_is_not_executed(
    workers: Workers, instance: dg.DagsterInstance
) -> None:
    def too_late(send: Send) -> AsyncResult:
        [run] = instance.get_runs(limit=1)
        instance.report_run_failed(run)
        left = send()
        assert left.state == "IGNORED"
        return left  # which never has a result

    run = workers.run(too_late)

    assert FLAKY not in [event.step_key for event in events_of(instance, run, E.STEP_START)]


@pytest.mark.parametrize(("sent", "is_refused"), [(VERSION, False), ("another", True)])
def test_a_worker_with_another_definition_than_the_run_does_not_execute_the_step(
    workers: Workers,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
    sent: str,
    is_refused: bool,
) -> None:
    apply = StepTask.apply

    def with_header(task: StepTask, *arguments: Any, **options: Any) -> Any:
        headers = {CODE_VERSIONS: {"result": sent}}
        return apply(task, *arguments, **{**options, "headers": headers})

    monkeypatch.setattr(StepTask, "apply", with_header)
    run = workers.run(job=with_version)

    assert run.is_success is not is_refused
    for failure in events_of(instance, run, E.STEP_FAILURE):
        assert "has another definition of `result`" in str(failure.step_failure_data.error)
        assert "run again" in str(failure.step_failure_data.error)
    assert len(events_of(instance, run, E.STEP_START)) == (not is_refused)


def test_a_message_has_the_code_versions_of_its_step(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = dict[str, Any]()

    def through_the_broker(send: Send) -> AsyncResult:
        with monkeypatch.context() as patch, worker_app().connection() as connection:
            patch.setitem(worker_app().conf, "task_always_eager", False)
            send()
            sent.update(connection.SimpleQueue("dagster").get(timeout=PATIENCE).headers)
        return send()

    assert workers.run(through_the_broker, job=with_version).is_success
    assert Context(sent).headers[CODE_VERSIONS] == {"result": VERSION}  # as a worker reads them


def test_the_signal_to_end_interrupts_the_step(
    workers: Workers, instance: dg.DagsterInstance
) -> None:
    def end() -> None:
        assert begun.wait(PATIENCE)
        os.kill(os.getpid(), signal.SIGTERM)

    Thread(target=end).start()
    run = workers.run(job=without_end)

    [failure] = events_of(instance, run, E.STEP_FAILURE)
    assert "interrupted" in str(failure.step_failure_data.error).lower()
