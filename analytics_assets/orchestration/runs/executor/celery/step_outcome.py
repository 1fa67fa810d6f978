"""A step that was sent to a worker, and its outcome, also if the worker or the broker dies.

The outcome of a step is Celery's result of it. Where there is none, it is in the event log, into
which the worker has written it, or the worker is dead: its lease of the step has expired.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import dagster as dg
from celery.exceptions import TaskRevokedError, WorkerLostError
from celery.result import AsyncResult

from analytics_assets.orchestration.runs.executor.celery import step_events
from analytics_assets.orchestration.runs.executor.celery.compat import (
    ExecutionStep,
    KnownExecutionState,
    PlanOrchestrationContext,
    attempts_before,
    failed_attempt,
    serialized,
)
from analytics_assets.orchestration.runs.liveness.compat import LeaseTable
from analytics_assets.orchestration.runs.liveness.lease import LeaseKey

if TYPE_CHECKING:
    from analytics_assets.orchestration.runs.executor.celery.sent_steps import SentSteps

SENT_AGAIN_AFTER = 900.0  # seconds without a worker that begins: the broker may have lost it
LOST_WORKERS = 2  # retries of a step that has no policy for retries; the step may be the cause
Send = Callable[[], AsyncResult]


class SentStep:
    """A step that a worker executes; the loop of Dagster's executor takes it for Celery's result.

    Args:
        steps: the steps under way.
        context: the run.
        step: the step.
        queue: the queue.
        send: sends the step.
        state: the attempts before.
    """

    def __init__(
        self,
        steps: "SentSteps",
        context: PlanOrchestrationContext,
        step: ExecutionStep,
        queue: str,
        send: Send,
        state: KnownExecutionState,
    ) -> None:
        self._steps, self._context, self._queue = steps, context, queue
        self._step, self._send = step, send
        self._attempt = attempts_before(state, step.key) + 1
        self._result: AsyncResult | None = None
        self._outcome: list[str] | TaskRevokedError | None = None
        self._sent_at, self._is_revoked = 0.0, False
        self.seen: list[dg.DagsterEvent] = []  # since it was sent
        self.has_ended_before = False
        self.lost = ""  # the worker that is dead
        self._try_to_send()

    @property
    def logged(self) -> list[dg.DagsterEvent]:
        """The events of its worker."""
        return step_events.of_last_worker(self.seen)

    @property
    def has_ended(self) -> bool:
        """True if the worker has logged the end of the step."""
        return any(event.event_type in step_events.ENDED for event in self.logged)

    def ready(self) -> bool:
        """True if the outcome is known, which it stays."""
        self._steps.look()
        if self._outcome is None:
            self._outcome = self._find()
            if self._outcome is not None:
                self._steps.ended(self._step.key)
        return self._outcome is not None

    def get(self) -> list[str]:
        """Return the events of the attempt.

        Raises:
            TaskRevokedError: the run was terminated.
        """
        assert self._outcome is not None, "the loop asks `ready` first"
        if isinstance(self._outcome, TaskRevokedError):
            raise self._outcome
        return self._outcome

    def revoke(self) -> None:
        """End the step, as its run is terminated: a worker interrupts it, or never begins.

        The outcome of a step that a worker has begun is the end that the worker logs.
        """
        self._steps.look_often()
        self._revoke_message()
        self._is_revoked = True

    def _revoke_message(self) -> None:
        try:
            if self._result:
                self._result.revoke(terminate=True)
        except Exception as error:
            self._steps.not_sent(error)

    def _find(self) -> list[str] | TaskRevokedError | None:
        if self.lost:
            return self._failed(f"The worker of step {self._step.key} ({self.lost}) is gone.")
        if self._is_revoked and not self.logged:
            self._free_slot()  # the loop does for steps alone that have an event
            return TaskRevokedError()
        if self._result is None:
            self._try_to_send()
            return None
        if self._is_ready(self._result) and (events := self._events_of(self._result)):
            return events
        if self.has_ended_before:  # and there is no result since, as a broker was emptied
            return serialized(self.logged)
        if not self.logged and time.monotonic() > self._sent_at + SENT_AGAIN_AFTER:
            self._send_again()
        return None

    def _is_ready(self, result: AsyncResult) -> bool:
        try:
            return bool(self._steps.may_send() and result.ready())
        except Exception as error:
            self._steps.not_sent(error)
            return False

    def _events_of(self, result: AsyncResult) -> list[str] | None:
        try:
            events: list[str] | None = result.get()
            return events
        except TaskRevokedError:  # Celery says so at once, and the worker logs the end
            return None
        except Exception as error:
            return self._without_result(error)

    def _without_result(self, error: Exception) -> list[str]:
        """Return the events of a step whose worker was killed, or could not execute it or answer.

        A worker logs the end of a step before it sends the result.
        """
        is_lost = isinstance(error, WorkerLostError)
        if is_lost:
            key = LeaseKey(self._context.run_id, self._step.key)
            LeaseTable(self._context.instance).remove([str(key)])  # of a process that is dead
        self._steps.read_log()
        if self.has_ended:
            return serialized(self.logged)
        if is_lost:
            return self._failed(f"The worker of step {self._step.key} is gone: {error}")
        why = f"The worker of step {self._step.key} failed: {type(error).__name__}: {error}"
        return self._failed(why, retries=0)

    def _failed(self, why: str, retries: int = LOST_WORKERS) -> list[str]:
        context = self._context.for_step(self._step)
        return failed_attempt(context, why, retries, self._attempt)

    def _free_slot(self) -> None:
        storage = self._context.instance.event_log_storage
        storage.free_concurrency_slot_for_step(self._context.run_id, self._step.key)

    def _try_to_send(self) -> None:
        if not self._steps.may_send():
            return
        try:
            self._result = self._send()
        except Exception as error:
            self._steps.not_sent(error)
        else:
            self._steps.sent()
            self._sent_at = time.monotonic()

    def _send_again(self) -> None:
        """Send a step again that no worker has begun; workers drop the message before."""
        self._context.log.warning(
            f"No worker has begun step {self._step.key} for {SENT_AGAIN_AFTER / 60:.0f} minutes: "
            f"sent again. Its queue is `{self._queue}`, to which workers listen with "
            f"`-Q {self._queue}`."
        )
        self._revoke_message()
        self._result = None
        self._try_to_send()
