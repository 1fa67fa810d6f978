"""A step whose worker dies, or whose message is lost, is executed again."""

import json
import logging
import subprocess
import sys
from typing import Any

import dagster as dg
import pytest
from celery.exceptions import WorkerLostError
from celery.result import AsyncResult
from dagster._core.execution.plan.objects import StepFailureData, StepSuccessData
from kombu.exceptions import OperationalError

from analytics_assets.orchestration.runs.executor.celery import step_outcome
from analytics_assets.orchestration.runs.executor.celery.compat import serialized
from analytics_assets.orchestration.runs.liveness.compat import LeaseTable
from analytics_assets.orchestration.runs.liveness.lease import Holder, LeaseKey
from analytics_assets.orchestration.runs.liveness.machine import this_machine
from analytics_assets_tests.orchestration.runs.executor.celery.conftest import (
    FLAKY,
    STEADY,
    Send,
    Workers,
    with_policy,
)
from analytics_assets_tests.orchestration.runs.executor.jobs import (
    events_of,
    steps_with,
    terminate,
)

E = dg.DagsterEventType
MANY = 10  # looks of the loop
SUCCESS: Any = StepSuccessData
FAILURE: Any = StepFailureData


class NoResult:
    """A result that does not come.

    Args:
        error: what asking for it raises, once.
        result: what comes then; None for nothing at all.
    """

    def __init__(self, error: Exception | None = None, result: AsyncResult | None = None) -> None:
        self._errors, self._result = [error] if error else [], result
        self.is_revoked = False

    def ready(self) -> bool:
        if self._errors:
            raise self._errors.pop()
        return self._result is not None

    def get(self) -> Any:
        assert self._result
        return self._result.get()

    def revoke(self, *, terminate: bool) -> None:
        self.is_revoked = True


