"""Tables and columns that somebody has dropped: made again, and filled by what a load reads."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from dlt.pipeline.exceptions import PipelineStepFailed

from analytics_assets.config.errors import find_cause
from analytics_assets.warehouse.evolution.dropped import NoKeyColumnError
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.loading import change, table_values

Row = dict[str, Any]
ROWS = [
    {"id": number, "name": f"n{number}", "price": number / 2, "tags": [{"tag": "a"}, {"tag": "b"}]}
    for number in range(3)
]


def store(
    warehouse: Warehouse, rows: Sequence[Row] = ROWS, disposition: Any = "merge"
) -> Mapping[str, Sequence[str]]:
    """Load rows, and return what had been dropped before."""
    with warehouse.loading("shop", table="orders") as pipeline:
        pipeline.run(
            list(rows),
            table_name="orders",
            primary_key="id",
            write_disposition=disposition,
            columns={"name": {"nullable": False}} if "name" in rows[0] else {},
            loader_file_format="parquet",
        )
        return pipeline.dropped


def stored(warehouse: Warehouse, table: str = "orders", order: str = "id") -> list[Row]:
    return table_values(warehouse.pipeline("test_reader"), table, order)


def without_tags(rows: Sequence[Row]) -> list[Row]:
    return [{name: row[name] for name in ("id", "name", "price")} for row in rows]


@pytest.mark.parametrize("disposition", ["merge", "replace"])
def test_what_was_dropped_is_made_again_and_filled_by_a_load_of_all_rows(
    warehouse: Warehouse, disposition: str
) -> None:
    assert store(warehouse, disposition=disposition) == {}
    for statement, dropped in {
        "DROP TABLE {table}": {"orders": ()},
        "DROP TABLE analytics.orders__tags": {"orders__tags": ()},
        "ALTER TABLE {table} DROP COLUMN price": {"orders": ("price",)},
        "ALTER TABLE {table} DROP COLUMN name": {"orders": ("name",)},  # which was not null
        "ALTER TABLE {table} DROP COLUMN _dlt_load_id": {"orders": ("_dlt_load_id",)},
        "ALTER TABLE analytics.orders__tags DROP COLUMN tag": {"orders__tags": ("tag",)},
        "ALTER TABLE analytics.orders__tags DROP COLUMN _dlt_id": {"orders__tags": ("_dlt_id",)},
    }.items():
        change(warehouse, "orders", statement)
        assert store(warehouse, disposition=disposition) == dropped
        assert stored(warehouse) == without_tags(ROWS)
        assert [row["tag"] for row in stored(warehouse, "orders__tags", "tag")] == list("aaabbb")
    assert store(warehouse, disposition=disposition) == {}


def test_of_rows_that_are_not_read_a_dropped_column_has_no_value(warehouse: Warehouse) -> None:
    store(warehouse)
    change(warehouse, "orders", "ALTER TABLE {table} DROP COLUMN name")
    assert store(warehouse, ROWS[:1]) == {"orders": ("name",)}
    assert [row["name"] for row in stored(warehouse)] == ["n0", None, None]


def test_a_child_table_is_made_again_by_a_load_without_rows_for_it(warehouse: Warehouse) -> None:
    store(warehouse)
    change(warehouse, "orders", "DROP TABLE analytics.orders__tags")
    store(warehouse, without_tags(ROWS))
    assert stored(warehouse, "orders__tags", "tag") == []


@pytest.mark.parametrize(
    "place",
    [
        ("_dlt_loads", "_dlt_version", "_dlt_pipeline_state"),
        ("_staging.orders", "_staging.orders__tags", "_staging._dlt_version"),
    ],
)
def test_tables_of_dlt_and_those_of_waiting_rows_are_made_again(
    warehouse: Warehouse, place: Sequence[str]
) -> None:
    store(warehouse)
    for number, table in enumerate(place):
        dataset = "analytics" if table.startswith("_staging") else "analytics."
        change(warehouse, "orders", f"DROP TABLE {dataset}{table}")
        changed = [{**row, "price": float(number)} for row in ROWS]
        store(warehouse, changed)
        assert stored(warehouse) == without_tags(changed)


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE analytics._dlt_loads DROP COLUMN schema_version_hash",
        "ALTER TABLE analytics_staging.orders DROP COLUMN name",
        "DROP SCHEMA analytics_staging CASCADE",
        "DROP SCHEMA analytics CASCADE",
    ],
)
def test_a_dataset_or_a_column_of_those_tables_is_made_again(
    warehouse: Warehouse, statement: str
) -> None:
    store(warehouse)
    change(warehouse, "orders", statement)
    store(warehouse)
    assert stored(warehouse) == without_tags(ROWS)


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("orders", "id"),
        ("orders", "_dlt_id"),
        ("orders__tags", "_dlt_parent_id"),
    ],
)
def test_rows_that_nothing_identifies_any_more_are_refused_with_the_table_to_drop(
    warehouse: Warehouse, table: str, column: str
) -> None:
    store(warehouse)
    change(warehouse, table, f"ALTER TABLE {{table}} DROP COLUMN {column}")
    with pytest.raises(PipelineStepFailed) as failed:
        store(warehouse)
    refusal = str(find_cause(failed.value, NoKeyColumnError)).replace('"', "")
    assert refusal.startswith(f"The table `{table}` has rows, but no column `{column}`")
    assert f"DROP TABLE analytics.{table}" in refusal
    change(warehouse, table, "DROP TABLE {table}")
    store(warehouse)
    assert stored(warehouse) == without_tags(ROWS)
    assert len(stored(warehouse, "orders__tags", "tag")) == 6


def test_the_root_of_rows_in_lists_within_lists_is_found_again(warehouse: Warehouse) -> None:
    rows = [{"id": number, "lines": [{"parts": [{"part": f"{number}"}]}]} for number in range(2)]
    store(warehouse, rows)
    for table in ("orders__lines", "orders__lines__parts"):
        change(warehouse, table, "ALTER TABLE {table} DROP COLUMN _dlt_root_id")
    changed = [{"id": 0, "lines": [{"parts": [{"part": "new"}]}]}]
    store(warehouse, changed)
    parts = stored(warehouse, "orders__lines__parts", "part")
    assert [row["part"] for row in parts] == ["1", "new"]
