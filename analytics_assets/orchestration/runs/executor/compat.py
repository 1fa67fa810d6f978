"""Parts of Dagster 1.13 that its executors use, and that are private.

Dagster has no executor with threads (its issue 4041 asks for one), and its in-process executor
runs one step after the other. `inner_plan_execution_iterator`, by which that one does it, is the
model of `steps.execute_steps`, and its parts are used here.
"""

import asyncio
import ctypes
import os
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

import dagster as dg
from dagster._core.errors import DagsterExecutionInterruptedError
from dagster._core.events import EngineEventData
from dagster._core.execution.api import ExecuteRunWithPlanIterable
from dagster._core.execution.compute_logs import create_compute_log_file_key
from dagster._core.execution.context.system import PlanExecutionContext as PlanExecutionContext
from dagster._core.execution.context.system import PlanOrchestrationContext
from dagster._core.execution.context.system import StepExecutionContext as StepExecutionContext
from dagster._core.execution.context_creation_job import PlanExecutionContextManager
from dagster._core.execution.plan.active import ActiveExecution
from dagster._core.execution.plan.execute_plan import (
    _trigger_hook,
    dagster_event_sequence_for_step,
)
from dagster._core.execution.plan.instance_concurrency_context import InstanceConcurrencyContext
from dagster._core.execution.plan.plan import ExecutionPlan as ExecutionPlan
from dagster._core.execution.plan.step import ExecutionStep
from dagster._core.execution.retries import RetryMode as RetryMode
from dagster._core.execution.retries import get_retries_config
from dagster._core.execution.tags import get_tag_concurrency_limits_config
from dagster._utils.error import serializable_error_info_from_exc_info

Interrupted = DagsterExecutionInterruptedError
RETRIES = get_retries_config()  # type: ignore[no-untyped-call]
TAG_LIMITS = get_tag_concurrency_limits_config()  # type: ignore[no-untyped-call]
Execute = Callable[[PlanExecutionContext, ExecutionPlan], Iterator[dg.DagsterEvent]]


class InProcessRun:
    """A run in this process, as the in-process executor prepares it: with resources and log.

    Args:
        context: the run, as an executor gets it.
        plan: its steps.
    """

    def __init__(self, context: PlanOrchestrationContext, plan: ExecutionPlan) -> None:
        self._context, self._plan = context, plan

    def event(self, text: str) -> dg.DagsterEvent:
        """Return an event of the executor, which is in the history."""
        data = EngineEventData.in_process(os.getpid(), self._plan.step_keys_to_execute)
        return dg.DagsterEvent.engine_event(self._context, text, data)

    def events(self, execute: Execute) -> Iterator[dg.DagsterEvent]:
        """Initialize the resources, run the steps, and close the resources.

        Args:
            execute: runs the steps.

        Yields:
            The events of all.
        """
        context = self._context
        manager = PlanExecutionContextManager(
            job=context.job,
            retry_mode=context.retry_mode,
            execution_plan=context.execution_plan,
            run_config=context.run_config,
            dagster_run=context.dagster_run,
            instance=context.instance,
            raise_on_error=context.raise_on_error,
            output_capture=context.output_capture,
            step_dependency_config=context.step_dependency_config,
        )

        def iterator(
            job_context: PlanExecutionContext, execution_plan: ExecutionPlan
        ) -> Iterator[dg.DagsterEvent]:
            return execute(job_context, execution_plan)

        yield from ExecuteRunWithPlanIterable(context.execution_plan, iterator, manager)


@contextmanager
def active_execution(
    context: PlanExecutionContext, plan: ExecutionPlan, most: int, tag_limits: list[dict[str, Any]]
) -> Iterator[ActiveExecution]:
    """Make the state machine that Dagster's executors ask which step is next.

    It claims the slots of pools, and frees them. Only one thread may use it.

    Args:
        context: the run.
        plan: its steps.
        most: the most steps at once.
        tag_limits: limits of steps with a tag.
    """
    with (
        InstanceConcurrencyContext(context.instance, context.dagster_run) as pools,
        ActiveExecution(
            plan,
            retry_mode=context.retry_mode,
            max_concurrent=most,
            tag_concurrency_limits=tag_limits,
            instance_concurrency_context=pools,
            step_dependency_config=context.step_dependency_config,
        ) as active,
    ):
        yield active


@contextmanager
def output_captured(
    context: PlanExecutionContext, plan: ExecutionPlan
) -> Iterator[list[dg.DagsterEvent]]:
    """Capture what the process prints inside the context, for the page of the run.

    Args:
        context: the run.
        plan: its steps, which share the captured output.

    Yields:
        The events that say where it is captured, or why not.
    """
    steps = [step.key for step in plan.get_steps_to_execute_in_topo_order()]
    manager = context.instance.compute_log_manager
    file: str = create_compute_log_file_key()  # type: ignore[no-untyped-call]
    key = manager.build_log_key_for_run(context.run_id, file)
    with ExitStack() as stack:
        try:
            captured = stack.enter_context(manager.capture_logs(key))
            events = [dg.DagsterEvent.capture_logs(context, steps, key, captured)]
        except Exception:
            error = serializable_error_info_from_exc_info(sys.exc_info())
            text = "Exception while setting up compute log capture"
            events = [dg.DagsterEvent.engine_event(context, text, EngineEventData(error=error))]
        yield events


def step_context(
    context: PlanExecutionContext, step: ExecutionStep, active: ActiveExecution
) -> StepExecutionContext:
    """Return the context in which a step runs.

    Args:
        context: the run.
        step: the step.
        active: knows the attempts and outputs before it.
    """
    return context.for_step(step, active.get_known_state())


def events_of_step(context: StepExecutionContext) -> Generator[dg.DagsterEvent, None, None]:
    """Run a step and its hooks in this thread.

    Dagster 1.13 runs all asynchronous assets of a run in one event loop, which takes one at a time.

    Args:
        context: the step.

    Yields:
        Its events.
    """
    with closing(asyncio.new_event_loop()) as loop:
        context._event_loop = loop
        events = []
        for event in dagster_event_sequence_for_step(context):
            events.append(event)
            yield event
        yield from _trigger_hook(context, events)


def interrupt_thread(thread: int, error: type[BaseException] | None = Interrupted) -> None:
    """Raise an error in a thread, before its next instruction in Python.

    A signal, by which Dagster interrupts a process, is received by the first thread alone.
    https://docs.python.org/3/c-api/threads.html#c.PyThreadState_SetAsyncExc

    Args:
        thread: its identifier.
        error: the class of the error; None to take back one that is not raised yet.
    """
    value = ctypes.py_object(error) if error else None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), value)
