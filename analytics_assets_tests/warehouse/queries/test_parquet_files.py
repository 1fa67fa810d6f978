"""Parquet files of a load: anywhere, of several types, and beside rows in other formats."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from dlt.pipeline.pipeline import Pipeline

from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.loading import table_values
from analytics_assets_tests.warehouse.queries.stock_loads import content, load, stock_pipeline


@pytest.mark.parametrize("disposition", ["merge", "append"])
@pytest.mark.parametrize("folder", ["it's [a] *; DROP?", "id=7", "env=prod"])
def test_files_may_be_in_a_folder_of_any_name(
    duckdb_warehouse: Warehouse,
    clean_place: Path,
    folder: str,
    disposition: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PIPELINES_DIR", str(clean_place / folder))
    with Warehouse.from_settings("analytics").loading("shop", table="orders") as pipeline:
        load(pipeline, [{"id": 1}], disposition)
    assert table_values(duckdb_warehouse.pipeline("test_reader"), "orders") == [{"id": 1}]


@pytest.mark.parametrize(
    ("values", "columns"),
    [
        ([2**53 + 1, 0.5], {"n": {"data_type": "decimal"}}),
        ([0.5, 2**53 + 1], {"n": {"data_type": "text"}}),
        ([2**53 + 1, 0.5, 2**53 + 3], {"n": {"data_type": "bigint"}}),
        ([[1, 2], "[3]", {"a": None}, {"b": "c"}], {"n": {"data_type": "json"}}),
        ([date(2026, 1, 1), datetime(2026, 1, 1, 5), None], {"n": {"data_type": "timestamp"}}),
    ],
)
def test_a_column_may_have_another_type_in_each_file(
    duckdb_warehouse: Warehouse,
    clean_place: Path,
    values: list[Any],
    columns: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATA_WRITER__FILE_MAX_ITEMS", "1")
    rows = [pa.table({"id": [number], "n": [value]}) for number, value in enumerate(values)]
    stock_file = str(clean_place / "stock.duckdb")
    for _ in range(2):
        load(stock_pipeline(stock_file), rows, "merge", columns)
        with duckdb_warehouse.loading("shop", table="orders") as pipeline:
            load(pipeline, rows, "merge", columns)
    assert content(str(duckdb_warehouse.duckdb_file)) == content(stock_file)


@pytest.mark.parametrize(
    ("kind", "new"),
    [("bigint", {"precision": 32}), ("timestamp", {"precision": 3, "timezone": False})],
)
def test_values_are_not_cut_to_a_precision_that_the_table_does_not_have(
    duckdb_warehouse: Warehouse, kind: str, new: Any
) -> None:
    value = 2**40 if kind == "bigint" else datetime(2026, 1, 1, 0, 0, 0, 123456, UTC)
    hints: list[Any] = [{}, new]
    for hint in hints:
        with duckdb_warehouse.loading("shop", table="orders") as pipeline:
            rows = pa.table({"id": [1], "n": [value]})
            load(pipeline, rows, "merge", {"n": {"data_type": kind, **hint}})
    reader = duckdb_warehouse.pipeline("test_reader")
    assert table_values(reader, "orders") == [{"id": 1, "n": value}]


def test_a_scope_may_name_columns_by_the_staging_table(duckdb_warehouse: Warehouse) -> None:
    scope = "EXISTS (SELECT 1 FROM {staging_table} WHERE {staging_table}.day = {table}.day)"
    scoped = {"disposition": "merge", "strategy": "delete-insert", "destination_scope": scope}
    days = [date(2026, 1, 1), date(2026, 1, 2)]
    with duckdb_warehouse.loading("shop", table="orders") as pipeline:
        load(pipeline, [{"id": day.day, "day": day} for day in days], "merge")
        load(pipeline, [{"id": 3, "day": days[0]}], scoped)
    found = table_values(duckdb_warehouse.pipeline("test_reader"), "orders")
    assert found == [{"id": 2, "day": days[1]}, {"id": 3, "day": days[0]}]


@pytest.mark.parametrize("stock", [True, False])
def test_columns_of_arrow_and_rows_of_one_table_are_merged_in_its_types(
    duckdb_warehouse: Warehouse, *, stock: bool
) -> None:
    ids: Any = {"id": {"data_type": "decimal", "precision": 3, "scale": 1}}

    def run(pipeline: Pipeline, name: str) -> None:
        own = {"_dlt_load_id": ["1"], "_dlt_id": [f"arrow {name}"]}
        arrow = pa.table({"id": [1.26], "arrow": [name], **own})
        items = [arrow, {"id": Decimal("2.26"), "row": name}]
        hints: Any = {"primary_key": "id", "write_disposition": "merge"}
        pipeline.run(items, table_name="orders", columns=ids, **hints)  # parquet, and statements

    for name in "ab":
        if stock:
            run(stock_pipeline(str(duckdb_warehouse.duckdb_file)), name)
        else:
            with duckdb_warehouse.loading("shop", table="orders") as pipeline:
                run(pipeline, name)
    assert table_values(duckdb_warehouse.pipeline("test_reader"), "orders") == [
        {"id": Decimal("1.3"), "arrow": "b", "row": None},
        {"id": Decimal("2.3"), "arrow": None, "row": "b"},
    ]
