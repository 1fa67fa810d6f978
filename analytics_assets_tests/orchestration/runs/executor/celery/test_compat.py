"""Defects of dagster-celery that the executor of this project works around."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest
from celery.exceptions import WorkerLostError

from analytics_assets.orchestration.runs.executor.celery import executor
from analytics_assets.orchestration.runs.executor.celery.compat import execution_loop
from analytics_assets_tests.orchestration.runs.executor.celery.conftest import FLAKY, Workers
from analytics_assets_tests.orchestration.runs.executor.celery.test_sent_steps import (
    Failed,
    NoResult,
)
from analytics_assets_tests.orchestration.runs.executor.jobs import steps_with

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
