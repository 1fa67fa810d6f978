"""Private behaviour of Dagster that the orchestration works around."""

import inspect
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import cache, update_wrapper
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import dagster as dg
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph
from dagster._core.definitions.assets.job.asset_job import build_asset_job, get_asset_graph_for_job
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

F = TypeVar("F", bound=Callable[..., Any])
PATIENCE = 60  # seconds for another process to write into a file; SQLite's own are 5
MOST_ENGINES = 16  # files of the history: two, and one for each run


def with_signature(function: F) -> F:
    """Attach a function's signature to it, where `inspect.signature` finds it.

    Dagster 1.13 asks for the signature of an op's function sixteen times, a tenth of the time in
    which hundreds of assets load.
    """
    function.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
    return function


def forget_output_metadata(assets: dg.AssetsDefinition, names: Collection[str]) -> None:
    """Remove metadata from the outputs of the op of assets.

    Dagster 1.13 copies the metadata of specs to the op's outputs, and back to the specs whenever a
    definition is made of both, so that what `map_asset_specs` leaves out returns.

    Args:
        assets: the assets.
        names: the names of the metadata.
    """
    for output in assets.op.output_defs:
        metadata: Any = output.metadata  # the dictionary itself
        for name in names:
            metadata.pop(name, None)


def import_arrow() -> None:
    """Import pyarrow, before threads load.

    dlt 1.31 imports it during a load, and looks for it in `sys.modules` to recognize a table:
    there it finds one that another thread has begun to import, without any attribute.
    """
    import_module("pyarrow")


@contextmanager
def history_kept_open(instance: dg.DagsterInstance) -> Iterator[None]:
    """Keep the SQLite files of Dagster's history open that all runs share, inside the context.

    Dagster 1.13 opens a file for each event and closes it again, upon which SQLite writes its log
    back into the file and deletes it, unless somebody else has it open: a third of the time of an
    event, and half of its wait for the disk. Another third is a new engine of SQLAlchemy, which
    compiles each statement anew; see `reuse_engines`. The file of a run is not kept open: its page
    in the UI waits for a change of the file, which SQLite writes when it is closed.

    Args:
        instance: an instance; if its history is not in SQLite files, nothing is opened.
    """
    files = _history_files(instance)
    reuse_engines(instance)
    with ExitStack() as stack:
        for file in files:
            with suppress(sqlite3.Error):  # it costs time only
                connection = sqlite3.connect(file, check_same_thread=False)
                stack.enter_context(closing(connection))
                connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
        yield


def _history_files(instance: dg.DagsterInstance) -> list[Path]:
    """Return the files of runs and of assets; none for another storage."""
    path_of: Any = getattr(instance.event_log_storage, "path_for_shard", None)
    if path_of is None:
        return []
    assets = Path(path_of("index"))
    return [file for file in (assets.parent.with_suffix(".db"), assets) if file.exists()]


def reuse_engines(instance: dg.DagsterInstance) -> None:
    """Make one engine of SQLAlchemy for each SQLite file of the history, in this process.

    Dagster 1.13 makes one for each event and each query, by the `create_engine` of their modules.

    Args:
        instance: an instance; a history that is not in such files is left alone, as one in memory
            must not share its engine with another.
    """
    if _history_files(instance):
        reuse_engines_of(instance.event_log_storage, instance.run_storage)


def reuse_engines_of(*storages: Any) -> None:
    """Make one engine of SQLAlchemy for each SQLite file of some storages, in this process."""
    for storage in storages:
        module: Any = inspect.getmodule(type(storage))
        if module and not isinstance(module.create_engine, _Engines):
            module.create_engine = _Engines(module.create_engine)
    read_migrations_once()


class _Engines:
    """Makes an engine once for each address and its options, and keeps the newest ones.

    Args:
        make: makes an engine.
    """

    def __init__(self, make: Callable[..., Any]) -> None:
        update_wrapper(self, make)
        self._make = make
        self._engines: dict[tuple[str, str], Any] = {}

    def __call__(self, url: str, **options: Any) -> Any:
        if url.startswith("sqlite:"):  # runs may be in a server beside files of events
            options = {"connect_args": {"timeout": PATIENCE}, **options}
        key = url, repr(options)  # some are dictionaries
        engine = self._engines.pop(key, None) or self._make(url, **options)
        self._engines[key] = engine  # behind those that were used before
        for oldest in list(self._engines)[:-MOST_ENGINES]:
            self._engines.pop(oldest, None)
        return engine


@cache
def read_migrations_once() -> None:
    """Read the migrations of Dagster's tables once in this process.

    Dagster 1.13 makes its storages anew for each tick of a sensor or a schedule, and looks for the
    newest migration of each then: alembic compiles 60 files, which takes 70 ms of each of three
    storages, and of each file of a run that is opened. What it leaves behind is never freed: 90 kB
    a tick. The files do not change while a process runs. alembic 1.20 describes the table in which
    it looks anew each time as well, and each engine keeps hundreds of statements on such tables,
    13 kB each; see `_KeptVersionTable`.
    """
    sql: Any = import_module("dagster._core.storage.sql")  # and alembic, which loading does without
    sql.ScriptDirectory = _KeptMigrations(sql.ScriptDirectory.from_config)
    sql.MigrationContext = _KeptVersionTable(sql.MigrationContext.configure)


