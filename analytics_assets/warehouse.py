"""Where tables live: destination, dataset and pipelines.

The only room that knows which warehouse it is. dlt's own settings choose it: `destination_type`
and `dataset_name`, and `destination.<type>.credentials` for the way in
(https://dlthub.com/docs/dlt-ecosystem/destinations).
"""

import gc
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dlt
import duckdb
from dlt.common.configuration import configspec, resolve_configuration
from dlt.common.configuration.specs import BaseConfiguration
from dlt.common.destination import Destination, TLoaderFileFormat
from dlt.common.pipeline import get_dlt_pipelines_dir
from dlt.destinations.impl.duckdb.configuration import DuckDbCredentials
from dlt.destinations.job_client_impl import SqlJobClientBase
from filelock import FileLock

from analytics_assets.errors import AnalyticsAssetsError, find_cause
from analytics_assets.tables import Tables

# dlt 1.31 says of neither DuckDB nor PostgreSQL that it has transactions, and merges without one:
# a process killed between DELETE and INSERT would leave a table without its rows
TRANSACTIONS: dict[str, Any] = {"supports_transactions": True}
DEFAULT_DUCKDB_FILE = "warehouse.duckdb"
LOCKED_BY = re.compile(r'lock on file "(?P<file>[^"]+)".*?held in (?P<process>.+?\(PID \d+\))')
LOCKED = re.compile(r'lock on file "(?P<file>[^"]+)"')


class WarehouseError(AnalyticsAssetsError):
    """The warehouse could not be used."""


class WarehouseLockedError(WarehouseError):
    """Another process has the DuckDB file open."""


@configspec
class WarehouseSettings(BaseConfiguration):
    """dlt's own pipeline settings that say where tables go.

    Args:
        destination_type: a dlt destination: `duckdb`, `postgres`, `snowflake`, ...
        dataset_name: the schema (dataset) that holds the tables.
        pipelines_dir: where dlt keeps a run's working files; dlt's own folder if not set.
    """

    destination_type: str = "duckdb"
    dataset_name: str = "analytics"
    pipelines_dir: str | None = None


@configspec(init=False)
class DuckDbFile(DuckDbCredentials):
    """DuckDB's credentials, which are the path of a file and nothing else in nearly all cases.

    dlt 1.31 imports SQLAlchemy to see that a path is no URL, and again to make a URL of it for its
    trace, which takes as long as a small load.
    """

    def parse_native_representation(self, native_value: Any) -> None:
        """Take a path for what it is."""
        if isinstance(native_value, str) and "://" not in native_value:
            self.database = native_value
        else:
            super().parse_native_representation(native_value)

    def __str__(self) -> str:
        """Return what dlt's trace calls the place."""
        return f"{self.drivername}:///{self.database}"


