"""The task of a worker: it executes each step once, and ends with the signal to."""

import os
import signal
from threading import Thread

import dagster as dg
from celery.result import AsyncResult

from analytics_assets_tests.orchestration.runs.executor.celery.conftest import (
    FLAKY,
    Send,
    Workers,
    begun,
    without_end,
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
