"""The steps of a run, each in a thread, and their interruption."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from contextvars import copy_context
from queue import Empty, SimpleQueue
from threading import Lock, get_ident
from typing import Any

import dagster as dg

from analytics_assets.orchestration.runs.executor.compat import (
    ExecutionPlan,
    Interrupted,
    PlanExecutionContext,
    StepExecutionContext,
    active_execution,
    events_of_step,
    interrupt_thread,
    output_captured,
    step_context,
)

POLL = 0.1  # seconds between two looks for a free slot of a pool, a due retry, or an interruption


class StepThreads:
    """Threads for steps, whose events one thread receives.

    Args:
        most: the number of threads.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._running: dict[str, Future[None]] = {}
        # the last event of a step is None
        self._events = SimpleQueue[tuple[str, dg.DagsterEvent | None]]()
        self._threads, self._lock = dict[str, int](), Lock()
        self._is_interrupted = False
        self._pool = ThreadPoolExecutor(most, thread_name_prefix="step")

    def __enter__(self) -> "StepThreads":
        """Return the threads, which start with their first steps."""
        return self

    def __exit__(self, *_: object) -> None:
        """Interrupt the steps that run still, as after an error, and wait for their end."""
        self.interrupt()
        self._pool.shutdown()

    @property
    def free(self) -> int:
        """The number of threads that run no step."""
        return self.most - len(self._running)

    @property
    def is_idle(self) -> bool:
        """True if no step runs."""
        return not self._running

    def start(self, context: StepExecutionContext) -> None:
        """Run a step in a thread, with the context variables of this one.

        Args:
            context: the step.
        """
        key = context.step.key
        future = self._running[key] = self._pool.submit(copy_context().run, self._run, context)
        future.add_done_callback(lambda _: self._events.put((key, None)))

    def _run(self, context: StepExecutionContext) -> None:
        key = context.step.key
        with self._lock:
            if self._is_interrupted:
                return
            self._threads[key] = get_ident()
        try:
            with closing(events_of_step(context)) as events:
                for event in events:
                    self._events.put((key, event))
        finally:
            with self._lock:  # an interruption does not meet the next step of this thread
                del self._threads[key]

    def events(self) -> Iterator[tuple[str, dg.DagsterEvent | None]]:
        """Wait for events for a short time, and yield those that there are.

        Yields:
            The key of a step, and its event; None once it has ended.

        Raises:
            BaseException: that of a step which neither succeeded nor failed.
        """
        wait = POLL
        with suppress(Empty):
            while True:
                key, event = self._events.get(timeout=wait)
                wait = 0.0
                error = None if event else self._running.pop(key).exception()
                if error and not isinstance(error, Interrupted):
                    raise error
                yield key, event

    def interrupt(self) -> None:
        """Raise an error in each thread that runs a step, as a signal does in the first thread.

        A step whose thread has not begun with it is not run.
        """
        with self._lock:
            self._is_interrupted = True
            for thread in self._threads.values():
                interrupt_thread(thread)


def execute_steps(
    context: PlanExecutionContext,
    plan: ExecutionPlan,
    threads: StepThreads,
    tag_limits: list[dict[str, Any]],
) -> Iterator[dg.DagsterEvent]:
    """Run the steps of a plan, each as soon as those before it have ended and its pool is free.

    Args:
        context: the run.
        plan: its steps.
        threads: for the steps.
        tag_limits: limits of steps with a tag.

    Yields:
        The events of the run and of its steps.

    Raises:
        DagsterExecutionInterruptedError: the run was terminated; its steps have ended.
    """
    with (
        active_execution(context, plan, threads.most, tag_limits) as active,
        output_captured(context, plan) as captured,
    ):
        yield from captured
        is_stopping = False
        while not (threads.is_idle and (is_stopping or active.is_complete)):
            if active.check_for_interrupts():
                active.mark_interrupted()
                is_stopping = True
                threads.interrupt()
            if threads.free and not is_stopping:
                steps = active.get_steps_to_execute(limit=threads.free)
                yield from active.concurrency_event_iterator(context)
                for step in steps:
                    threads.start(step_context(context, step, active))
            for key, event in threads.events():
                if event:
                    yield event
                    active.handle_event(event)
                else:
                    active.verify_complete(context, key)
            yield from active.plan_events_iterator(context)
        if is_stopping:
            raise Interrupted