@dataclass(frozen=True)
class Warehouse:
    """A destination and a dataset in it.

    Args:
        destination_type: a dlt destination.
        dataset: the schema that holds the tables.
        pipelines_dir: folder under which each run gets its own working folder.
    """

    destination_type: str
    dataset: str
    pipelines_dir: Path

    @classmethod
    def from_settings(cls) -> "Warehouse":
        """Read dlt's settings; opens nothing."""
        settings = resolve_configuration(WarehouseSettings())
        return cls(
            destination_type=settings.destination_type,
            dataset=settings.dataset_name,
            pipelines_dir=Path(settings.pipelines_dir or get_dlt_pipelines_dir()),
        )

    @property
    def is_duckdb(self) -> bool:
        """Whether only one process at a time can have the warehouse open."""
        return self.destination_type == "duckdb"

    @property
    def duckdb_file(self) -> Path | None:
        """The DuckDB file, or None for another destination."""
        if not self.is_duckdb:
            return None
        return Path(str(_duckdb_credentials().database)).absolute()

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
        """
        return f"{self.destination_type}_{self.dataset}" + ("" if self.is_duckdb else f"_{table}")

    def qualified(self, table: str) -> str:
        """Return `dataset.table`."""
        return f"{self.dataset}.{table}"

    def pipeline(
        self, name: str, pipelines_dir: Path | None = None, columns: int | None = None
    ) -> dlt.Pipeline:
        """Make a dlt pipeline into this warehouse; connects to nothing.

        Args:
            name: the pipeline's name, under which dlt keeps its state in the destination.
            pipelines_dir: working folder; `self.pipelines_dir` if not given.
            columns: how many columns its table has, if that is known.
        """
        return dlt.pipeline(
            pipeline_name=name,
            pipelines_dir=str(pipelines_dir or self.pipelines_dir),
            destination=self._destination(columns),
            dataset_name=self.dataset,
        )

    @contextmanager
    def loading(self, pipeline_name: str, columns: int | None = None) -> Iterator[dlt.Pipeline]:
        """Give a pipeline a working folder of its own, removed at the end.

        Two runs never share files, and nothing depends on what an earlier one left: dlt restores
        schema and state from the destination.

        Args:
            pipeline_name: the pipeline's name.
            columns: how many columns its table has, if that is known.

        Raises:
            WarehouseLockedError: another process has the DuckDB file open.
        """
        self.pipelines_dir.mkdir(parents=True, exist_ok=True)
        with (
            tempfile.TemporaryDirectory(
                prefix=f"{pipeline_name}-", dir=self.pipelines_dir
            ) as folder,
            _locks_explained(),
        ):
            pipeline = self.pipeline(pipeline_name, Path(folder), columns)
            with self._alone_if_first(pipeline), _no_garbage_collected():
                yield pipeline

    @contextmanager
    def _alone_if_first(self, pipeline: dlt.Pipeline) -> Iterator[None]:
        """Let the load that makes the dataset and dlt's own tables do so before any other begins.

        PostgreSQL refuses one of two sessions that make the same schema in the same moment, in
        spite of IF NOT EXISTS. Holds for the processes of this machine.
        """
        if self.is_duckdb:  # its file takes one process at a time anyway
            yield
            return
        lock = FileLock(self.pipelines_dir / f"{self.destination_type}-{self.dataset}.lock")
        with lock:
            with pipeline.destination_client() as client:
                is_first = not client.is_storage_initialized()
            if is_first:
                yield
        if not is_first:
            yield

    @contextmanager
    def open(self) -> Iterator[Tables]:
        """Open the warehouse.

        Raises:
            WarehouseLockedError: another process has the DuckDB file open.
        """
        with (
            tempfile.TemporaryDirectory(prefix="analytics_assets-") as folder,
            _locks_explained(),
            self.pipeline("reader", Path(folder)).destination_client() as client,
        ):
            assert isinstance(client, SqlJobClientBase)
            yield Tables(client)

    def _destination(self, columns: int | None) -> Destination[Any, Any]:
        if self.duckdb_file:
            if self.duckdb_file.stem == self.dataset:
                raise WarehouseError(
                    f"The DuckDB file {self.duckdb_file} and the dataset {self.dataset} have the "
                    "same name, which DuckDB cannot tell apart: rename the file "
                    "(`destination.duckdb.credentials`) or set another `dataset_name`."
                )
            return dlt.destinations.duckdb(_duckdb_credentials(columns), **TRANSACTIONS)
        capabilities = TRANSACTIONS if self.destination_type == "postgres" else {}
        destination = Destination.from_reference(self.destination_type, **capabilities)
        assert destination is not None, "only an empty reference has no destination"
        return destination


def _duckdb_credentials(columns: int | None = None) -> DuckDbFile:
    """Resolve dlt's own credentials; without any, dlt would make a file per pipeline."""
    credentials = resolve_configuration(DuckDbFile(), sections=("destination", "duckdb"))
    credentials.database = credentials.database or DEFAULT_DUCKDB_FILE
    if columns:
        own = credentials.global_config or {}
        # to keep the order, DuckDB needs more memory than that, and works in one thread only
        limits = {"memory_limit": _memory_limit(columns), "preserve_insertion_order": False}
        credentials.global_config = {**limits, **own}
    return credentials


def _memory_limit(columns: int) -> str:
    """Return what DuckDB may use for a merge: it takes most of the machine's memory otherwise.

    However many the rows, more makes a merge of a dozen columns no faster; thousands of columns
    need more.
    """
    return f"{80 + columns // 2}MB"


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


@contextmanager
def _locks_explained() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        cause = find_cause(error, duckdb.IOException)
        locked = cause and (LOCKED_BY.search(str(cause)) or LOCKED.search(str(cause)))
        if not locked:
            raise
        process = locked.groupdict().get("process") or "another process"
        raise WarehouseLockedError(
            f"The DuckDB file {locked['file']} is held open by {process}. DuckDB takes one process "
            "at a time: close that one, or wait for its run to end, and run again."
        ) from error
