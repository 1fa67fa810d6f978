"""Dagster's tables of runs and events.

Dagster 1.13 deletes whole runs alone: `DagsterInstance.delete_run` also deletes the loads by which
a partition counts as materialized, leaves the results of checks and the file of the run, and takes
as long as it takes. Statements on these tables work on every storage that has them: SQLite and
PostgreSQL.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.execution.backfill import BULK_ACTION_TERMINAL_STATUSES, BulkActionStatus
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    AssetEventTagsTable,
    SqlEventLogStorageTable,
)
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._core.storage.runs.schema import RunsTable, SnapshotsTable
from dagster._core.storage.runs.sql_run_storage import SqlRunStorage
from sqlalchemy.engine import Connection

CHECKS, EVENTS = AssetCheckExecutionsTable, SqlEventLogStorageTable
EVENT_TAGS, RUNS, SNAPSHOTS = AssetEventTagsTable, RunsTable, SnapshotsTable
IDS_AT_ONCE = 500  # in a statement


def has_tables(instance: dg.DagsterInstance) -> bool:
    """Return True if the storages of an instance have Dagster's own tables, which last."""
    log, runs = instance.event_log_storage, instance.run_storage
    is_sql = isinstance(log, SqlEventLogStorage) and isinstance(runs, SqlRunStorage)
    return is_sql and not instance.is_ephemeral and instance.event_log_storage.supports_asset_checks


def index_of(instance: dg.DagsterInstance) -> AbstractContextManager[Connection]:
    """Open the tables that all runs share, in a transaction."""
    log: Any = instance.event_log_storage
    connection: AbstractContextManager[Connection] = log.index_connection()
    return connection


def run_file_of(instance: dg.DagsterInstance, run_id: str) -> AbstractContextManager[Connection]:
    """Open the events of a run, in a transaction."""
    log: Any = instance.event_log_storage
    connection: AbstractContextManager[Connection] = log.run_connection(run_id)
    return connection


def runs_of(instance: dg.DagsterInstance) -> AbstractContextManager[Connection]:
    """Open the tables of runs, in a transaction."""
    storage: Any = instance.run_storage
    connection: AbstractContextManager[Connection] = storage.connect()
    return connection


def path_of(instance: dg.DagsterInstance, run_id: str) -> Path | None:
    """Return the file of the events of a run; None if all events are in one table.

    On SQLite each run has a file, and a copy of some of its events is in the tables of all runs.
    """
    path: Any = getattr(instance.event_log_storage, "path_for_shard", None)
    return Path(path(run_id)) if path else None


def logs_folder(instance: dg.DagsterInstance) -> Path | None:
    """Return the folder of the logs of runs and ticks; None if they are not on this machine."""
    manager: Any = instance.compute_log_manager
    return Path(manager._base_dir) if isinstance(manager, LocalComputeLogManager) else None


def backfills_under_way(instance: dg.DagsterInstance) -> set[str]:
    """Return the ids of the backfills whose runs Dagster still reads."""
    found = set[str]()
    for status in set(BulkActionStatus) - set(BULK_ACTION_TERMINAL_STATUSES):
        found |= {each.backfill_id for each in instance.get_backfills(status=status)}
    return found


def in_parts(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    """Yield some numbers, as many at a time as a statement may have."""
    for start in range(0, len(numbers), IDS_AT_ONCE):
        yield numbers[start : start + IDS_AT_ONCE]