class Failed:
    """A result that is an error."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def ready(self) -> bool:
        return True

    def get(self) -> Any:
        raise self._error


def lost(_: Send) -> Failed:
    """The process of a worker is killed, which the worker notices."""
    return Failed(WorkerLostError("Worker exited prematurely: signal 9 (SIGKILL)."))


def attempts(instance: dg.DagsterInstance, run: dg.DagsterRun) -> int:
    """Count the failed attempts that were followed by another one."""
    return len(events_of(instance, run, E.STEP_UP_FOR_RETRY))


def test_a_step_is_executed_again_after_its_worker_is_lost(
    workers: Workers, instance: dg.DagsterInstance
) -> None:
    run = workers.run(lost, lost)

    assert run.is_success
    assert steps_with(instance, run, E.STEP_SUCCESS) == [FLAKY, STEADY]
    assert attempts(instance, run) == step_outcome.LOST_WORKERS
    [event, _] = events_of(instance, run, E.STEP_UP_FOR_RETRY)
    error = event.step_retry_data.error
    assert error
    assert error.message.startswith("The worker of step flaky is gone: Worker exited")


def test_a_step_that_takes_every_worker_with_it_fails_alone(
    workers: Workers, instance: dg.DagsterInstance
) -> None:
    run = workers.run(lost, lost, lost)

    assert run.status is dg.DagsterRunStatus.FAILURE
    assert steps_with(instance, run, E.STEP_FAILURE) == [FLAKY]
    assert steps_with(instance, run, E.STEP_SUCCESS) == [STEADY]


def test_the_policy_of_a_step_says_how_often_it_is_executed_again(
    workers: Workers, instance: dg.DagsterInstance
) -> None:
    run = workers.run(lost, lost, job=with_policy)

    assert run.status is dg.DagsterRunStatus.FAILURE
    assert attempts(instance, run) == 1


def test_a_worker_that_is_killed_as_a_whole_is_found_by_its_lease(
    workers: Workers, instance: dg.DagsterInstance
) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    holder = Holder(this_machine(), "a-host", ended.pid, "0")
    table = LeaseTable(instance)

    def killed(_: Send) -> NoResult:
        [run] = instance.get_runs(limit=1)
        table.write(str(LeaseKey(run.run_id, FLAKY)), f"worker.1 {json.dumps(holder)}")
        return NoResult()

    run = workers.run(killed)

    assert run.is_success
    assert attempts(instance, run) == 1
    assert not any(FLAKY in key for key in table.read())


def test_a_run_waits_for_a_broker_that_does_not_answer(
    workers: Workers, instance: dg.DagsterInstance
) -> None:
    tries = 0

    def down_for_a_moment(send: Send) -> AsyncResult:
        nonlocal tries
        tries += 1
        if tries < 3:
            workers.outcomes.insert(0, down_for_a_moment)
            raise OperationalError("connection refused")
        return NoResult(ConnectionError("closed by the server"), send())

    run = workers.run(down_for_a_moment)

    assert run.is_success
    assert tries == 3
    assert attempts(instance, run) == 0


def test_a_result_that_the_broker_has_lost_is_found_in_the_event_log(
    workers: Workers, instance: dg.DagsterInstance
) -> None:
    def without_result(send: Send) -> NoResult:
        send()
        return NoResult()

    # as an attempt that is logged, too: its events are not those of the next one
    run = workers.run(lost, without_result)

    assert run.is_success
    assert steps_with(instance, run, E.STEP_SUCCESS) == [FLAKY, STEADY]


@pytest.mark.parametrize("error", [OperationalError("refused"), WorkerLostError("SIGKILL")])
def test_a_step_that_ended_and_whose_result_was_not_sent_has_the_end_in_the_event_log(
    workers: Workers, instance: dg.DagsterInstance, error: Exception
) -> None:
    def not_sent(send: Send) -> Failed:
        send()
        return Failed(error)

    run = workers.run(not_sent)

    assert run.is_success
    assert steps_with(instance, run, E.STEP_SUCCESS) == [FLAKY, STEADY]
    assert steps_with(instance, run, E.STEP_FAILURE) == []
    assert attempts(instance, run) == 0


@pytest.mark.parametrize("begun_by", [None, 2])
def test_the_end_of_an_earlier_worker_that_was_taken_for_dead_is_not_that_of_the_next_one(
    workers: Workers, instance: dg.DagsterInstance, begun_by: int | None
) -> None:
    def event(kind: dg.DagsterEventType, data: Any, process: int) -> dg.DagsterEvent:
        return dg.DagsterEvent(
            kind.value, "both", step_key=FLAKY, event_specific_data=data, pid=process
        )

    class LateResult(NoResult):
        asked = 0

        def ready(self) -> bool:
            self.asked += 1
            return self.asked == MANY

        def get(self) -> list[str]:
            return serialized([event(E.STEP_SUCCESS, SUCCESS(1.0), 2)])

    def slow(_: Send) -> NoResult:
        [run] = instance.get_runs(limit=1)
        if begun_by:
            instance.report_dagster_event(event(E.STEP_RESTARTED, None, begun_by), run.run_id)
        woken = event(E.STEP_FAILURE, FAILURE(None, None), 1)
        instance.report_dagster_event(woken, run.run_id)
        return LateResult()

    assert workers.run(lost, slow).is_success


def test_a_step_that_no_worker_begins_is_sent_again(
    workers: Workers, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step_outcome, "SENT_AGAIN_AFTER", 0.0)
    first = NoResult()

    def never(_: Send) -> NoResult:
        return first

    run = workers.run(never)

    assert run.is_success
    assert first.is_revoked
    warnings = [
        record.event_log_entry.user_message
        for record in instance.get_records_for_run(run.run_id).records
        if record.event_log_entry.level == logging.WARNING
    ]
    assert any("listen with `-Q dagster`" in warning for warning in warnings)


def test_a_terminated_run_does_not_wait_for_a_step_that_no_worker_has_begun(
    workers: Workers, instance: dg.DagsterInstance
) -> None:
    waiting = NoResult()

    def in_the_queue(_: Send) -> NoResult:
        [run] = instance.get_runs(limit=1)
        terminate(instance, run.run_id)
        return waiting

    run = workers.run(in_the_queue)

    assert run.status is dg.DagsterRunStatus.CANCELED
    assert waiting.is_revoked


def test_an_error_of_a_worker_fails_its_step_alone(
    workers: Workers, instance: dg.DagsterInstance
) -> None:
    run = workers.run(lambda _: Failed(ImportError("no module named shop")))

    assert run.status is dg.DagsterRunStatus.FAILURE
    assert steps_with(instance, run, E.STEP_SUCCESS) == [STEADY]
    [failure] = events_of(instance, run, E.STEP_FAILURE)
    assert "ImportError: no module named shop" in str(failure.step_failure_data.error)
