"""Where tables live: destination, dataset and pipelines, and reading tables back.

The only room that knows which warehouse it is. dlt's own settings choose it: `destination_type`
and `dataset_name`, and `destination.<type>.credentials` for the way in
(https://dlthub.com/docs/dlt-ecosystem/destinations).
"""

import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dlt
import duckdb
from dlt.common.configuration import configspec, resolve_configuration
from dlt.common.configuration.specs import BaseConfiguration
from dlt.common.destination import Destination, TLoaderFileFormat
from dlt.common.pipeline import get_dlt_pipelines_dir
from dlt.common.schema.typing import TTableSchemaColumns
from dlt.destinations.impl.duckdb.configuration import DuckDbCredentials
from dlt.destinations.job_client_impl import SqlJobClientBase
from filelock import FileLock

from analytics_assets.errors import AnalyticsAssetsError, find_cause

# dlt 1.31 says of neither DuckDB nor PostgreSQL that it has transactions, and merges without one:
# a process killed between DELETE and INSERT would leave a table without its rows
TRANSACTIONS: dict[str, Any] = {"supports_transactions": True}
LOAD = "_dlt_load_id"  # dlt's column that says which load brought a row last
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

        DuckDB reads parquet 100 times faster than the INSERT statements that dlt 1.31 prefers.
        """
        return "parquet" if self.is_duckdb else None

    def pool(self, table: str) -> str:
        """Name the pool in which loads of a table wait for each other.

        A DuckDB file takes one process at a time. Elsewhere it is two merges into the same table
        that must not meet: they share a staging table, which one would truncate under the other.
        """
        return f"{self.destination_type}_{self.dataset}" + ("" if self.is_duckdb else f"_{table}")

    def qualified(self, table: str) -> str:
        """Return `dataset.table`."""
        return f"{self.dataset}.{table}"

    def pipeline(self, name: str, pipelines_dir: Path | None = None) -> dlt.Pipeline:
        """Make a dlt pipeline into this warehouse; connects to nothing.

        Args:
            name: the pipeline's name, under which dlt keeps its state in the destination.
            pipelines_dir: working folder; `self.pipelines_dir` if not given.
        """
        return dlt.pipeline(
            pipeline_name=name,
            pipelines_dir=str(pipelines_dir or self.pipelines_dir),
            destination=self._destination(),
            dataset_name=self.dataset,
        )

    @contextmanager
    def loading(self, pipeline_name: str) -> Iterator[dlt.Pipeline]:
        """Give a pipeline a working folder of its own, removed at the end.

        Two runs never share files, and nothing depends on what an earlier one left: dlt restores
        schema and state from the destination.

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
            pipeline = self.pipeline(pipeline_name, Path(folder))
            with self._alone_if_first(pipeline):
                yield pipeline

    @contextmanager
    def _alone_if_first(self, pipeline: dlt.Pipeline) -> Iterator[None]:
        """Let the load that makes the dataset and dlt's own tables do so before any other begins.

        PostgreSQL refuses one of two sessions that make the same schema in the same moment, in
        spite of IF NOT EXISTS. Holds for the processes of this machine.
        """
        lock = FileLock(self.pipelines_dir / f"{self.destination_type}-{self.dataset}.lock")
        with lock:
            with pipeline.destination_client() as client:
                is_first = not client.is_storage_initialized()
            if is_first:
                yield
        if not is_first:
            yield

    @contextmanager
    def open(self) -> Iterator["Tables"]:
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

    def _destination(self) -> Destination[Any, Any]:
        if self.duckdb_file:
            if self.duckdb_file.stem == self.dataset:
                raise WarehouseError(
                    f"The DuckDB file {self.duckdb_file} and the dataset {self.dataset} have the "
                    "same name, which DuckDB cannot tell apart: rename the file "
                    "(`destination.duckdb.credentials`) or set another `dataset_name`."
                )
            return dlt.destinations.duckdb(_duckdb_credentials(), **TRANSACTIONS)
        capabilities = TRANSACTIONS if self.destination_type == "postgres" else {}
        destination = Destination.from_reference(self.destination_type, **capabilities)
        assert destination is not None, "only an empty reference has no destination"
        return destination


