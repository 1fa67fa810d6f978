"""The warehouse that the settings choose: its destination, its pipelines and its tables."""

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from dlt.common.destination import Destination, TLoaderFileFormat

from analytics_assets.config.process.garbage_collection import garbage_collection_paused
from analytics_assets.config.process.working_folder import working_folder
from analytics_assets.config.settings.look_up import pipelines_dir
from analytics_assets.config.settings.providers.changes import reread_settings
from analytics_assets.warehouse.compat import new_pipeline
from analytics_assets.warehouse.destinations.capabilities import caution
from analytics_assets.warehouse.destinations.client import place_of
from analytics_assets.warehouse.destinations.supported import destination_of
from analytics_assets.warehouse.driver_errors import translated_errors
from analytics_assets.warehouse.duckdb_file import (
    duckdb_credentials,
    held_open,
    memory_limited,
    path_of,
    reset_memory_limit,
)
from analytics_assets.warehouse.locks.lock_wait import LockWait
from analytics_assets.warehouse.locks.shared_lock import shared_lock
from analytics_assets.warehouse.locks.table_lock import advisory_lock, file_lock, holder_name
from analytics_assets.warehouse.pipeline import LoadHooks, LoadingPipeline
from analytics_assets.warehouse.queries.history import trim_history_after
from analytics_assets.warehouse.queries.tables import Tables, open_tables
from analytics_assets.warehouse.settings import dataset_of, warehouse_settings

LOG = logging.getLogger(__name__)
THREADS = 2  # of a query with little memory: 16 would share out all of it, and fail


