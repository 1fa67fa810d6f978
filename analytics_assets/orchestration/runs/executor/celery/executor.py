"""Runs each step on a worker of Celery, by the loop of Dagster's own executor."""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from analytics_assets.orchestration.runs.executor.celery.compat import app_arguments, execution_loop
from analytics_assets.orchestration.runs.executor.celery.sent_steps import SentSteps
from analytics_assets.orchestration.runs.executor.celery.settings import (
    CONFIGURATION,
    celery_arguments,
)
from analytics_assets.orchestration.runs.executor.compat import RETRIES, RetryMode


class CeleryExecutor(dg.Executor):
    """Sends steps to workers, and waits for them.

    Args:
        retries: the mode of retries.
    """

    def __init__(self, retries: RetryMode) -> None:
        self._retries = retries

    @property
    def retries(self) -> RetryMode:
        """The mode of retries."""
        return self._retries

    def app_args(self) -> dict[str, Any]:
        """Return the arguments of Celery's app, which the loop asks for."""
        return app_arguments(celery_arguments(), CONFIGURATION)

    def execute(self, plan_context: Any, execution_plan: Any) -> Iterator[dg.DagsterEvent]:
        """Execute the steps of a plan.

        Args:
            plan_context: the run.
            execution_plan: its steps.

        Yields:
            The events.
        """
        with SentSteps(plan_context) as steps:
            yield from execution_loop(plan_context, execution_plan, steps.send)


@dg.executor(
    name="celery",
    config_schema={"retries": RETRIES},
    requirements=dg.multiple_process_executor_requirements(),
)
def celery_executor(init_context: dg.InitExecutorContext) -> CeleryExecutor:
    """Run each step on a worker of Celery.

    Args:
        init_context: has the config of the executor.
    """
    config: Mapping[str, Any] = init_context.executor_config
    return CeleryExecutor(RetryMode.from_config(config["retries"]) or RetryMode.ENABLED)
