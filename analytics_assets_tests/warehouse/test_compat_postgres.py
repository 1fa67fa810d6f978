"""Workarounds for dlt's client of PostgreSQL: a test fails once dlt corrects the defect."""

from pathlib import Path
from typing import Any

import dlt
import pytest
from adbc_driver_manager.dbapi import Cursor
from dlt.pipeline.exceptions import PipelineStepFailed
from dlt.pipeline.pipeline import Pipeline

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


def test_dlt_copies_a_file_to_postgres_as_a_whole(
    postgres_warehouse: Warehouse, clean_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_WRITER__BUFFER_MAX_ITEMS", "2")
    copied = record_copies(monkeypatch)
    load_numbers(stock_postgres(clean_place))
    assert len(copied) == 1
    copied.clear()
    with postgres_warehouse.loading("shop", table="orders") as own:
        load_numbers(own)
    assert [table.num_rows for table in copied] == [2, 2, 1]


def test_a_file_that_is_copied_in_part_is_copied_again(
    postgres_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_WRITER__BUFFER_MAX_ITEMS", "2")
    copied = record_copies(monkeypatch, failing=2)
    with postgres_warehouse.loading("shop", table="orders") as pipeline:
        load_numbers(pipeline)
    assert [table.num_rows for table in copied] == [2, 2, 2, 2, 1]
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
    """Record the tables that are copied to PostgreSQL; the one of a number fails."""
    copied: list[Any] = []
    stock_ingest = Cursor.adbc_ingest

    def adbc_ingest(cursor: Any, table: str, data: Any, **kwargs: Any) -> int:
        if table == "orders":
            copied.append(data)
            if len(copied) == failing:
                raise ConnectionError("the connection was reset")
        return stock_ingest(cursor, table, data, **kwargs)

    monkeypatch.setattr(Cursor, "adbc_ingest", adbc_ingest)
    return copied


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
