"""Steps of a run on workers: looks at the leases and the event log, for all of them at once."""

import time
from collections import defaultdict

import dagster as dg
from celery import Celery
from celery.result import AsyncResult

from analytics_assets.orchestration.runs.executor.celery import step_events
from analytics_assets.orchestration.runs.executor.celery.compat import (
    ExecutionStep,
    KnownExecutionState,
    PlanOrchestrationContext,
    Submit,
    attempts_before,
    submit_task,
)
from analytics_assets.orchestration.runs.executor.celery.step_outcome import SentStep
from analytics_assets.orchestration.runs.liveness.dead_runs import refuse_ended_run, take_lost_steps

LOOK_EVERY = 15.0  # seconds between two looks at the leases and the event log
SEND_AGAIN_EVERY = 5.0  # seconds, while the broker does not answer


class SentSteps:
    """The steps of a run that workers execute.

    Args:
        context: the run.
        submit: sends a step, by the arguments of `send`.
    """

    def __init__(self, context: PlanOrchestrationContext, submit: Submit = submit_task) -> None:
        self._context, self._submit = context, submit
        self._under_way = dict[str, SentStep]()
        self._cursor: str | None = None
        self._look_every = LOOK_EVERY
        self._next_look = time.monotonic() + LOOK_EVERY
        self._next_try = 0.0

    def send(
        self,
        app: Celery,
        context: PlanOrchestrationContext,
        step: ExecutionStep,
        queue: str,
        priority: int,
        state: KnownExecutionState,
    ) -> SentStep:
        """Send a step to the workers of a queue.

        Args:
            app: Celery's app.
            context: the run.
            step: the step.
            queue: the name of the queue.
            priority: that of the message.
            state: the attempts and outputs before it.

        Returns:
            The step under way, as the loop takes Celery's own result.
        """
        if attempts_before(state, step.key):
            self.read_log()  # what is there belongs to the attempts before this one

        def submit() -> AsyncResult:
            sent: AsyncResult = self._submit(app, context, step, queue, priority, state)
            return sent

        sent = self._under_way[step.key] = SentStep(self, context, step, queue, submit, state)
        return sent

    def may_send(self) -> bool:
        """True unless the broker did not answer a moment ago."""
        return time.monotonic() >= self._next_try

    def not_sent(self, error: Exception) -> None:
        """Note that the broker does not answer."""
        if not self._next_try:
            self._context.log.warning(
                f"The broker of Celery does not answer ({type(error).__name__}); the steps of this "
                "run wait for it."
            )
        self._next_try = time.monotonic() + SEND_AGAIN_EVERY

    def sent(self) -> None:
        """Note that the broker answers."""
        self._next_try = 0.0

    def look_often(self) -> None:
        """Look with each question from now on."""
        self._look_every = self._next_look = 0.0

    def look(self) -> None:
        """Look every few seconds for steps whose worker is dead, and for what workers logged.

        Raises:
            RunEndedError: somebody has ended the run: workers begin none of its steps any more.
        """
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + self._look_every
        refuse_ended_run(self._context.instance, self._context.run_id)
        for step in self._under_way.values():
            step.has_ended_before = step.has_ended
        self.read_log()
        waiting = [key for key, step in self._under_way.items() if not step.has_ended]
        instance, run_id = self._context.instance, self._context.run_id
        for key, worker in take_lost_steps(instance, run_id, waiting).items():
            self._under_way[key].lost = worker

    def read_log(self) -> None:
        """Hand out the events of the steps under way that were logged since the last time."""
        found, has_more = defaultdict[str, list[dg.DagsterEvent]](list), True
        instance, run_id = self._context.instance, self._context.run_id
        while has_more:
            page = instance.get_records_for_run(run_id, self._cursor, {*step_events.LOGGED}, 500)
            for record in page.records:
                event = record.event_log_entry.dagster_event
                if event and event.step_key:
                    found[event.step_key].append(event)
            self._cursor, has_more = page.cursor, page.has_more
        for key, events in found.items():
            if key in self._under_way:
                self._under_way[key].seen += events

    def __enter__(self) -> "SentSteps":
        """Return the steps."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the steps that are under way still, as after an error."""
        for step in list(self._under_way.values()):
            step.revoke()

    def ended(self, key: str) -> None:
        """Forget a step whose outcome is known."""
        self._under_way.pop(key, None)
