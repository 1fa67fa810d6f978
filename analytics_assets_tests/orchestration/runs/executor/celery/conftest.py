"""Runs by the executor for Celery, whose steps this process executes in place of a worker."""

from collections.abc import Callable, Iterator
from functools import cache
from threading import Event
from typing import Any

import dagster as dg
import pytest
from celery import Celery
from celery.result import AsyncResult
from dagster._core.execution.api import execute_run
from dagster_celery import core_execution_loop

from analytics_assets.orchestration.runs.executor.celery import executor, sent_steps, settings
from analytics_assets.orchestration.runs.executor.celery.compat import (
    app_arguments,
    app_of,
    submit_task,
)
from analytics_assets.orchestration.runs.executor.celery.step_task import StepTask
from analytics_assets_tests.orchestration.runs.executor.jobs import work_until_interrupted
from analytics_assets_tests.support.loading import history_in

SERVERS = {"broker": "memory://", "backend": "cache+memory://"}
AT_ONCE = {**settings.CONFIGURATION, "task_always_eager": True}
FLAKY, STEADY, VERSION = "flaky", "steady", "1"
Send = Callable[[], AsyncResult]
Outcome = Callable[[Send], Any]


def works(send: Send) -> AsyncResult:
    """Execute the step here."""
    return send()


@dg.op(name=FLAKY)
def flaky() -> None:
    """A step whose workers are lost."""


@dg.op(name=FLAKY, retry_policy=dg.RetryPolicy(max_retries=1))
def flaky_with_policy() -> None:
    """The same, with a policy for retries."""


@dg.op(name=FLAKY, out=dg.Out(code_version=VERSION))
def flaky_with_version() -> None:
    """The same, with a code version."""


@dg.op(name=STEADY)
def steady() -> None:
    """A step beside it."""


@dg.job(executor_def=executor.celery_executor)
def both() -> None:
    flaky()
    steady()


@dg.op(name=FLAKY)
def endless() -> None:
    """A step that works until somebody ends it."""
    begun.set()
    work_until_interrupted()


begun = Event()


@dg.job(executor_def=executor.celery_executor)
def without_end() -> None:
    endless()


@dg.job(executor_def=executor.celery_executor)
def with_policy() -> None:
    flaky_with_policy()
    steady()


@dg.job(executor_def=executor.celery_executor)
def with_version() -> None:
    flaky_with_version()


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    """An instance for the tests of a module, as to make its files takes a second."""
    with history_in(tmp_path_factory.mktemp("history")) as opened:
        yield opened


@cache
def worker_app() -> Celery:
    """The app of workers, which executes a step where it is sent; Celery knows one a process."""
    return app_of(app_arguments(SERVERS, AT_ONCE), StepTask)


class Workers:
    """Outcomes of the step `flaky`, in the order of its attempts; after them it works.

    Args:
        instance: the instance of the runs.
    """

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.outcomes: list[Outcome] = []
        self._instance = instance

    def submit(self, *arguments: Any) -> Any:
        """Send a step, as `submit_task`."""
        is_flaky = arguments[2].key == FLAKY
        outcome = self.outcomes.pop(0) if is_flaky and self.outcomes else works
        return outcome(lambda: submit_task(worker_app(), *arguments[1:]))

    def run(self, *outcomes: Outcome, job: dg.JobDefinition = both) -> dg.DagsterRun:
        """Run a job, and return it after its end."""
        self.outcomes = list(outcomes)
        run = self._instance.create_run_for_job(job)
        execute_run(dg.reconstructable(job), run, self._instance)
        ended = self._instance.get_run_by_id(run.run_id)
        assert ended
        return ended


@pytest.fixture
def workers(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> Workers:
    for name, url in SERVERS.items():
        monkeypatch.setenv(f"CELERY_{name.upper()}", url)
    made = Workers(instance)
    monkeypatch.setattr(core_execution_loop, "TICK_SECONDS", 0.01)
    monkeypatch.setattr(sent_steps, "LOOK_EVERY", 0.0)
    monkeypatch.setattr(sent_steps, "SEND_AGAIN_EVERY", 0.01)
    monkeypatch.setattr(sent_steps.SentSteps.__init__, "__defaults__", (made.submit,))
    return made
