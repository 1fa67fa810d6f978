"""Private interfaces of dlt, each with the defect or the gap that it works around.

Versions: dlt 1.31.0 with DuckDB 2.0.0. `test_compat.py` fails once one of them is no longer needed.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import dlt
from dlt import Schema
from dlt.common.configuration import configspec
from dlt.common.destination import (
    Destination,
    DestinationCapabilitiesContext,
    PreparedTableSchema,
)
from dlt.common.destination.client import HasFollowupJobs, LoadJob, RunnableLoadJob
from dlt.common.normalizers.naming import NamingConvention
from dlt.common.schema.typing import TColumnSchema, TSchemaTables
from dlt.common.schema.utils import get_nested_tables, is_complete_column
from dlt.destinations._adbc_jobs import AdbcParquetCopyJob
from dlt.destinations.impl.duckdb.configuration import DuckDbCredentials
from dlt.destinations.job_client_impl import SqlJobClientWithStagingDataset, SqlLoadJob
from dlt.pipeline.pipeline import Pipeline

from analytics_assets.warehouse.evolution.dropped import loaded_tables
from analytics_assets.warehouse.evolution.guard import guard, merge_statements
from analytics_assets.warehouse.evolution.strategy import orphans_of_upsert
from analytics_assets.warehouse.evolution.uniqueness import is_deferred, unique_indexes
from analytics_assets.warehouse.parquet_files import parquet_files
from analytics_assets.warehouse.queries.anti_join import with_anti_joins
from analytics_assets.warehouse.queries.staged_rows import (
    PARQUET,
    has_no_rows,
    is_read_by_merge,
    merge_of_files,
)
from analytics_assets.warehouse.queries.tables import Tables

if TYPE_CHECKING:  # PostgreSQL does without
    from duckdb import DuckDBPyConnection

ROWS = 20_000  # of a file in memory while it is copied
# ids of rows are random: to compress them is a fifth of a load's CPU, for a fifth of their bytes
UNCOMPRESSED: Any = {"row_key": "USING COMPRESSION uncompressed"}
P = TypeVar("P", bound=Pipeline)


def new_pipeline(kind: type[P], **arguments: Any) -> P:
    """Return a pipeline of a class of its own, made of dlt's settings.

    dlt 1.31.0: `dlt.pipeline` resolves the settings, and makes a `Pipeline` of them unless the
    argument `_impl_cls`, which the documentation does not list, names another class.

    Args:
        kind: the class.
        **arguments: those of `dlt.pipeline`.
    """
    pipeline: P = dlt.pipeline(**arguments, _impl_cls=kind)
    return pipeline


class SyncingPipeline(Pipeline):
    """A pipeline with a context around its synchronization with the destination, and a hook.

    dlt 1.31.0: `Pipeline.run` calls the private `_sync_destination`, so that a subclass which
    overrides the public `sync_destination` is left out.
    """

    def syncing(self) -> AbstractContextManager[None]:
        """Return the context in which the pipeline reads its state from the destination."""
        return nullcontext()

    def synced(self) -> None:
        """Look at the schemas of earlier loads, in that context."""

    def _sync_destination(self, *args: Any, **kwargs: Any) -> None:
        with self.syncing():
            super()._sync_destination(*args, **kwargs)
            for name in self.schemas:
                drop_incomplete_columns(self.schemas[name])
            self.synced()


def drop_incomplete_columns(schema: Schema) -> None:
    """Drop the columns of a schema that no table has, as no value of theirs was ever loaded.

    dlt 1.31.0 stores the hints of such a column, restores them and applies them to later loads: a
    primary key that no row has refuses all rows, also once the entry names another key.
    """
    for table in schema.tables.values():
        columns = table["columns"]
        for column in [name for name in columns if not is_complete_column(columns[name])]:
            del columns[column]


class StaticCapabilities(Destination[Any, Any]):
    """A destination whose capabilities depend on no setting; the last base is dlt's own class.

    dlt 1.31.0 resolves all settings of a destination, credentials included, whenever its
    capabilities are read without a configuration: twenty times a load, an eighth of a small one.
    Subclasses have no `__init__`: of its arguments, dlt takes those that are not the default for
    settings.
    """

    @property
    def destination_type(self) -> str:
        """The name of dlt's own class, which settings and the stored state refer to."""
        return f"dlt.destinations.{type(self).__bases__[-1].__name__}"

    def capabilities(
        self, config: Any = None, naming: NamingConvention | None = None
    ) -> DestinationCapabilitiesContext:
        """Return the capabilities, of an empty configuration unless one is given."""
        return super().capabilities(config or self.spec(), naming)


