"""Jobs whose steps report what they see of each other, and their runs."""

import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run

from analytics_assets.orchestration.runs.executor.multithread import multithread_executor

PATIENCE = 60.0  # seconds that a busy machine may take
POOL = "table"


def run_of(
    instance: dg.DagsterInstance,
    *ops: dg.OpDefinition,
    config: Mapping[str, Any] | None = None,
    hooks: frozenset[dg.HookDefinition] = frozenset(),
) -> dg.DagsterRun:
    """Run ops that depend on nothing, by the executor, and return the run after its end.

    Args:
        instance: the instance.
        ops: the ops.
        config: that of the executor.
        hooks: the hooks of the job.
    """

    @dg.job(executor_def=multithread_executor, hooks=hooks)
    def job() -> None:
        for op in ops:
            op()

    return finished(instance, job, config)


def finished(
    instance: dg.DagsterInstance, job: dg.JobDefinition, config: Mapping[str, Any] | None = None
) -> dg.DagsterRun:
    """Run a job as its own executor does, and return the run after its end."""
    run_config = {"execution": {"config": dict(config or {})}}
    run = instance.create_run_for_job(job, run_config=run_config)
    execute_run(InMemoryJob(job), run, instance)
    ended = instance.get_run_by_id(run.run_id)
    assert ended
    return ended


def events_of(
    instance: dg.DagsterInstance, run: dg.DagsterRun, kind: dg.DagsterEventType
) -> list[dg.DagsterEvent]:
    """Return the events of a type in the history of a run."""
    records = instance.get_records_for_run(run.run_id, of_type=kind).records
    events = [record.event_log_entry.dagster_event for record in records]
    return [event for event in events if event]


def steps_with(
    instance: dg.DagsterInstance, run: dg.DagsterRun, kind: dg.DagsterEventType
) -> list[str]:
    """Return the steps with an event of a type, sorted."""
    return sorted(str(event.step_key) for event in events_of(instance, run, kind))


class Crowd:
    """Counts the steps that are under way at once.

    Args:
        enough: a step waits until so many are.
    """

    def __init__(self, enough: int = 1) -> None:
        self.most = self._here = 0
        self._enough, self._changed = enough, threading.Condition()

    def visit(self) -> None:
        """Wait until there are enough, and for others that may come."""
        with self._changed:
            self._here += 1
            self.most = max(self.most, self._here)
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: self.most >= self._enough, PATIENCE)
            self._changed.wait(0.3)
            self._here -= 1


def visits(crowd: Crowd, number: int, **options: Any) -> list[dg.OpDefinition]:
    """Return ops that visit a crowd."""

    def op(name: str) -> dg.OpDefinition:
        @dg.op(name=name, **options)
        def visit() -> None:
            crowd.visit()

        return visit

    return [op(f"visit_{each}") for each in range(number)]


def terminate(instance: dg.DagsterInstance, run_id: str) -> None:
    """Terminate the run of this process, as its launcher does."""
    run = instance.get_run_by_id(run_id)
    assert run
    instance.report_run_canceling(run)
    os.kill(os.getpid(), signal.SIGINT)


def work_until_interrupted() -> None:
    """Work in Python for as long as a busy machine may take to interrupt it."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        time.sleep(0.01)
    sys.stderr.write("nobody interrupted a step\n")