class _KeptMigrations:
    """The migrations of each folder, read once.

    Args:
        read: reads them, by a configuration that names the folder.
    """

    def __init__(self, read: Callable[[Any], Any]) -> None:
        self._read = read
        self._folders: dict[str, Any] = {}

    def from_config(self, config: Any) -> Any:
        """Return the migrations of the folder of a configuration."""
        folder = config.get_main_option("script_location")
        if folder not in self._folders:
            self._folders[folder] = self._read(config)
        return self._folders[folder]


class _KeptVersionTable:
    """Looks for the migration that a database has, each time by the same statement.

    Args:
        configure: describes the table of migrations of a connection.
    """

    def __init__(self, configure: Callable[[Any], Any]) -> None:
        self._configure = configure
        self._tables: dict[str, Any] = {}

    def configure(self, connection: Any) -> Any:
        """Return the migrations that the database of a connection has."""
        context = self._configure(connection)
        context._version = self._tables.setdefault(context.dialect.name, context._version)
        return context


class _JobOfAnyPartitions(UnresolvedAssetJobDefinition):
    """A job of selected assets, whatever their partitions."""

    def resolve(
        self,
        asset_graph: AssetGraph,
        default_executor_def: dg.ExecutorDefinition | None = None,
        resource_defs: Mapping[str, dg.ResourceDefinition] | None = None,
    ) -> dg.JobDefinition:
        return build_asset_job(
            self.name,
            asset_graph=get_asset_graph_for_job(
                asset_graph, self.selection, allow_different_partitions_defs=True
            ),
            description=self.description,
            executor_def=default_executor_def,
            resource_defs=resource_defs,
            allow_different_partitions_defs=True,
        )


def define_job_of_any_partitions(
    name: str, selection: dg.AssetSelection, description: str
) -> UnresolvedAssetJobDefinition:
    """Define a job of assets that have different partitions.

    Dagster 1.13 refuses one by `define_asset_job`; its own job of all assets, `__ASSET_JOB`, is
    made in this way. A run of it selects assets with the same partitions.

    Args:
        name: the name of the job.
        selection: its assets.
        description: a sentence for the UI.
    """
    return _JobOfAnyPartitions(name, selection, description=description)


WITHOUT_RUN = ""  # the id of a run for events without one


def event_log_cursor(number: int) -> str:
    """Return a cursor of the event log behind the event of a number.

    Dagster 1.13 takes cursors as texts, and makes them of numbers in a private module only.
    """
    from dagster._core.event_api import EventLogCursor

    return EventLogCursor.from_storage_id(number).to_string()


def observed_assets(
    instance: dg.DagsterInstance, after: int, most: int
) -> Mapping[int, dg.AssetKey]:
    """Return the assets of observations, by the numbers of the events.

    Dagster 1.13 has public functions for the observations of one asset (`fetch_observations`), and
    a deprecated one for those of all.

    Args:
        instance: holds the event log.
        after: the number of an event; observations behind it are returned.
        most: the most observations; the newest ones are returned.
    """
    wanted = dg.EventRecordsFilter(dg.DagsterEventType.ASSET_OBSERVATION, after_cursor=after)
    records = instance.event_log_storage.get_event_records(wanted, limit=most)
    return {each.storage_id: each.asset_key for each in records if each.asset_key}


def stored_value(instance: dg.DagsterInstance, key: str) -> str | None:
    """Return the value that is stored under a key.

    Dagster 1.13 has a store of keys and values for its daemons, without `@public`, which lasts as
    long as the instance and is shared by all its processes.
    """
    return instance.run_storage.get_cursor_values({key}).get(key)


def store_value(instance: dg.DagsterInstance, key: str, value: str) -> None:
    """Store a value under a key, whatever another process has stored there."""
    instance.run_storage.set_cursor_values({key: value})


def swap_stored_value(
    instance: dg.DagsterInstance, key: str, before: str | None, after: str
) -> bool:
    """Store a value unless another process has stored one in between.

    Dagster 1.13 has no such write: see `store_value`.

    Args:
        instance: the instance with the store.
        key: the key.
        before: the value that must be stored now; None if there must be none.
        after: the new value.

    Returns:
        True if it is stored.
    """
    from dagster._core.storage.runs.schema import KeyValueStoreTable as Stored
    from sqlalchemy.exc import IntegrityError

    storage: Any = instance.run_storage
    try:
        with storage.connect() as connection:
            if before is None:
                connection.execute(Stored.insert().values(key=key, value=after))
                return True
            is_same = (Stored.c.key == key) & (Stored.c.value == before)
            changed = connection.execute(Stored.update().where(is_same).values(value=after))
            return bool(changed.rowcount == 1)
    except IntegrityError:  # another one was first
        return False
