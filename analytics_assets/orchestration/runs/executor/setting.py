"""The executor of all runs, by the setting `executor`."""

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module

import dagster as dg
from dlt.common.configuration import configspec
from dlt.common.configuration.specs import BaseConfiguration

from analytics_assets.config.errors import SettingsError, did_you_mean
from analytics_assets.config.settings.resolution import resolved
from analytics_assets.orchestration.runs.executor.multithread import (
    ONE_BY_ONE,
    multithread_executor,
)

CELERY = "analytics_assets.orchestration.runs.executor.celery.executor"
OF_ONE_PROCESS = ("in_process", "multithread")


@configspec
class ExecutorSettings(BaseConfiguration):
    """The executor of runs.

    Args:
        executor: its name; None for one step at a time on DuckDB, and threads elsewhere.
    """

    executor: str | None = None


def executor_from_settings(*, is_duckdb: bool) -> dg.ExecutorDefinition:
    """Return the executor that the setting `executor` names, or the one that fits the warehouse.

    Args:
        is_duckdb: True if the warehouse is a DuckDB file, which one process at a time can open.

    Returns:
        The same object for all APIs, without which Dagster does not merge their definitions.

    Raises:
        SettingsError: there is no such executor, its package is not installed, or it does not fit
            the warehouse.
    """
    name = (resolved(ExecutorSettings()).executor or "").strip().lower()
    if not name:
        name = "in_process" if is_duckdb else "multithread"
    if name not in EXECUTORS:
        raise SettingsError(
            f"The setting `executor` cannot be {name!r}: give one of {', '.join(EXECUTORS)}"
            f"{did_you_mean(name, EXECUTORS)}"
        )
    if is_duckdb and name not in OF_ONE_PROCESS:
        raise SettingsError(
            f"The setting `executor` is {name}, which runs each step in a process of its own, and "
            "a DuckDB file can be opened by one process at a time: set `destination_type` to "
            f"another warehouse, or `executor` to {' or '.join(OF_ONE_PROCESS)}."
        )
    return _executor(name)


@cache
def _executor(name: str) -> dg.ExecutorDefinition:
    """Return the executor of a name; always the same object."""
    return EXECUTORS[name]()


def _of_package(module: str, executor: str, extra: str) -> Callable[[], dg.ExecutorDefinition]:
    def found() -> dg.ExecutorDefinition:
        try:
            definition: dg.ExecutorDefinition = getattr(import_module(module), executor)
        except ModuleNotFoundError as error:
            raise SettingsError(
                f"The setting `executor` needs the package {str(error.name).replace('_', '-')}, "
                "which is not installed: run "
                f"pip install --constraint constraints.txt --editable '.[{extra}]'."
            ) from None
        return definition

    return found


EXECUTORS: Mapping[str, Callable[[], dg.ExecutorDefinition]] = {
    "in_process": lambda: ONE_BY_ONE,
    "multithread": lambda: multithread_executor,
    "multiprocess": lambda: dg.multiprocess_executor,
    "celery": _of_package(CELERY, "celery_executor", "celery"),
    "k8s": _of_package("dagster_k8s", "k8s_job_executor", "kubernetes"),
}
