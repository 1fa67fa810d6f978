"""Dagster's history in SQLite files, without what costs too much for each partition."""

import json
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import update_wrapper
from pathlib import Path
from typing import Any, NamedTuple

import dagster as dg
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.dagster_run import DagsterRun
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME
from dagster._core.storage.sql import create_engine
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage, _event_logs_directory
from sqlalchemy import Connection, Engine, NullPool, event

from analytics_assets.orchestration.compat import PATIENCE, reuse_engines_of

MOST_OPEN = 4  # files of events: that of all assets, and those of the last runs
PAGE_SIZE = 1024  # bytes; a file of events has 35 tables and indexes, with a page each
BATCH_SETTING, BATCH = "DAGSTER_EVENT_BATCH_SIZE", 500  # events that Dagster stores at once
MILLISECOND = 0.0011  # and a little, as times are rounded
PLANNED = dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED


def plan_checks_once() -> None:
    """Make Dagster plan a check without partitions once in a run, in this process.

    Dagster 1.13 plans it for each partition of the run, in a row of 2 kB each that no result
    replaces: `DagsterRun.get_resolved_partitions_subset_for_events` returns the partitions of the
    run, whether or not a check or an asset has partitions.
    """
    original: Any = DagsterRun.get_resolved_partitions_subset_for_events
    if hasattr(original, "__wrapped__"):
        return

    def subset(run: DagsterRun, partitions_def: dg.PartitionsDefinition[Any] | None) -> Any:
        return original(run, partitions_def) if partitions_def is not None else None

    changed: Any = DagsterRun
    changed.get_resolved_partitions_subset_for_events = update_wrapper(subset, original)


def close_connections(event_log: type[Any]) -> None:
    """Make the event log in PostgreSQL close the connection by which it looks for a table.

    dagster-postgres 0.29 opens one for each event of a check, and leaves it to garbage collection:
    a run of 40 tables takes all 100 connections of a server before it begins. A table that is there
    is not looked for again.

    Args:
        event_log: the class `PostgresEventLogStorage`.
    """
    original = event_log.has_table
    if hasattr(original, "__wrapped__"):
        return

    def has_table(storage: Any, table_name: str) -> bool:
        found: set[str] = storage.__dict__.setdefault("_tables_found", set())
        if table_name not in found:
            with storage.index_connection() as connection:
                if not connection.dialect.has_table(connection, table_name):
                    return False
            found.add(table_name)
        return True

    event_log.has_table = update_wrapper(has_table, original)


def use_utc(module: Any) -> None:
    """Make the connections that a module of dagster-postgres opens use UTC.

    Dagster 1.13 writes the time of a run's change in the zone of the connection, and compares it
    with UTC: where the server has another one, slots of a run that was killed are free hours late.
    """
    make = module.create_engine
    if hasattr(make, "__wrapped__"):
        return

    def set_zone(connection: Any, _: object) -> None:
        with connection, connection.cursor() as cursor:
            cursor.execute("SET TIME ZONE 'UTC'")

    def create(*arguments: Any, **options: Any) -> Engine:
        engine: Engine = make(*arguments, **options)
        event.listen(engine, "connect", set_zone)
        return engine

    module.create_engine = update_wrapper(create, make)


class SqliteStorage(DagsterSqliteStorage):
    """Dagster's history in SQLite files, at a third of the CPU and disk for each partition.

    The files are those of `storage: sqlite:`, which reads them as well.

    Args:
        base_dir: the folder of the files.
        inst_data: Dagster's own.
    """

    def __init__(self, base_dir: str, inst_data: Any = None) -> None:
        plan_checks_once()
        os.environ.setdefault(BATCH_SETTING, str(BATCH))
        event_log = SqliteEventLog(_event_logs_directory(base_dir))  # before Dagster makes its file
        super().__init__(base_dir, inst_data)
        self._event_log_storage = event_log
        # a third of what Dagster's daemon does while nothing happens
        reuse_engines_of(self._run_storage, self._schedule_storage)

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> "SqliteStorage":
        """Return the storage; Dagster 1.13 names its own class here."""
        return cls.from_local(inst_data=inst_data, **config_value)


class _Open(NamedTuple):
    """An open file: the connection, the process that has opened it, and the number of the file."""

    connection: Connection
    process: int
    file: int


