"""Defects of dagster-celery that the executor of this project works around."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest
from celery.exceptions import WorkerLostError

from analytics_assets.orchestration.runs.executor.celery import compat, executor
from analytics_assets.orchestration.runs.executor.celery.compat import execution_loop
from analytics_assets_tests.orchestration.runs.executor.celery.conftest import FLAKY, Workers
from analytics_assets_tests.orchestration.runs.executor.celery.test_sent_steps import (
    Failed,
    NoResult,
)
from analytics_assets_tests.orchestration.runs.executor.jobs import POOL, events_of, steps_with

KILLED = Failed(WorkerLostError("Worker exited prematurely: signal 9 (SIGKILL)."))


@pytest.mark.parametrize("result", [KILLED, NoResult(ConnectionError("closed by the server"))])
def test_dagster_celery_ends_the_run_without_its_step_if_a_worker_or_the_broker_is_lost(
    workers: Workers, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, result: Any
) -> None:
    def as_shipped(_: Any, context: Any, plan: Any) -> Iterator[dg.DagsterEvent]:
        def send(*arguments: Any) -> Any:
            is_flaky = arguments[2].key == FLAKY
            return result if is_flaky else workers.submit(*arguments)

        yield from execution_loop(context, plan, send)

    monkeypatch.setattr(executor.CeleryExecutor, "execute", as_shipped)

    run = workers.run()

    assert run.status is dg.DagsterRunStatus.FAILURE
    assert steps_with(instance, run, dg.DagsterEventType.STEP_FAILURE) == []


@dg.op(pool=POOL)
def first() -> None:
    """A step in a pool."""


@dg.op(pool=POOL)
def second() -> None:
    """Another one in the same pool."""


@dg.job(executor_def=executor.celery_executor)
def in_a_pool() -> None:
    first()
    second()


@pytest.mark.parametrize("is_dagsters", [False, True])
def test_dagster_celery_does_not_log_that_a_step_waits_for_a_pool(
    workers: Workers,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
    is_dagsters: bool,
) -> None:
    instance.event_log_storage.set_concurrency_slots(POOL, 1)
    if is_dagsters:
        monkeypatch.setattr(compat, "_Plan", compat.ExecutionPlan)

    run = workers.run(job=in_a_pool)

    assert run.status is dg.DagsterRunStatus.SUCCESS
    events = events_of(instance, run, dg.DagsterEventType.ENGINE_EVENT)
    waits = [each.message for each in events if "blocked" in str(each.message)]
    assert waits == ([] if is_dagsters else [f"Step blocked by limit for pool {POOL}"])
