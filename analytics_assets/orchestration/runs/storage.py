"""Storages of Dagster's history, by the names that `dagster.yaml` gives them."""

from importlib import import_module
from typing import Any

from analytics_assets.orchestration.runs.compat import SqliteStorage as SqliteStorage
from analytics_assets.orchestration.runs.compat import close_connections, plan_checks_once, use_utc

STORAGES = (
    "event_log.event_log",
    "run_storage.run_storage",
    "schedule_storage.schedule_storage",
)


def __getattr__(name: str) -> Any:
    """Return `PostgresStorage`: Dagster's own, in whose processes checks are planned once a run.

    It also closes all its connections, and uses UTC.

    Its configuration is that of `storage: postgres:`. It needs the package `dagster-postgres`.

    Raises:
        AttributeError: there is no such storage.
    """
    if name != "PostgresStorage":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    dagsters: Any = import_module("dagster_postgres").DagsterPostgresStorage

    class PostgresStorage(dagsters):  # type: ignore[misc]
        @classmethod
        def from_config_value(cls, inst_data: Any, config_value: Any) -> Any:
            plan_checks_once()
            close_connections(import_module("dagster_postgres.event_log").PostgresEventLogStorage)
            for name in STORAGES:
                use_utc(import_module(f"dagster_postgres.{name}"))
            return super().from_config_value(inst_data, config_value)

    return PostgresStorage