@dataclass(frozen=True)
class Warehouse:
    """A destination and a dataset in it.

    Args:
        destination_type: a dlt destination.
        dataset: the schema that holds the tables.
        pipelines_dir: folder under which each load gets its own working folder.
        lock_patience: seconds to wait for a process that holds a table or the DuckDB file.
        history_days: days for which the history of loads is kept; 0 is for ever.
    """

    destination_type: str
    dataset: str
    pipelines_dir: Path
    lock_patience: float
    history_days: int

    @classmethod
    def from_settings(cls, api_name: str) -> "Warehouse":
        """Return the warehouse of dlt's settings; opens nothing.

        Args:
            api_name: the API whose tables it holds; each has a dataset of its own by default.

        Raises:
            WarehouseError: a setting cannot be used.
        """
        settings = warehouse_settings()
        return cls(
            destination_type=settings.destination_type,
            dataset=dataset_of(api_name),
            pipelines_dir=pipelines_dir(),
            lock_patience=settings.lock_patience,
            history_days=settings.history_days,
        )

    @property
    def is_duckdb(self) -> bool:
        """True if only one process at a time can have the warehouse open."""
        return self.destination_type == "duckdb"

    @property
    def duckdb_file(self) -> Path | None:
        """The DuckDB file, or None for another destination."""
        return path_of(duckdb_credentials()) if self.is_duckdb else None

    @property
    def loader_file_format(self) -> TLoaderFileFormat | None:
        """The format of load files, or None for the destination's own choice.

        DuckDB reads parquet 100 times faster than the INSERT statements that dlt 1.31 prefers. For
        PostgreSQL, where dlt writes INSERT statements too, parquet that comes as such is not
        written a second time, and is loaded by COPY. Delta tables consist of such files.
        """
        return "parquet" if self.destination_type in ("duckdb", "postgres", "filesystem") else None

    def pool(self, table: str) -> str:
        """Return the name of the pool in which loads of a table wait for each other.

        A DuckDB file takes one process at a time, whatever the dataset. Elsewhere, two merges into
        the same table must not meet: they share a staging table, which one would truncate under the
        other. Dagster gives a pool without a limit of its own the `default_limit` of
        `dagster.yaml`.
        """
        if self.is_duckdb:
            return self.destination_type
        return f"{self.destination_type}_{self.dataset}_{table}"

    def qualified(self, table: str) -> str:
        """Return `dataset.table`."""
        return f"{self.dataset}.{table}"

    @property
    def destination(self) -> Destination[Any, Any]:
        """The destination of dlt; connects to nothing.

        Raises:
            WarehouseError: dlt has no such destination, or the DuckDB file and the dataset have
                the same name.
        """
        return destination_of(self.destination_type, self.dataset)

    def pipeline(self, name: str, pipelines_dir: Path | None = None) -> LoadingPipeline:
        """Return a dlt pipeline into this warehouse; connects to nothing.

        Args:
            name: the pipeline's name, under which dlt keeps its state in the destination.
            pipelines_dir: working folder; `self.pipelines_dir` if not given.
        """
        return new_pipeline(
            LoadingPipeline,
            pipeline_name=name,
            pipelines_dir=str(pipelines_dir or self.pipelines_dir),
            destination=self.destination,
            dataset_name=self.dataset,
        )

    @contextmanager
    def loading(
        self,
        name: str,
        columns: int | None = None,
        *,
        table: str | None = None,
        run: str | None = None,
        log: logging.Logger | None = None,
        waiting: Callable[[str], None] = lambda holder: None,
        allowed: Callable[[LoadingPipeline], None] = lambda pipeline: None,
    ) -> Iterator[LoadingPipeline]:
        """Yield a pipeline with a table, and a working folder, that no other load uses meanwhile.

        Two loads never share files, and nothing depends on what an earlier one left: dlt restores
        schema and state from the destination. A DuckDB file is open inside the context, except
        between the pipeline's synchronization and its load, while it waits for the API.

        Args:
            name: the pipeline's name.
            columns: the number of columns of its table, if known.
            table: the table; named like the pipeline if not given.
            run: the id of the Dagster run, for others that wait for it.
            log: the log of the run, for the names of those that it waits for.
            waiting: takes the name of each, and an empty text when the wait is over.
            allowed: takes the pipeline before anything is written; raises an error to prevent it.

        Raises:
            WarehouseError: the table may have been changed by another load meanwhile.
            WarehouseLockedError: another process holds the table or the DuckDB file for longer
                than `lock_patience`.
        """
        wait, held = LockWait(self.lock_patience, log, waiting), ExitStack()
        if risk := caution(self.destination_type):
            (log or LOG).warning(risk)
        hooks = LoadHooks(
            hold=lambda: held.enter_context(self._held_open(wait)),
            free=held.close,
            limited=partial(self._memory_limited, columns),
            recover=reset_memory_limit,
            after_load=partial(
                trim_history_after, age=timedelta(days=self.history_days), log=log or LOG
            ),
            warn=(log or LOG).warning,
        )
        with self._translated(), working_folder(self.pipelines_dir, name) as folder:
            pipeline = self.pipeline(name, folder)
            with (
                self._locked(pipeline, table or name, holder_name(run), wait) as refuse_lost,
                garbage_collection_paused(),
                held,
            ):

                def refuse() -> None:
                    refuse_lost()
                    allowed(pipeline)

                pipeline.connect_hooks(replace(hooks, allowed=refuse))
                hooks.hold()
                yield pipeline

    @contextmanager
    def open(self, log: logging.Logger | None = None, *, limited: bool = False) -> Iterator[Tables]:
        """Open the warehouse.

        Args:
            log: the log of the run, for the names of those that it waits for.
            limited: True to have DuckDB put on disk what exceeds little memory, as it takes most of
                the machine's otherwise: 0.9 GB to find a key twice among 10 million.

        Raises:
            WarehouseLockedError: another process holds the DuckDB file for longer than
                `lock_patience`.
            WarehouseError: it cannot be opened.
        """
        reread_settings()
        with (
            self._translated(),
            working_folder(self.pipelines_dir, "reader") as folder,
            self._held_open(LockWait(self.lock_patience, log)),
            self._memory_limited(1 if limited else None, THREADS),
            open_tables(self.pipeline("reader", folder)) as tables,
        ):
            yield tables

    def query(self, statement: str, log: logging.Logger | None = None) -> list[tuple[Any, ...]]:
        """Return the rows of a SELECT, which sees each table as one load left it; see `open`."""
        with self.open(log) as tables:
            return tables.rows(statement)

    def replace_table(
        self,
        table: str,
        select: str,
        *,
        run: str | None = None,
        log: logging.Logger | None = None,
    ) -> int:
        """Replace a table of the dataset by the rows of a SELECT, in one transaction.

        Args:
            table: the table; made if there is none.
            select: the SELECT, which sees each table as one load left it.
            run: as for `loading`.
            log: as for `loading`.

        Returns:
            The number of its rows.

        Raises:
            WarehouseError: as for `loading`; or the warehouse refuses the SELECT, or the table is
                one that dlt loads.
        """
        reread_settings()
        wait = LockWait(self.lock_patience, log)
        with self._translated(), working_folder(self.pipelines_dir, "writer") as folder:
            pipeline = self.pipeline("writer", folder)
            with (
                self._locked(pipeline, table, holder_name(run), wait),
                self._held_open(wait),
                open_tables(pipeline) as tables,
            ):
                return tables.replace(table, select)

    @contextmanager
    def _locked(
        self, pipeline: LoadingPipeline, table: str, holder: str, wait: LockWait
    ) -> Iterator[Callable[[], None]]:
        """Exclude other loads of the pool; yield a function that raises an error if one got in."""
        if self.destination_type == "postgres":
            with (
                pipeline.sql_client() as client,
                advisory_lock(client, f"the table {self.qualified(table)}", holder, wait) as refuse,
            ):
                yield refuse
            return
        if file := self.duckdb_file:
            lock = file.with_name(f"{file.name}.lock")
            with file_lock(lock, f"the DuckDB file {file}", holder, wait):
                yield lambda: None  # for as long as the process lives
            return
        held = f"the table {self.qualified(table)}"
        with (
            file_lock(self.pipelines_dir / f"{self.pool(table)}.lock", held, holder, wait),
            shared_lock(place_of(pipeline), held, holder, wait) as refuse,
        ):
            yield refuse

    def _translated(self) -> AbstractContextManager[None]:
        return translated_errors(self.duckdb_file)

    def _held_open(self, wait: LockWait) -> AbstractContextManager[None]:
        return held_open(duckdb_credentials(), wait) if self.is_duckdb else nullcontext()

    def _memory_limited(
        self, columns: int | None, threads: int | None = None
    ) -> AbstractContextManager[None]:
        if not self.is_duckdb:
            return nullcontext()
        return memory_limited(duckdb_credentials(), columns, threads)
