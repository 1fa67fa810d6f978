"""The least that a first load into PostgreSQL costs, measured beside the load itself."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
from adbc_driver_postgresql import dbapi

STAGED, TABLE = "copied_staging", "copied"


def copy_seconds(url: str, tables: Iterator[pa.Table]) -> float:
    """Load rows by COPY into a staging table and one INSERT ... SELECT, and drop both tables.

    As in dlt's load step, rows come from a parquet file and are copied in binary form.

    Args:
        url: the URL of the database.
        tables: the rows, which are written to a file before time is taken.

    Returns:
        The seconds of both statements and their commit.
    """
    with tempfile.TemporaryDirectory(prefix="benchmark-copy-") as folder:
        file = Path(folder) / f"{uuid4().hex}.parquet"
        _write(tables, file)
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


def _write(tables: Iterator[pa.Table], file: Path) -> None:
    first = next(tables)
    with pq.ParquetWriter(file, first.schema) as writer:
        writer.write_table(first)
        for table in tables:
            writer.write_table(table)
