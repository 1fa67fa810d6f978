"""Runs of steps that stand for loads."""

from collections.abc import Callable, Mapping
from typing import Any

import dagster as dg

STEPS = {"shop__orders": "orders", "shop__items": "items"}


def run_steps(
    instance: dg.DagsterInstance,
    tags: Mapping[str, str] | None = None,
    retries: int = 0,
    **bodies: Callable[[], Mapping[str, Any]],
) -> dg.ExecuteInProcessResult:
    """Run a step for each body, named `shop__` and its name, which returns metadata or raises."""
    assets = [
        dg.asset(
            key=["shop", name],
            op_tags={"dagster/priority": str(-number)},
            retry_policy=dg.RetryPolicy(max_retries=retries) if retries else None,
        )(_step(body))
        for number, (name, body) in enumerate(bodies.items())
    ]
    job = dg.Definitions(assets=assets).resolve_implicit_global_asset_job_def()
    return job.execute_in_process(instance=instance, raise_on_error=False, tags=dict(tags or {}))


def _step(body: Callable[[], Mapping[str, Any]]) -> Callable[[], Any]:
    def step() -> Any:
        return dg.MaterializeResult(metadata=dict(body()))

    return step


def failing(error: Exception) -> Callable[[], Mapping[str, Any]]:
    """Return a body that raises an error."""

    def body() -> Mapping[str, Any]:
        raise error

    return body