class Tables:
    """The tables of an open warehouse.

    Args:
        client: dlt's client of the destination.
    """

    def __init__(self, client: SqlJobClientBase) -> None:
        self._client = client

    def columns(self, table: str) -> TTableSchemaColumns:
        """Return the columns that a table really has, empty if there is no such table."""
        exists, columns = self._client.get_storage_table(table)
        return columns if exists else {}

    def column_name(self, field: str) -> str:
        """Return the column that dlt makes of a field: `changed_at` of `changedAt`."""
        return self._client.schema.naming.normalize_identifier(field)

    def row_count(self, table: str) -> int:
        """Count the rows of a table."""
        return int(self._value(f"SELECT count(*) FROM {self._qualified(table)}"))

    def newest(self, table: str, column: str) -> datetime | None:
        """Return the newest value of a date or time column.

        Args:
            table: the table.
            column: a DATE or TIMESTAMP column, or text with ISO dates.

        Returns:
            The value in UTC, midnight for a date; None if there is none, or if it is no time.
        """
        return _as_moment(
            self._value(f"SELECT max({self._column(column)}) FROM {self._qualified(table)}")
        )

    def duplicated_keys(self, table: str, key: Sequence[str]) -> int:
        """Count the key values that more than one row has."""
        columns = ", ".join(self._column(column) for column in key)
        return int(
            self._value(
                f"SELECT count(*) FROM (SELECT {columns} FROM {self._qualified(table)} "
                f"GROUP BY {columns} HAVING count(*) > 1) AS duplicated"
            )
        )

    def rows_without_key(self, table: str, key: Sequence[str]) -> int:
        """Count the rows in which a part of the key is null."""
        nulls = " OR ".join(f"{self._column(column)} IS NULL" for column in key)
        return int(self._value(f"SELECT count(*) FROM {self._qualified(table)} WHERE {nulls}"))

    def rejections(self, table: str, resource: str, loads: Sequence[str]) -> dict[str, int]:
        """Count the rows of a resource that some loads rejected, by reason, the commonest first."""
        rows = self._client.sql_client.execute_sql(
            f"SELECT reason, count(*) AS times FROM {self._qualified(table)} "
            f"WHERE resource = %s AND {LOAD} IN ({_places(loads)}) GROUP BY reason "
            "ORDER BY times DESC, reason",
            resource,
            *loads,
        )
        return {str(reason): int(times) for reason, times in rows or ()}

    def rows_of_other_loads(self, table: str, loads: Sequence[str]) -> int:
        """Count the rows that none of these loads has brought or brought again."""
        return int(self._value(f"SELECT count(*) {self._of_other_loads(table, loads)}", *loads))

    def delete_rows_of_other_loads(self, table: str, loads: Sequence[str]) -> None:
        """Delete the rows that none of these loads has brought or brought again."""
        statement = f"DELETE {self._of_other_loads(table, loads)}"
        self._client.sql_client.execute_sql(statement, *loads)

    def _of_other_loads(self, table: str, loads: Sequence[str]) -> str:
        return f"FROM {self._qualified(table)} WHERE {LOAD} NOT IN ({_places(loads)})"

    def _value(self, query: str, *parameters: str) -> Any:
        rows = self._client.sql_client.execute_sql(query, *parameters)
        return rows[0][0] if rows else None

    def _qualified(self, table: str) -> str:
        return self._client.sql_client.make_qualified_table_name(table)

    def _column(self, name: str) -> str:
        return self._client.sql_client.escape_column_name(self.column_name(name))


def _places(values: Sequence[str]) -> str:
    return ", ".join("%s" for _ in values)


def _duckdb_credentials() -> DuckDbCredentials:
    """Resolve dlt's own credentials; without any, dlt would make a file per pipeline."""
    credentials = resolve_configuration(DuckDbCredentials(), sections=("destination", "duckdb"))
    credentials.database = credentials.database or DEFAULT_DUCKDB_FILE
    return credentials


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


def _as_moment(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return None
    if isinstance(moment, datetime):
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    if isinstance(moment, date):
        return datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    return None
