"""Runs the steps of a run in threads of its process, several at once.

A process for each step, as Dagster's `multiprocess_executor` starts it, imports Dagster, dlt and
the definitions of the whole project anew: ten times what the load of a small table costs. The steps
of this project wait for an API and a warehouse, and threads wait side by side as well as processes.
They also share what an API allows one client: its rate limit, its token and its connections.
"""

import os
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from analytics_assets.orchestration.runs.executor.compat import (
    RETRIES,
    TAG_LIMITS,
    InProcessRun,
    RetryMode,
)
from analytics_assets.orchestration.runs.executor.steps import StepThreads, execute_steps

MOST_AT_ONCE = 8  # each load has some connections of the warehouse, which has 100 by default
MAX_CONCURRENT = dg.Field(
    dg.Noneable(int),
    default_value=None,
    description=(
        "The number of steps that may run at once. By default, as many as there are processors, "
        f"and four more, {MOST_AT_ONCE} at most."
    ),
)


class MultithreadExecutor(dg.Executor):
    """Runs steps in threads.

    Args:
        max_concurrent: the most steps that run at once.
        retries: the mode of retries.
        tag_limits: limits of steps with a tag, as those of the multiprocess executor.
    """

    def __init__(
        self, max_concurrent: int, retries: RetryMode, tag_limits: list[dict[str, Any]]
    ) -> None:
        self._max_concurrent, self._retries = max_concurrent, retries
        self._tag_limits = tag_limits

    @property
    def retries(self) -> RetryMode:
        """The mode of retries."""
        return self._retries

    def execute(self, plan_context: Any, execution_plan: Any) -> Iterator[dg.DagsterEvent]:
        """Run the steps of a plan.

        Args:
            plan_context: the run.
            execution_plan: its steps.

        Yields:
            The events, in the order in which this thread receives them.
        """
        run = InProcessRun(plan_context, execution_plan)
        most = f"{self._max_concurrent} at a time"
        yield run.event(f"Executing steps in threads of a process, {most} (pid: {os.getpid()})")
        with StepThreads(self._max_concurrent) as threads:
            yield from run.events(
                lambda context, plan: execute_steps(context, plan, threads, self._tag_limits)
            )
        yield run.event(f"Finished steps in threads of a process (pid: {os.getpid()})")


@dg.executor(
    name="multithread",
    config_schema={
        "max_concurrent": MAX_CONCURRENT,
        "tag_concurrency_limits": TAG_LIMITS,
        "retries": RETRIES,
    },
)
def multithread_executor(init_context: dg.InitExecutorContext) -> MultithreadExecutor:
    """Run each step in a thread of the run's process.

    Resources of Dagster that steps use are shared by the threads.

    Args:
        init_context: has the config of the executor, by the names that the one of
            `multiprocess_executor` has, too.
    """
    config: Mapping[str, Any] = init_context.executor_config
    at_once = config["max_concurrent"] or min((os.cpu_count() or 1) + 4, MOST_AT_ONCE)
    retries = RetryMode.from_config(config["retries"]) or RetryMode.ENABLED
    return MultithreadExecutor(at_once, retries, config.get("tag_concurrency_limits") or [])


ONE_BY_ONE = multithread_executor.configured({"max_concurrent": 1}, name="multithread")
"""Runs one step at a time, and not in the first thread: there, dlt 1.31 takes the signal that ends
a run for its own while it normalizes and loads, so that a run of Dagster's in-process executor
loses one step and begins the next."""
