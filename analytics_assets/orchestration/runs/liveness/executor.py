"""An executor of Dagster whose process holds the lease of its run."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import dagster as dg

from analytics_assets.orchestration.runs.liveness.dead_runs import RunEndedError, refuse_ended_run
from analytics_assets.orchestration.runs.liveness.lease import run_lease

_leased: set[dg.ExecutorDefinition] = set()  # those made here


class LeasedExecutor(dg.Executor):
    """Executes as another executor does, while it holds the lease of the run.

    Args:
        executor: the other executor.
    """

    def __init__(self, executor: dg.Executor) -> None:
        self._executor = executor

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the executor: the loop of Celery's asks the run's one for some."""
        return getattr(self._executor, name)

    @property
    def retries(self) -> Any:
        """The mode of retries."""
        return self._executor.retries

    @property
    def step_dependency_config(self) -> Any:
        """The condition upon which a step begins."""
        return self._executor.step_dependency_config

    def execute(self, plan_context: Any, execution_plan: Any) -> Iterator[dg.DagsterEvent]:
        """Execute the steps of a plan.

        Args:
            plan_context: the run.
            execution_plan: its steps.

        Yields:
            The events.

        Raises:
            dagster.DagsterExecutionInterruptedError: somebody else has ended the run meanwhile.
        """
        instance, run_id = plan_context.instance, plan_context.run_id
        with run_lease(instance, run_id), _recorded_end_kept(instance, run_id):
            yield from self._executor.execute(plan_context, execution_plan)


@contextmanager
def _recorded_end_kept(instance: dg.DagsterInstance, run_id: str) -> Iterator[None]:
    """Interrupt a run that somebody else has ended: Dagster then keeps the recorded end.

    It would record another one of a run that succeeds or fails, and start a failed one again.
    """
    try:
        yield
    except Exception:
        _interrupt_ended(instance, run_id)
        raise
    _interrupt_ended(instance, run_id)


def _interrupt_ended(instance: dg.DagsterInstance, run_id: str) -> None:
    try:
        refuse_ended_run(instance, run_id)
    except RunEndedError as ended:
        raise dg.DagsterExecutionInterruptedError(str(ended)) from ended


@cache
def leased(executor: dg.ExecutorDefinition) -> dg.ExecutorDefinition:
    """Return an executor whose process holds the lease of its run.

    A run without a lease whose machine is lost stays under way in Dagster's history, and its tables
    are blocked, until `max_runtime_seconds` of `dagster.yaml`.

    Args:
        executor: any executor of Dagster.

    Returns:
        One with the same name and the same config; the same object for the same executor, as
        definitions with different ones cannot be merged.

    Example:
        >>> leased(dg.in_process_executor).name
        'in_process'
    """
    if executor in _leased:
        return executor
    create: Any = executor.executor_creation_fn
    schema: Any = executor.config_schema

    def create_leased(init_context: dg.InitExecutorContext) -> LeasedExecutor:
        return LeasedExecutor(create(init_context))

    made = dg.ExecutorDefinition(
        name=executor.name,
        config_schema=schema,
        requirements=executor.get_requirements,
        executor_creation_fn=create_leased,
        description=executor.description,
    )
    _leased.add(made)
    return made
