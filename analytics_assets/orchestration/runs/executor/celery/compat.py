"""Parts of dagster-celery 0.29 that have no public interface.

Its executor waits for ever for a step whose worker is killed, fails the run if the broker restarts
or does not answer for a moment, and ends a whole run if one step is lost: it knows a step by
Celery's result alone. The loop of it takes a function that sends a step, as dagster-celery-k8s
does, and asks what that returns whether the step has ended: `step_outcome` answers from the leases
and the event log, too.

Nor does its loop log that a step waits for a pool, as those of Dagster's other executors do.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import dagster as dg
from celery import Celery, Task
from celery.exceptions import DuplicateTaskNameWarning
from celery.signals import before_task_publish
from dagster._core.definitions.reconstruct import ReconstructableJob
from dagster._core.events import DagsterEvent
from dagster._core.execution.context.system import IStepContext
from dagster._core.execution.context.system import (
    PlanOrchestrationContext as PlanOrchestrationContext,
)
from dagster._core.execution.plan.active import ActiveExecution
from dagster._core.execution.plan.objects import ErrorSource, StepFailureData, StepRetryData
from dagster._core.execution.plan.plan import ExecutionPlan as ExecutionPlan
from dagster._core.execution.plan.state import KnownExecutionState as KnownExecutionState
from dagster._core.execution.plan.step import ExecutionStep as ExecutionStep
from dagster._grpc.types import ExecuteStepArgs
from dagster._serdes import serialize_value, unpack_value
from dagster._utils.error import SerializableErrorInfo  # type: ignore[attr-defined]
from dagster_celery.config import dict_wrapper
from dagster_celery.core_execution_loop import core_celery_execution_loop
from dagster_celery.executor import _submit_task
from dagster_celery.make_app import make_app
from dagster_celery.tasks import create_task

Submit = Callable[..., Any]
CODE_VERSIONS = "analytics_assets_code_versions"  # a header of a message to a worker


def submit_task(*arguments: Any) -> Any:
    """Send a step, by dagster-celery's own function; it registers the task for each anew.

    The message has the code versions of the step, by which a worker knows its own for others.

    Args:
        *arguments: Celery's app, the run, the step, its queue, its priority, and the state before.
    """
    _, context, step, *_ = arguments
    versions = code_versions(context.reconstructable_job.get_definition(), step.key)

    def add(headers: dict[str, Any], **_: Any) -> None:
        headers[CODE_VERSIONS] = versions

    before_task_publish.connect(add, weak=False)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DuplicateTaskNameWarning)
            return _submit_task(*arguments)  # type: ignore[no-untyped-call]
    finally:
        before_task_publish.disconnect(add)


def code_versions(job: dg.JobDefinition, step: str) -> dict[str, str]:
    """Return the code versions of what a step makes, by the names of its outputs."""
    if not job.has_node_named(step):
        return {}
    outputs = job.get_node_named(step).definition.output_dict
    versions = {name: getattr(each, "code_version", None) for name, each in outputs.items()}
    return {name: version for name, version in versions.items() if version}


def job_of(executable: dict[str, Any]) -> dg.JobDefinition:
    """Return the job of a message to a worker, by the definitions of this process."""
    return ReconstructableJob.from_dict(executable).get_definition()


class _PlanUnderWay(ActiveExecution):
    """The state of a plan, with the steps that wait for a pool among its events."""

    def plan_events_iterator(self, job_context: Any) -> Iterator[DagsterEvent]:
        """Yield the events of a round of the loop."""
        yield from super().plan_events_iterator(job_context)
        yield from self.concurrency_event_iterator(job_context)


class _Plan(ExecutionPlan):
    def start(self, *arguments: Any, **named: Any) -> ActiveExecution:
        """Return the state of the plan at its start."""
        return _PlanUnderWay(self, *arguments, **named)


def execution_loop(
    context: PlanOrchestrationContext, plan: ExecutionPlan, send: Submit
) -> Iterator[DagsterEvent]:
    """Execute the steps of a plan by dagster-celery's loop.

    Args:
        context: the run.
        plan: its steps.
        send: sends a step; what it returns is asked each second whether it is `ready`.

    Yields:
        The events.
    """
    loop: Any = core_celery_execution_loop
    yield from loop(context, _Plan._make(plan), step_execution_fn=send)


# by a worker, before it forks its processes
IMPORTED = ["analytics_assets.orchestration.definitions", "pyarrow"]


def app_arguments(arguments: dict[str, Any], configuration: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of an app, as an executor gives them to the loop."""
    return {**arguments, "include": IMPORTED, "config_source": dict_wrapper({**configuration})}  # type: ignore[no-untyped-call]


def app_of(arguments: dict[str, Any], task: type[Task]) -> Celery:
    """Return the app of a worker.

    Args:
        arguments: those of the app.
        task: the class of the task that executes a step.
    """
    app: Celery = make_app(arguments)  # type: ignore[no-untyped-call]
    create_task(app, base=task)  # type: ignore[no-untyped-call]
    app.finalize()  # before another one of the same name
    return app


class StepOfMessage:
    """The step in the message to a worker.

    Args:
        packed: the arguments of the step, as the loop sends them.
    """

    def __init__(self, packed: Any) -> None:
        arguments = unpack_value(packed, as_type=ExecuteStepArgs)
        self.run_id = arguments.run_id
        [self.key] = arguments.step_keys_to_execute or [""]
        self.attempts_before = attempts_before(arguments.known_state, self.key)
        self._instance = arguments.instance_ref

    def instance(self) -> dg.DagsterInstance:
        """Return the instance of the run."""
        assert self._instance is not None, "the loop sends it"
        return dg.DagsterInstance.from_ref(self._instance)


def attempts_before(state: KnownExecutionState | None, step: str) -> int:
    """Return the number of attempts at a step that have failed."""
    return state.get_retry_state().get_attempt_count(step) if state else 0


def failed_attempt(context: IStepContext, why: str, retries: int, attempt: int) -> list[str]:
    """Log that an attempt at a step has failed from outside; return the event, as a worker does.

    Args:
        context: the step.
        why: a sentence.
        retries: the most retries of a step without a policy of its own; 0 for none at all.
        attempt: the number of the attempt, from 1.
    """
    error = SerializableErrorInfo(why, [], "StepLost")
    policy = context.op_retry_policy if retries else None
    most = policy.max_retries if policy else retries
    if attempt <= most and not context.retry_mode.disabled:
        wait = policy.calculate_delay(attempt) if policy else None
        retry = StepRetryData(error, wait)  # type: ignore[no-untyped-call]
        event = DagsterEvent.step_retry_event(context, retry)
    else:
        source = ErrorSource.UNEXPECTED_ERROR
        data = StepFailureData(error, None, source)  # type: ignore[no-untyped-call]
        event = DagsterEvent.step_failure_event(context, data)
    return serialized([event])


def serialized(events: Sequence[DagsterEvent]) -> list[str]:
    """Return events as a worker returns them."""
    return [serialize_value(event) for event in events]
