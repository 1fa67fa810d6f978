"""Workarounds for dlt's client of PostgreSQL: a test fails once dlt corrects the defect."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import dlt
import pytest
from adbc_driver_manager.dbapi import Cursor
from dlt.pipeline.exceptions import PipelineStepFailed
from dlt.pipeline.pipeline import Pipeline
from pyarrow import RecordBatchReader

from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.loading import table_values


def test_dlt_cannot_copy_a_file_without_rows_to_postgres(
    postgres_warehouse: Warehouse, clean_place: Path
) -> None:
    with pytest.raises(PipelineStepFailed, match="at least one RecordBatch"):
        replace(stock_postgres(clean_place))


def test_dlt_makes_columns_of_waiting_rows_unique(
    postgres_warehouse: Warehouse, clean_place: Path
) -> None:
    pipeline = stock_postgres(clean_place)
    pipeline.run([{"id": 1}], table_name="orders", primary_key="id", write_disposition="merge")
    with pipeline.sql_client() as client:
        found = client.execute_sql(
            "SELECT schemaname FROM pg_indexes WHERE tablename = 'orders' ORDER BY 1"
        )
    assert found == [("stock",), ("stock_staging",)]


def test_dlt_reads_a_file_to_its_end_before_it_is_copied(
    postgres_warehouse: Warehouse, clean_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = record_copies(monkeypatch)
    load_numbers(stock_postgres(clean_place))
    with postgres_warehouse.loading("shop", table="orders") as own:
        load_numbers(own)
    # ADBC makes a table of whatever is no stream of Arrow
    assert [hasattr(rows, "__arrow_c_stream__") for rows in copied] == [False, True]


def test_a_copy_that_fails_halfway_is_made_again(
    postgres_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analytics_assets.warehouse.compat.ROWS", 2)
    copied = record_copies(monkeypatch, failing=1)
    with postgres_warehouse.loading("shop", table="orders") as pipeline:
        load_numbers(pipeline)
    assert len(copied) == 2
    rows = table_values(postgres_warehouse.pipeline("test_reader"), "orders")
    assert [row["id"] for row in rows] == list(range(5))


def stock_postgres(folder: Path) -> Pipeline:
    """A pipeline of dlt alone, in a folder that remembers nothing."""
    return dlt.pipeline(
        "stock", str(folder / "stock"), destination="postgres", dataset_name="stock"
    )


def load_numbers(pipeline: Pipeline) -> None:
    rows = [{"id": number} for number in range(5)]
    pipeline.run(
        rows, table_name="orders", write_disposition="append", loader_file_format="parquet"
    )


def record_copies(monkeypatch: pytest.MonkeyPatch, failing: int = 0) -> list[Any]:
    """Record what is copied to PostgreSQL; the copy of a number breaks off after two rows."""
    copied: list[Any] = []
    stock_ingest = Cursor.adbc_ingest

    def adbc_ingest(cursor: Any, table: str, data: Any, **kwargs: Any) -> int:
        if table == "orders":
            copied.append(data)
            if len(copied) == failing:
                data = RecordBatchReader.from_batches(data.schema, broken(data))
        return stock_ingest(cursor, table, data, **kwargs)

    monkeypatch.setattr(Cursor, "adbc_ingest", adbc_ingest)
    return copied


def broken(batches: Iterable[Any]) -> Iterator[Any]:
    yield next(iter(batches))
    raise ConnectionError("the connection was reset")


@pytest.mark.parametrize("strategy", ["truncate-and-insert", "insert-from-staging"])
def test_a_table_is_replaced_by_no_rows(
    warehouse: Warehouse, strategy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = warehouse.destination.destination_name
    monkeypatch.setenv(f"DESTINATION__{kind}__REPLACE_STRATEGY".upper(), strategy)
    with warehouse.loading("shop", table="orders") as pipeline:
        replace(pipeline)
    assert table_values(warehouse.pipeline("test_reader"), "orders") == []


def replace(pipeline: Pipeline) -> None:
    """Replace one row by none."""
    for rows in ([{"id": 1}], []):
        pipeline.run(
            rows,
            table_name="orders",
            write_disposition="replace",
            loader_file_format="parquet",
        )