class SqliteEventLog(SqliteEventLogStorage):
    """Dagster's event log, which writes an event, or a batch of them, in one transaction a file.

    Dagster 1.13 opens files up to seven times for an event of an asset, looks up their tables and
    columns each time, and commits each statement; a batch it stores event by event.

    Args:
        base_dir: the folder of the files.
        inst_data: Dagster's own.
    """

    def __init__(self, base_dir: str, inst_data: Any = None) -> None:
        self._lock = threading.RLock()
        self._open: dict[str, _Open] = {}
        self._inherited: list[_Open] = []  # from before a fork: not to be used, nor closed
        self._begun: dict[str, Connection] | None = None  # in the transactions of a batch
        self._newest: dict[tuple[str, str], tuple[EventLogEntry, int]] = {}
        self._tables: set[str] = set()
        self._has_columns = False
        super().__init__(base_dir, inst_data)

    def store_event(self, event: EventLogEntry) -> None:
        """Store an event."""
        self.store_event_batch([event])

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store events, all or none of them.

        That a run is to make an asset stands in the file of the run once, and not for each
        partition; in the file of assets, where it is looked up by partition, for each.
        """
        planned: set[tuple[str, str]] = set()
        with self._lock, ExitStack() as transactions:
            transactions.callback(self._end)
            self._newest, self._begun = {}, {}
            for event in _apart(events):
                key = (event.run_id, _asset_of(event))
                if event.dagster_event_type is not PLANNED:
                    super().store_event(event)
                elif key not in planned:
                    super().store_event(event)
                    planned.add(key)
                else:
                    self._store_in_index(event)
            for event, number in self._newest.values():
                super().store_asset_event(event, number)
            for shard, connection in self._begun.items():
                connection.commit()
                self._touch(shard)

    def _touch(self, shard: str) -> None:
        """Change the time of a file, for the page of a run in the UI, which waits for a change.

        SQLite writes into another file, `-wal`, as long as this one is open.
        """
        with suppress(OSError):  # somebody has deleted it
            os.utime(self.path_for_shard(shard))

    def _event_to_row(self, event: EventLogEntry) -> dict[str, Any]:
        """Return the row of an event: its JSON without spaces, which are a fifteenth of it."""
        row: dict[str, Any] = super()._event_to_row(event)
        return {**row, "event": json.dumps(json.loads(row["event"]), separators=(",", ":"))}

    def _store_in_index(self, event: EventLogEntry) -> None:
        with self.index_connection() as connection:
            stored: Any = connection.execute(self.prepare_insert_event(event))
        self.store_asset_event(event, stored.inserted_primary_key[0])

    def _end(self) -> None:
        """End the transactions of a batch; what was not committed is undone."""
        for connection in (self._begun or {}).values():
            connection.rollback()
        self._newest, self._begun = {}, None

    def store_asset_event(self, event: EventLogEntry, event_id: int) -> None:
        """Store the newest event of an asset: of a batch, the last one of its type."""
        self._newest[_asset_of(event), str(event.dagster_event_type)] = event, event_id

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._lock:
            if self._begun is not None:
                if shard not in self._begun:
                    self._begun[shard] = self._kept(shard)
                yield self._begun[shard]
            elif shard == INDEX_SHARD_NAME or shard in self._open:
                connection = self._kept(shard)
                try:
                    yield connection
                    connection.commit()
                finally:
                    connection.rollback()
            else:
                with super()._connect(shard) as connection:
                    yield connection

    @contextmanager
    def index_transaction(self) -> Iterator[Connection]:
        """Write into the file of assets: Dagster 1.13.29 would end the transaction of a batch."""
        with self.index_connection() as connection:
            yield connection

    def _kept(self, shard: str) -> Connection:
        """Return the connection to a file, which stays open for the next event."""
        path, kept = Path(self.path_for_shard(shard)), self._open.pop(shard, None)
        if kept and kept.process != os.getpid():
            self._inherited.append(kept)
            kept = None
        is_new = not path.exists()
        if kept and (is_new or kept.file != path.stat().st_ino):  # somebody has deleted it
            kept.connection.close()
            kept = None
        if kept is None:
            options: dict[str, Any] = {"timeout": PATIENCE, "check_same_thread": False}
            engine = create_engine(
                self.conn_string_for_shard(shard), poolclass=NullPool, connect_args=options
            )
            if is_new or shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            kept = _Open(engine.connect(), os.getpid(), path.stat().st_ino)
        self._open[shard] = kept  # behind those that were used before
        for oldest in list(self._open)[:-MOST_OPEN]:
            if oldest not in (self._begun or {}):
                self._open.pop(oldest).connection.close()
        return kept.connection

    def _initdb(self, engine: Engine, for_index_shard: bool = False) -> None:
        """Make the tables of a file, if it has none."""
        path = Path(str(engine.url.database))
        if not path.exists():
            with suppress(sqlite3.Error), closing(sqlite3.connect(path)) as connection:
                connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
                connection.execute("VACUUM")  # writes the first page, of this size
        super()._initdb(engine, for_index_shard)

    def has_table(self, table_name: str) -> bool:
        """Return True if the file of assets has a table, which is looked up until it is there."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def has_asset_key_index_cols(self) -> bool:
        """Return True if the file of assets has columns that Dagster has since version 0.14."""
        self._has_columns = self._has_columns or super().has_asset_key_index_cols()
        return self._has_columns

    def dispose(self) -> None:
        """Close the files."""
        super().dispose()
        while self._open:
            _, kept = self._open.popitem()
            if kept.process == os.getpid():
                kept.connection.close()


def _apart(events: Sequence[EventLogEntry]) -> Iterator[EventLogEntry]:
    """Yield events with times in milliseconds of their own.

    The UI of Dagster 1.13 takes materializations of one millisecond for one.
    """
    earliest = 0.0
    for each in events:
        moment = max(each.timestamp, earliest)
        earliest = moment + MILLISECOND
        yield each._replace(timestamp=moment) if moment != each.timestamp else each


def _asset_of(event: EventLogEntry) -> str:
    return str(event.dagster_event and event.dagster_event.asset_key)
