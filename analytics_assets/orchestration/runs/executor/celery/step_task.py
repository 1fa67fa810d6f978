"""Executes a step in a process of a worker, under the lease of the step."""

import signal
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import copy_context
from socket import gethostname
from threading import Thread
from types import FrameType
from typing import Any

import dagster as dg
from celery import Task
from celery.exceptions import Ignore
from celery.utils.log import get_task_logger

from analytics_assets.config.errors import AnalyticsAssetsError, listed
from analytics_assets.orchestration.runs.executor.celery.compat import (
    CODE_VERSIONS,
    StepOfMessage,
    code_versions,
    job_of,
)
from analytics_assets.orchestration.runs.executor.celery.step_events import BEGUN
from analytics_assets.orchestration.runs.executor.compat import Interrupted, interrupt_thread
from analytics_assets.orchestration.runs.liveness.dead_runs import ENDED
from analytics_assets.orchestration.runs.liveness.lease import step_lease

LOG = get_task_logger(__name__)


class OtherDefinitionError(AnalyticsAssetsError):
    """A worker does not define what it is to load as the process of the run does."""


class StepTask(Task):  # type: ignore[misc]
    """The task that executes a step."""

    abstract = True
    resultrepr_maxsize = 1  # Celery logs what a task returns: all events, with their metadata

    def __call__(self, execute_step_args_packed: Any, executable_dict: Any) -> Any:
        """Execute the step of a message, unless another worker has begun with it.

        Args:
            execute_step_args_packed: the step.
            executable_dict: its job.

        Returns:
            The events of the step.

        Raises:
            Ignore: the run has ended, or the message is an old one.
            OtherDefinitionError: the run has another definition of what the step makes.
        """
        step = StepOfMessage(execute_step_args_packed)
        with step.instance() as instance:
            if reason := reason_to_leave(instance, step):
                LOG.warning("Step %s of run %s is left: %s.", step.key, step.run_id, reason)
                raise Ignore
            sent = (self.request.headers or {}).get(CODE_VERSIONS) or {}
            refuse_other_definitions(step.key, sent, executable_dict)
            with step_lease(instance, step.run_id, step.key):
                run = super().__call__
                return self._in_thread(lambda: run(execute_step_args_packed, executable_dict))

    def _in_thread(self, execute: Callable[[], Any]) -> Any:
        """Execute beside the first thread: there, dlt 1.31 takes the signal of an end for its own.

        Args:
            execute: executes the step.
        """
        request, outcome = self.request, Future[Any]()

        def run() -> None:
            self.request_stack.push(request)
            try:
                outcome.set_result(execute())
            except BaseException as error:
                outcome.set_exception(error)

        thread = Thread(target=copy_context().run, args=(run,), name="step")
        thread.start()
        with interrupted_by_signal(thread):
            try:
                return outcome.result()
            except Interrupted:
                LOG.warning("A step was interrupted, as its run was terminated.")
                raise Ignore from None  # it has logged its end


def reason_to_leave(instance: dg.DagsterInstance, step: StepOfMessage) -> str:
    """Return why a worker must not execute the step of a message; empty if it must."""
    run = instance.get_run_by_id(step.run_id)
    if run is None:
        return "there is no such run"
    if run.status in ENDED:
        return "the run has ended"
    begun = [
        record
        for record in instance.get_records_for_run(step.run_id, of_type={*BEGUN}).records
        if (event := record.event_log_entry.dagster_event) and event.step_key == step.key
    ]
    return "another worker has begun it" if len(begun) > step.attempts_before else ""


def refuse_other_definitions(
    step: str, sent: Mapping[str, str], executable: dict[str, Any]
) -> None:
    """Refuse a step that this worker defines otherwise than the process of its run.

    A worker of another deployment would load by another key, into other columns: rows would be
    lost, and nobody would know.

    Args:
        step: the key of the step.
        sent: the code versions of what it makes, by the process of the run.
        executable: the job of the message.

    Raises:
        OtherDefinitionError: a code version is another one here.
    """
    own = code_versions(job_of(executable), step) if sent else {}
    if other := sorted(name for name in sent.keys() & own.keys() if sent[name] != own[name]):
        raise OtherDefinitionError(
            f"The worker on {gethostname()} has another definition of {listed(other)} than the "
            "process of the run. The table is as it was. Start the workers and the code location "
            "with the same code, and run again."
        )


@contextmanager
def interrupted_by_signal(thread: Thread) -> Iterator[None]:
    """Interrupt a thread when this process, in its first thread, is to end.

    Args:
        thread: the other thread.
    """

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        if thread.ident is not None and thread.is_alive():
            interrupt_thread(thread.ident)

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
