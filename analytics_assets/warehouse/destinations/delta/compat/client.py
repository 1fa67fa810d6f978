"""A client of dlt for Delta tables, and the job that writes one."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any

from dlt.common.destination import PreparedTableSchema
from dlt.common.schema.typing import TTableFormat, TTableSchemaColumns
from dlt.destinations.impl.filesystem.filesystem import (
    DeltaLoadFilesystemJob,
    FilesystemClient,
)
from dlt.destinations.sql_client import SqlClientBase
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random

from analytics_assets.warehouse.destinations.delta.merge import TARGET, changes, staged_rows
from analytics_assets.warehouse.destinations.delta.table import (
    DELETED,
    arrow_schema,
    change_rows,
    columns_of,
    delete_rows,
    open_delta_table,
    rows_of,
    set_values,
    tidy,
    written_rows,
)
from analytics_assets.warehouse.errors import WarehouseError

DELTA: TTableFormat = "delta"
SEPARATOR = "__"  # of the schema and the load in the name of a file about a load
ATTEMPTS = 20  # of a commit into a table that other loads write, too


class DeltaJob(DeltaLoadFilesystemJob):
    """The job that writes the rows of a load into a Delta table, in one commit."""

    def run(self) -> None:
        """Write the rows."""
        import duckdb
        import pyarrow as pa
        from deltalake import write_deltalake

        client, table = self._job_client, self._load_table
        assert isinstance(client, DeltaClient), "it makes this job"
        stored: Any = client.delta_table(self.load_table_name)
        disposition = table["write_disposition"]
        is_merged = disposition == "merge" and stored is not None
        known = stored and pa.schema(stored.schema().to_arrow())
        columns = {name: each for name, each in table["columns"].items() if each.get("data_type")}
        schema = arrow_schema(columns, known)
        prepared: Any = {**table, "columns": columns}
        package = Path(self.file_paths[0]).parent.parent
        with (
            TemporaryDirectory(dir=package) as folder,
            closing(duckdb.connect(config={"preserve_insertion_order": False})) as connection,
        ):
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute("SET temp_directory = ?", [folder])
            if is_merged:
                if new := [each for each in schema if each.name not in known.names]:
                    import deltalake

                    stored.alter.add_columns([deltalake.Field.from_arrow(each) for each in new])
                client.register_bucket(connection)
                connection.execute(f"CREATE VIEW {TARGET} AS {rows_of(stored)}")
            if disposition == "merge":
                query = changes(prepared, self.file_paths, exists=is_merged)
            else:
                query = staged_rows(prepared, self.file_paths)
            if is_merged:
                schema = schema.append(pa.field(DELETED, pa.bool_()))
            source = written_rows(connection, query, schema, Path(folder))
            if is_merged:
                change_rows(stored, source)
            else:
                location = client.get_open_table_location(DELTA, self.load_table_name)
                write_deltalake(
                    stored if stored is not None else location,
                    source,
                    partition_by=self._partition_columns or None,
                    mode="overwrite" if disposition == "replace" else "append",
                    schema_mode="merge",
                    storage_options=client.storage_options,
                    configuration=client.config.deltalake_configuration,
                )


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

    @staticmethod
    def get_reference_followup_job_class(table: PreparedTableSchema) -> Any:
        """Return the class of the job that writes the files of a table."""
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

        data = pa.Table.from_pylist([{**row} for row in rows], schema=arrow_schema(columns))
        if self.delta_table(name) is None:
            location = self.get_open_table_location(DELTA, name)
            write_deltalake(location, data.slice(0, 0), storage_options=self.storage_options)
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
            rows = self.sql_client.native_connection.sql(select).to_arrow_table()
        write_deltalake(
            self.get_open_table_location(DELTA, name),
            rows,
            mode="overwrite",
            schema_mode="overwrite",
            storage_options=self.storage_options,
        )
        self._forget(name)

    def tidy(self) -> None:
        """Tidy the tables of the schema; see `delta_table.tidy`."""
        for name in self.schema.data_table_names(seen_data_only=True):
            if (table := self.delta_table(name)) is not None:
                tidy(table)

    def _forget(self, name: str) -> None:
        """Forget a version of a table: the next query sees the newest one."""
        self.views.pop(name, None)
