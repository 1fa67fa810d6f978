"""A client of dlt for Delta tables."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from dlt.common.destination import PreparedTableSchema
from dlt.common.schema.typing import TTableFormat, TTableSchemaColumns
from dlt.destinations.impl.filesystem.filesystem import FilesystemClient
from dlt.destinations.job_impl import FinalizedLoadJob, FinalizedLoadJobWithFollowupJobs
from dlt.destinations.sql_client import SqlClientBase
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random

from analytics_assets.warehouse.destinations.delta.table import (
    DELETED,
    arrow_schema,
    change_rows,
    columns_of,
    delete_rows,
    open_delta_table,
    set_values,
    storable,
    tidy,
)
from analytics_assets.warehouse.errors import WarehouseError

DELTA: TTableFormat = "delta"
SEPARATOR = "__"  # of the schema and the load in the name of a file about a load
ATTEMPTS = 20  # of a commit into a table that other loads write, too


class DeltaClient(FilesystemClient):
    """A client of a folder or a bucket whose tables are Delta tables; dlt's class is behind it.

    It answers what the clients of SQL warehouses answer, as far as this package asks.

    dlt 1.31.0 takes the columns of its own schema for those of a table, whatever the table has.
    """

    active_hints: Mapping[str, str] = {}  # there are no indexes

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.views: dict[str, Any] = {}

    @property
    def sql_client(self) -> SqlClientBase[Any]:
        """DuckDB with the tables."""
        if not self._sql_client:
            self._sql_client = self.sql_client_class(self, self.dataset_name)
        return self._sql_client

    @sql_client.setter
    def sql_client(self, client: SqlClientBase[Any]) -> None:
        self._sql_client = client

    @property
    def sql_client_class(self) -> Any:
        """The class of `sql_client`."""
        from analytics_assets.warehouse.destinations.delta.compat.sql_client import DeltaSqlClient

        return DeltaSqlClient

    @property
    def storage_options(self) -> dict[str, str]:
        """The options of the object store for `deltalake`."""
        from dlt.common.libs.deltalake import deltalake_storage_options

        config = self.config
        return deltalake_storage_options(config.credentials, config.deltalake_storage_options)

    def __enter__(self) -> "DeltaClient":
        """Open nothing: the first query connects to DuckDB."""
        return self

    def __exit__(
        self, kind: type[BaseException], value: BaseException, traceback: TracebackType
    ) -> None:
        """Close what queries have opened."""
        if self._sql_client:
            self._sql_client.close_connection()

    def create_dataset(self) -> None:
        """Make the folder of the dataset, which another load may make at the same time.

        dlt 1.31.0 fails where there is one.
        """
        self.fs_client.makedirs(self.dataset_path, exist_ok=True)

    def delta_table(self, name: str, dataset: str | None = None) -> Any:
        """Return the newest version of a table, None if there is none.

        Args:
            name: the table.
            dataset: another dataset in the same bucket.
        """
        own = self.dataset_name
        try:
            self.dataset_name = dataset or own
            location = self.get_open_table_location(DELTA, name)
        finally:
            self.dataset_name = own
        return open_delta_table(location, self.storage_options)

    def load_ids(self) -> set[str]:
        """Return dlt's ids of the loads into the dataset, from the names of their files."""
        return {load for _, (_, load) in self._loads()}

    def trim(self, before: float) -> None:
        """Remove dlt's records of loads from before a time, all but the newest of each schema.

        Args:
            before: the time in seconds since 1970, as ids of loads are.
        """
        newest: dict[str, str] = {}
        for _, (schema, load) in self._loads():
            newest[schema] = max(newest.get(schema, ""), load)
        for path, (schema, load) in self._loads():
            if schema == self.schema.name and load != newest[schema] and float(load) < before:
                self.fs_client.rm_file(path)

    def _loads(self) -> Iterator[tuple[str, tuple[str, str]]]:
        """Yield the files of dlt's records of loads, each with the schema and the load's id."""
        folder = self.get_table_dir(self.schema.loads_table_name)
        if not self.fs_client.isdir(folder):
            return
        for path in self.fs_client.ls(folder, detail=False):
            schema, _, load = Path(str(path)).stem.rpartition(SEPARATOR)
            if schema:
                yield str(path), (schema, load)

    def table_names(self) -> list[str]:
        """Return the names of the tables."""
        if not self.fs_client.isdir(self.dataset_path):
            return []
        found = self.fs_client.ls(self.dataset_path, detail=False)
        names = [Path(str(path).rstrip("/")).name for path in found]
        return [name for name in names if not self.is_dlt_table(name) and self.delta_table(name)]

    def get_storage_tables(
        self, table_names: Iterable[str]
    ) -> Iterator[tuple[str, TTableSchemaColumns]]:
        """Yield tables and their columns, none of those that there are not."""
        for name in table_names:
            if self.is_dlt_table(name):
                yield from super().get_storage_tables([name])
            else:
                table = self.delta_table(name)
                yield name, {} if table is None else columns_of(table)

    def prepare_load_table(self, table_name: str) -> PreparedTableSchema:
        """Prepare a table for a load: all are Delta tables."""
        table = super().prepare_load_table(table_name)
        if not self.is_dlt_table(table_name):
            given = table.get("table_format")
            if given not in (None, DELTA):
                raise WarehouseError(
                    f"{table_name}: its `table_format` is {given!r}; into the destination "
                    'filesystem rows are loaded as "delta" alone. Remove it from the entry.'
                )
            table["table_format"] = DELTA
        return table

    def get_load_job_class(self, table: PreparedTableSchema, file_path: str) -> Any:
        """Return the class of the job for a file.

        dlt 1.31.0 waits for a second for the end of a job that has ended before it began.
        """
        from analytics_assets.warehouse.destinations.delta.compat.load_jobs import (
            EmptyJob,
            ListedJob,
        )

        found = super().get_load_job_class(table, file_path)
        waited_for: dict[Any, Any] = {
            FinalizedLoadJob: EmptyJob,
            FinalizedLoadJobWithFollowupJobs: ListedJob,
        }
        return waited_for.get(found, found)

    @staticmethod
    def get_reference_followup_job_class(table: PreparedTableSchema) -> Any:
        """Return the class of the job that writes the files of a table."""
        from analytics_assets.warehouse.destinations.delta.compat.load_jobs import DeltaJob

        return DeltaJob if table.get("table_format") == DELTA else None

    def register_bucket(self, connection: Any) -> None:
        """Register the bucket for DuckDB, which would download an extension for it."""
        if not self.is_local_filesystem:
            connection.register_filesystem(self.fs_client)

    def change(self, name: str, ids: Sequence[str], values: Mapping[str, str]) -> None:
        """Set texts in some rows of a table."""
        if ids:
            self._commit(name, lambda table: set_values(table, ids, values))

    def delete(self, name: str, ids: Sequence[str]) -> None:
        """Delete some rows of a table."""
        if ids:
            self._commit(name, lambda table: delete_rows(table, ids))

    def put(self, name: str, columns: Any, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write rows in place of those with their identifiers; the table is made if there is none.

        Args:
            name: the table.
            columns: its columns in dlt's types, with that of the identifiers.
            rows: the rows.
        """
        import pyarrow as pa
        from deltalake import write_deltalake
        from deltalake.exceptions import DeltaError

        data = pa.Table.from_pylist([{**row} for row in rows], schema=arrow_schema(columns))
        if self.delta_table(name) is None:
            location = self.get_open_table_location(DELTA, name)
            try:
                write_deltalake(location, data.slice(0, 0), storage_options=self.storage_options)
            except DeltaError:  # another load has made it meanwhile
                if self.delta_table(name) is None:
                    raise
        data = data.append_column(DELETED, pa.array([False] * len(data)))
        self._commit(name, lambda table: change_rows(table, data))

    def _commit(self, name: str, change: Callable[[Any], None]) -> None:
        """Change a table, which loads of other resources may change at the same time."""
        from deltalake.exceptions import CommitFailedError

        retried = Retrying(
            retry=retry_if_exception_type(CommitFailedError),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_random(0.05, 1),
            reraise=True,
        )
        retried(lambda: change(self.delta_table(name)))
        self._forget(name)

    def replace(self, name: str, select: str) -> None:
        """Replace a table by the rows of a SELECT, in one commit.

        Args:
            name: the table; made if there is none.
            select: the SELECT.
        """
        from deltalake import write_deltalake

        with self.sql_client.execute_query(f"SELECT * FROM ({select}\n) LIMIT 0"):
            rows = storable(self.sql_client.native_connection.sql(select)).to_arrow_table()
        write_deltalake(
            self.get_open_table_location(DELTA, name),
            rows,
            mode="overwrite",
            schema_mode="overwrite",
            storage_options=self.storage_options,
        )
        self._forget(name)

    def tidy(self, *others: str) -> None:
        """Tidy the tables of the schema, and some others; see `table.tidy`.

        Raises:
            WarehouseError: a table stays as it was; its rows are whole.
        """
        from deltalake.exceptions import CommitFailedError, DeltaError

        for name in (*self.schema.data_table_names(seen_data_only=True), *others):
            try:
                if (table := self.delta_table(name)) is not None:
                    tidy(table)
            except CommitFailedError:
                continue  # another load has changed it meanwhile, and tidies it
            except (DeltaError, OSError) as error:
                raise WarehouseError(f"{name}: {error}") from error

    def _forget(self, name: str) -> None:
        """Forget a version of a table: the next query sees the newest one."""
        self.views.pop(name, None)
