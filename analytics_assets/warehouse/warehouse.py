"""Where tables live: destination, dataset and pipelines.

The only room that knows which warehouse it is. dlt's own settings choose it: `destination_type`
and `dataset_name`, and `destination.<type>.credentials` for the way in
(https://dlthub.com/docs/dlt-ecosystem/destinations).
"""

import gc
import logging
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import dlt
from dlt.common.configuration import configspec, resolve_configuration
from dlt.common.configuration.exceptions import ConfigValueCannotBeCoercedException
from dlt.common.configuration.specs import BaseConfiguration
from dlt.common.destination import Destination, TLoaderFileFormat
from dlt.common.pipeline import get_dlt_pipelines_dir
from dlt.destinations.exceptions import DatabaseException
from dlt.destinations.job_client_impl import SqlJobClientBase

from analytics_assets.warehouse.destination import duckdb_destination, postgres_destination
from analytics_assets.warehouse.duckdb_file import (
    DuckDbFile,
    duckdb_credentials,
    held_open,
    lift_memory_limit,
    locks_explained,
)
from analytics_assets.warehouse.history import trim_history
from analytics_assets.warehouse.lock_wait import Patience, WarehouseError
from analytics_assets.warehouse.pipeline import LoadingPipeline
from analytics_assets.warehouse.table_lock import holder_called, locked_by_file, locked_in_postgres
from analytics_assets.warehouse.tables import Tables
from analytics_assets.warehouse.working_folder import working_folder

LOG = logging.getLogger(__name__)


