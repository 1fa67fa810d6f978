"""Columns that were not null: a constraint counts as long as the warehouse or the entry has it."""

from collections.abc import Sequence
from typing import Any

import pytest
from dlt.pipeline.exceptions import PipelineStepFailed

from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.loading import change, table_values

Row = dict[str, Any]
ROWS: list[Row] = [{"id": None, "code": "a"}, {"code": "b"}]


def store(warehouse: Warehouse, rows: Sequence[Row], key: str, columns: Any = None) -> None:
    with warehouse.loading("shop", table="orders") as pipeline:
        pipeline.run(
            list(rows),
            table_name="orders",
            primary_key=key,
            write_disposition="merge",
            columns=columns,
            loader_file_format="parquet",
        )


@pytest.mark.parametrize(
    "remedy", ["DROP TABLE {table}", "ALTER TABLE {table} ALTER COLUMN id DROP NOT NULL"]
)
def test_a_former_key_may_be_null_once_the_warehouse_allows_it(
    warehouse: Warehouse, remedy: str
) -> None:
    store(warehouse, [{"id": 1, "code": "a"}], "id")
    with pytest.raises(PipelineStepFailed):
        store(warehouse, ROWS, "code")

    change(warehouse, "orders", remedy)
    for _ in range(2):
        store(warehouse, ROWS, "code", {"id": {"data_type": "bigint"}})
        found = table_values(warehouse.pipeline("test_reader"), "orders", "code")
        assert [(row["id"], row["code"]) for row in found] == [(None, "a"), (None, "b")]


def test_a_hint_that_a_column_is_not_null_counts_while_the_entry_has_it(
    warehouse: Warehouse,
) -> None:
    strict = {"code": {"data_type": "text", "nullable": False}}
    store(warehouse, [{"id": 1, "code": "a"}], "id", strict)
    change(warehouse, "orders", "ALTER TABLE {table} ALTER COLUMN code DROP NOT NULL")
    with pytest.raises(PipelineStepFailed):
        store(warehouse, [{"id": 1, "code": None}], "id", strict)
    store(warehouse, [{"id": 1, "code": None}], "id")
    [row] = table_values(warehouse.pipeline("test_reader"), "orders")
    assert row["code"] is None
