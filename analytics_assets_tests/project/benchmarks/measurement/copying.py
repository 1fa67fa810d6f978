"""The least that a first load into PostgreSQL costs, measured beside the load itself."""

import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from adbc_driver_postgresql import dbapi

STAGED, TABLE = "copied_staging", "copied"


def write_rows(tables: Iterator[pa.Table], file: Path) -> None:
    """Write rows to a parquet file, as dlt has them when its load step begins."""
    first = next(tables)
    with pq.ParquetWriter(file, first.schema) as writer:
        writer.write_table(first)
        for table in tables:
            writer.write_table(table)


def copy_seconds(url: str, file: Path) -> float:
    """Load rows by COPY into a staging table and one INSERT ... SELECT, and drop both tables.

    Args:
        url: the URL of the database.
        file: a parquet file with the rows, which are copied in binary form, as by dlt.

    Returns:
        The seconds of both statements and their commit.
    """
    with dbapi.connect(url) as connection, connection.cursor() as cursor:
        began = time.perf_counter()
        with pq.ParquetFile(file) as rows:
            batches = pa.RecordBatchReader.from_batches(rows.schema_arrow, rows.iter_batches())
            cursor.adbc_ingest(STAGED, batches, mode="create")
        cursor.execute(f"CREATE TABLE {TABLE} (LIKE {STAGED})")
        cursor.execute(f"INSERT INTO {TABLE} SELECT * FROM {STAGED}")
        connection.commit()
        seconds = time.perf_counter() - began
        cursor.execute(f"DROP TABLE {STAGED}, {TABLE}")
        connection.commit()
    return seconds