class GuardedClient(SqlJobClientWithStagingDataset):
    """A client of a destination that holds stored tables against a load; dlt's class is behind it.

    dlt 1.31.0 only adds columns to a table, and only if it has not stored the schema before: a
    table or a column that was dropped stays away, and each load fails. It overwrites the stored
    type of a column by a changed hint, and the warehouse then converts or cuts the values: 5.5
    becomes 6 in a column of integers.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if Tables(self).dialect == "duckdb":
            self.active_hints = {**self.active_hints, **UNCOMPRESSED}

    def update_stored_schema(
        self,
        only_tables: Iterable[str] | None = None,
        expected_update: Any = None,
        force: bool = False,
    ) -> TSchemaTables | None:
        """Guard the tables, then create and extend them; called before the first row."""
        tables = sorted({*(only_tables or self.schema.tables), *loaded_tables(self)})
        guard(self, tables)
        return super().update_stored_schema(tables, expected_update, force=True)

    def create_load_job(
        self, table: PreparedTableSchema, file_path: str, load_id: str, restore: bool = False
    ) -> LoadJob:
        """Make the job of a file: dlt's own, but one that widens columns before a merge.

        A file without rows, as of a `replace` by none, is done at once: dlt 1.31.0 fails to copy it
        to PostgreSQL, `Must pass schema, or at least one RecordBatch`. So is one that the merge
        reads itself.
        """
        if SqlLoadJob.is_sql_job(file_path):
            return GuardedMerge(file_path)
        if file_path.endswith(PARQUET):
            if is_read_by_merge(self, str(table["name"]), file_path) or has_no_rows(file_path):
                return ReadByMerge(file_path)
            if Tables(self).dialect == "duckdb":
                return CopyOfFile(file_path)
        job = super().create_load_job(table, file_path, load_id, restore)
        return streamed(type(job))(file_path) if isinstance(job, AdbcParquetCopyJob) else job

    def _get_table_update_sql(
        self, table_name: str, new_columns: Sequence[TColumnSchema], generate_alter: bool
    ) -> list[str]:
        """Create a merged table without indexes, which `unique_indexes` makes after its first rows.

        dlt 1.31.0 has the setting `create_indexes` for all tables or none, also for those of rows
        that wait for their merge.
        """
        if not generate_alter and is_deferred(self, table_name):
            new_columns = [{**column, "unique": False} for column in new_columns]
        return super()._get_table_update_sql(table_name, new_columns, generate_alter)


class ReadByMerge(RunnableLoadJob, HasFollowupJobs):
    """The job of a file that is left to the merge, or has no rows.

    dlt 1.31.0 has a class for jobs without work, `FinalizedLoadJobWithFollowupJobs`, and waits a
    second for the next job to end before it finds that such a one is done.
    """

    def run(self) -> None:
        """Do nothing."""


class CopyOfFile(RunnableLoadJob, HasFollowupJobs):
    """The job of a Parquet file that DuckDB copies into a table.

    dlt 1.31.0 breaks off at a quote in the file's path, and DuckDB takes a folder `id=7` on it for
    a column of that value: each row has the id 7.
    """

    def run(self) -> None:
        """Copy the rows."""
        client = self._job_client.sql_client  # type: ignore[attr-defined]
        table = client.make_qualified_table_name(self.load_table_name)
        client.execute_sql(f"INSERT INTO {table} BY NAME FROM {parquet_files([self._file_path])}")


class StreamedCopy(AdbcParquetCopyJob):
    """A COPY that reads the file while it sends it; dlt's class is behind it.

    dlt 1.31.0 gives ADBC a generator, and ADBC makes one table of it in memory before it sends the
    first row: 1.2 GB for 4 million rows.
    """

    def run(self) -> None:
        """Copy the rows in one statement and one transaction."""
        import pyarrow as pa
        from pyarrow.parquet import ParquetFile

        catalog, schema = self._set_catalog_and_schema()
        with (
            self._connect() as connection,
            connection.cursor() as cursor,
            ParquetFile(self._file_path) as file,
        ):
            rows = pa.RecordBatchReader.from_batches(file.schema_arrow, file.iter_batches(ROWS))
            cursor.adbc_ingest(
                self.load_table_name,
                rows,
                mode="append",
                catalog_name=catalog,
                db_schema_name=schema,
            )
            connection.commit()


@cache
def streamed(job: type[Any]) -> type[Any]:
    """Make a class of jobs, as dlt imports a destination's driver where it is used only."""
    return type(f"Streamed{job.__name__}", (StreamedCopy, job), {})


class GuardedMerge(SqlLoadJob):
    """The job of a merge's statements, in one transaction with those that widen, clean up or index.

    They read the rows of files that no job has copied. dlt 1.31.0 writes the statements of a merge
    into a file before it connects to the warehouse, and runs them while its client is set to the
    dataset of the rows that wait for them.
    """

    def _split_fragments(self, sql: str) -> list[str]:
        client = self._job_client
        assert isinstance(client, GuardedClient), "made by it"
        tables = get_nested_tables(client.schema.tables, self.load_table_name)
        dataset, _ = client.create_dataset_names(client.schema, client.config)
        with client.sql_client.with_alternative_dataset_name(dataset):
            names = [str(table["name"]) for table in tables]
            statements = map(with_anti_joins, super()._split_fragments(sql))
            package = Path(self._file_path).parent.parent
            merge = merge_of_files(client, names, package, statements)
            first = merge_statements(client, names)
            last = [
                *orphans_of_upsert(client, self.load_table_name),
                *unique_indexes(client, names),
            ]
        return [*first, *merge, *last]


@configspec(init=False)
class DuckDbFile(DuckDbCredentials):
    """DuckDB's credentials: nearly always the path of a file and nothing else.

    dlt 1.31.0 imports SQLAlchemy to find out that a path is no URL, and once more to make a URL of
    it for its trace, which takes as long as a small load.
    """

    def parse_native_representation(self, native_value: Any) -> None:
        """Take a path as it is, and leave all else to dlt."""
        if isinstance(native_value, str) and "://" not in native_value:
            self.database = native_value
        else:
            super().parse_native_representation(native_value)

    def __str__(self) -> str:
        """Return the URL of the file for dlt's trace."""
        return f"{self.drivername}:///{self.database}"


@contextmanager
def pooled_connection(credentials: DuckDbFile) -> Iterator["DuckDBPyConnection"]:
    """Open a DuckDB file with the extensions, pragmas and options of dlt's settings.

    dlt 1.31.0 applies those in the undocumented pool of its credentials alone.

    Raises:
        duckdb.Error: the file cannot be opened.
    """
    pool = credentials.conn_pool
    assert pool is not None, "credentials that are resolved have one"
    connection = pool.borrow_conn()
    try:
        yield connection
    finally:
        pool.return_conn(connection)
