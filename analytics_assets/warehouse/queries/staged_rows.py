"""Rows that wait for their merge: read from the files of the load, and each once.

dlt 1.31 copies the rows of a load into a table of the dataset for staging, and merges them from
there. DuckDB reads its Parquet files as fast as that table, and takes most of a merge's time to
compress what it writes: without the copy, it compresses each row once.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from dlt.common.schema.typing import MERGE_DISPOSITION_HINTS
from dlt.common.storages.load_package import PackageStorage, ParsedLoadJobFileName
from dlt.destinations.job_client_impl import SqlJobClientWithStagingDataset

from analytics_assets.warehouse.parquet_files import files_of_one_type, parquet_files
from analytics_assets.warehouse.queries.tables import Tables

PARQUET = ".parquet"
SCOPE = MERGE_DISPOSITION_HINTS["destination_scope"]
# the selection of one row for each key, as dlt writes it
NUMBERED = re.compile(
    r"FROM \( *SELECT ROW_NUMBER\(\) OVER \(partition BY (?P<key>.+?) ORDER BY .+?\) "
    r"AS _dlt_dedup_rn, .+? +FROM (?P<table>\S+) +\) AS _dlt_dedup_numbered "
    r"WHERE _dlt_dedup_rn = 1 AND "
)


def is_read_by_merge(client: SqlJobClientWithStagingDataset, table: str, file_path: str) -> bool:
    """Test if the merge reads a file of a load, so that no job copies it into a table before.

    Args:
        client: dlt's client of the destination, with the schema of the load.
        table: the table of the file.
        file_path: the file.
    """
    is_readable = file_path.endswith(PARQUET) and Tables(client).dialect == "duckdb"
    # a scope of the entry's own may name columns by the staging table, which files are not
    has_scope = SCOPE in client.prepare_load_table(table)
    return is_readable and not has_scope and client.should_load_data_to_staging_dataset(table)


def has_no_rows(file_path: str) -> bool:
    """Test if a Parquet file has no rows."""
    from dlt.common.libs.pyarrow import get_parquet_metadata  # takes 0.1 s to import

    rows, _ = get_parquet_metadata(file_path)
    return rows == 0


def merge_of_files(
    client: SqlJobClientWithStagingDataset,
    tables: Iterable[str],
    package: Path,
    statements: Iterable[str],
) -> list[str]:
    """Return the statements of a merge for the rows of a load where these are.

    Args:
        client: dlt's client of the destination, in the transaction of the merge.
        tables: the tables of the merge.
        package: the folder of the load's files, all but that of the merge completed.
        statements: those of dlt, for rows in the tables of the dataset for staging.
    """
    files = defaultdict[str, list[str]](list)
    for path in (package / PackageStorage.COMPLETED_JOBS_FOLDER).glob(f"*{PARQUET}"):
        files[ParsedLoadJobFileName.parse(path.name).table_name].append(str(path))
    staged = {
        client.sql_client.get_qualified_table_names(table)[1]: _rows(client, table, files[table])
        for table in tables
        if table in files and is_read_by_merge(client, table, PARQUET)
    }
    return [_replaced(staged, _without_numbers(client, staged, each)) for each in statements]


def _replaced(staged: Mapping[str, str], statement: str) -> str:
    """Replace the staging tables of a statement by the rows of files."""
    for table, rows in staged.items():
        statement = statement.replace(table, rows)
    return statement


def _without_numbers(
    client: SqlJobClientWithStagingDataset, staged: Mapping[str, str], statement: str
) -> str:
    """Leave out the selection of one row for each key if no two rows have the same.

    The selection sorts whole rows, on disk where they exceed the memory: for a million of them in
    DuckDB, two to seven times the rest of the merge. To find a key that is repeated takes a tenth.
    """
    if found := NUMBERED.search(statement):
        # in PostgreSQL twice as fast as a GROUP BY; a key of nulls is taken for a repeated one
        query = f"SELECT count(*) = count(DISTINCT ({found['key']})) FROM {found['table']}"
        [[is_unique]] = client.sql_client.execute_sql(_replaced(staged, query)) or [[False]]
        if is_unique:
            return NUMBERED.sub(lambda one: f"FROM {one['table']} WHERE ", statement)
    return statement


def _rows(client: SqlJobClientWithStagingDataset, name: str, files: Iterable[str]) -> str:
    """Return SQL for the rows of a table: those of Parquet, and those that others copied.

    Both have the types of the staging table, to which an INSERT would cast them.
    """
    escaped = client.sql_client.escape_column_name
    columns = client.prepare_load_table(name)["columns"]
    staging = client.sql_client.get_qualified_table_names(name)[1]
    described = client.sql_client.execute_sql(f"DESCRIBE {staging}") or ()
    types = {str(column).casefold(): kind for column, kind, *_ in described}
    rows = [f"SELECT {', '.join(map(escaped, columns))} FROM {staging}"]
    for present, paths in files_of_one_type(files):
        assert present <= columns.keys(), "by dlt's normalizer"
        values = ", ".join(
            f"CAST({escaped(column) if column in present else 'NULL'} AS "
            f"{types[column.casefold()]}) AS {escaped(column)}"
            for column in columns
        )
        rows.append(f"SELECT {values} FROM {parquet_files(paths)}")
    return f"({' UNION ALL '.join(rows)})"