@configspec
class WarehouseSettings(BaseConfiguration):
    """dlt's own pipeline settings that say where tables go, and how loads share that place.

    Args:
        destination_type: a dlt destination: `duckdb`, `postgres`, `snowflake`, ...
        dataset_name: the schema (dataset) that holds the tables.
        pipelines_dir: where dlt keeps a run's working files; dlt's own folder if not set.
        lock_patience: seconds that a run waits for a table, or a DuckDB file, which a process
            holds that is no run of the same Dagster instance.
        history_days: days for which rejected rows, and what dlt writes down about loads, are kept;
            0 is for ever.
    """

    destination_type: str = "duckdb"
    dataset_name: str = "analytics"
    pipelines_dir: str | None = None
    lock_patience: float = 3600
    history_days: int = 90


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
    def from_settings(cls) -> "Warehouse":
        """Read dlt's settings; opens nothing.

        Raises:
            WarehouseError: a setting cannot be.
        """
        try:
            settings = resolve_configuration(WarehouseSettings())
        except ConfigValueCannotBeCoercedException as error:
            raise _not_a_number(error.field_name, error.field_value) from error
        for name in ("lock_patience", "history_days"):
            if getattr(settings, name) < 0:
                raise _not_a_number(name, getattr(settings, name))
        return cls(
            destination_type=settings.destination_type,
            dataset=settings.dataset_name,
            pipelines_dir=Path(settings.pipelines_dir or get_dlt_pipelines_dir()),
            lock_patience=settings.lock_patience,
            history_days=settings.history_days,
        )

    @property
    def is_duckdb(self) -> bool:
        """Whether only one process at a time can have the warehouse open."""
        return self.destination_type == "duckdb"

    @property
    def duckdb_file(self) -> Path | None:
        """The DuckDB file, or None for another destination."""
        return _file_of(duckdb_credentials()) if self.is_duckdb else None

    @property
    def loader_file_format(self) -> TLoaderFileFormat | None:
        """The format of load files, or None for the destination's own choice.

        DuckDB reads parquet 100 times faster than the INSERT statements that dlt 1.31 prefers. For
        PostgreSQL, where dlt writes INSERT statements too, parquet that comes as such is not
        written a second time, and goes in by COPY.
        """
        return "parquet" if self.destination_type in ("duckdb", "postgres") else None

    def pool(self, table: str) -> str:
        """Name the pool in which loads of a table wait for each other.

        A DuckDB file takes one process at a time. Elsewhere it is two merges into the same table
        that must not meet: they share a staging table, which one would truncate under the other.
        Dagster gives a pool that nobody has set up the `default_limit` of `dagster.yaml`.
        """
        return f"{self.destination_type}_{self.dataset}" + ("" if self.is_duckdb else f"_{table}")

    def qualified(self, table: str) -> str:
        """Return `dataset.table`."""
        return f"{self.dataset}.{table}"

    @property
    def destination(self) -> Destination[Any, Any]:
        """Where dlt loads to; connects to nothing.

        Raises:
            WarehouseError: the DuckDB file and the dataset have the same name.
        """
        if self.is_duckdb:
            credentials = duckdb_credentials()
            if _file_of(credentials).stem == self.dataset:
                raise WarehouseError(
                    f"The DuckDB file {_file_of(credentials)} and the dataset {self.dataset} have "
                    "the same name, which DuckDB cannot tell apart: rename the file "
                    "(`destination.duckdb.credentials`) or set another `dataset_name`."
                )
            return duckdb_destination(credentials)
        if self.destination_type == "postgres":
            return postgres_destination()
        destination = Destination.from_reference(self.destination_type)
        assert destination is not None, "only an empty reference has no destination"
        return destination

    def pipeline(self, name: str, pipelines_dir: Path | None = None) -> LoadingPipeline:
        """Make a dlt pipeline into this warehouse; connects to nothing.

        Args:
            name: the pipeline's name, under which dlt keeps its state in the destination.
            pipelines_dir: working folder; `self.pipelines_dir` if not given.
        """
        return dlt.pipeline(
            pipeline_name=name,
            pipelines_dir=str(pipelines_dir or self.pipelines_dir),
            destination=self.destination,
            dataset_name=self.dataset,
            _impl_cls=LoadingPipeline,
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
    ) -> Iterator[LoadingPipeline]:
        """Give a pipeline a table, and a working folder, that no other load has at the time.

        Two loads never share files, and nothing depends on what an earlier one left: dlt restores
        schema and state from the destination.

        Args:
            name: the pipeline's name.
            columns: how many columns its table has, if that is known.
            table: the table; called like the pipeline if not given.
            run: the id of the Dagster run, for others that wait for it.
            log: the log of the run, which is told for whom it waits.

        Raises:
            WarehouseLockedError: another process holds the table or the DuckDB file for longer
                than `lock_patience`.
        """
        patience = Patience(self.lock_patience, log)
        with working_folder(self.pipelines_dir, name) as folder, locks_explained():
            pipeline = self.pipeline(name, folder)
            pipeline.held = partial(self._held_open, patience, columns)
            pipeline.can_go_on = lift_memory_limit if self.is_duckdb else None
            pipeline.after_load = partial(self._trim_history, pipeline, log or LOG)
            with (
                self._alone(pipeline, table or name, holder_called(run), patience),
                _no_garbage_collected(),
            ):
                yield pipeline

    @contextmanager
    def open(self, log: logging.Logger | None = None) -> Iterator[Tables]:
        """Open the warehouse.

        Args:
            log: the log of the run, which is told for whom it waits.

        Raises:
            WarehouseLockedError: another process holds the DuckDB file for longer than
                `lock_patience`.
            WarehouseError: it cannot be opened.
        """
        with (
            tempfile.TemporaryDirectory(prefix="analytics_assets-") as folder,
            locks_explained(),
            self._held_open(Patience(self.lock_patience, log)),
            _client_of(self.pipeline("reader", Path(folder))) as client,
        ):
            if self.destination_type == "postgres":
                # as dlt has DuckDB do; a moment late in 9999 is in Python's year 10000 further east
                client.sql_client.execute_sql("SET TIME ZONE 'UTC'")
            yield Tables(client)

    @contextmanager
    def _alone(
        self, pipeline: LoadingPipeline, table: str, holder: str, patience: Patience
    ) -> Iterator[None]:
        """Hold what the pool of a table stands for, against processes that know no pools, too."""
        if self.destination_type == "postgres":
            with pipeline.sql_client() as client:
                locked = f"the table {self.qualified(table)}"
                with locked_in_postgres(client, locked, holder, patience):
                    yield
        elif file := self.duckdb_file:
            lock_file = file.with_name(f"{file.name}.lock")
            with locked_by_file(lock_file, f"the DuckDB file {file}", holder, patience):
                yield
        else:
            lock_file = self.pipelines_dir / f"{self.pool(table)}.lock"
            locked = f"the table {self.qualified(table)}"
            with locked_by_file(lock_file, locked, holder, patience):
                yield

    def _held_open(
        self, patience: Patience, columns: int | None = None
    ) -> AbstractContextManager[None]:
        if not self.is_duckdb:
            return nullcontext()
        return held_open(duckdb_credentials(), patience, columns)

    def _trim_history(self, pipeline: LoadingPipeline, log: logging.Logger) -> None:
        if not self.history_days:
            return
        before = datetime.now(UTC) - timedelta(days=self.history_days)
        try:
            with pipeline.destination_client() as client:
                assert isinstance(client, SqlJobClientBase)
                trim_history(client, pipeline.pipeline_name, pipeline.schema_names, before)
        except DatabaseException as error:  # some destinations delete nothing; the load is whole
            log.warning(f"The history of earlier loads stays, as it could not be trimmed: {error}")


def _file_of(credentials: DuckDbFile) -> Path:
    return Path(str(credentials.database)).absolute()


@contextmanager
def _client_of(pipeline: LoadingPipeline) -> Iterator[SqlJobClientBase]:
    """Connect to the destination."""
    with ExitStack() as stack:
        try:
            client: Any = pipeline.destination_client()
            stack.enter_context(client)
        except Exception as error:  # the driver of each destination has one of its own
            raise WarehouseError(f"The warehouse cannot be opened: {str(error).strip()}") from error
        assert isinstance(client, SqlJobClientBase)
        yield client


@contextmanager
def _no_garbage_collected() -> Iterator[None]:
    """Keep Python from looking through all objects again and again while rows come and go.

    Rows are in no circle, and so are gone without that as soon as they are not needed.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _not_a_number(setting: str, value: Any) -> WarehouseError:
    return WarehouseError(
        f"The setting `{setting}` cannot be {value!r}: give a number that is not negative."
    )
