"""Unique columns of merged tables in PostgreSQL: indexed once the first rows are in the table."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from dlt.destinations.sql_client import SqlClientBase

from analytics_assets.extract.entry import DEDUPLICATED
from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.loading import change, table_values

Row = dict[str, Any]
UPSERT = {"disposition": "merge", "strategy": "upsert"}
INSERT_ONLY = {"disposition": "merge", "strategy": "insert-only"}
INDEXED = """
SELECT CAST(indrelid AS regclass) || '.' || attname FROM pg_index
JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY(indkey)
JOIN pg_class ON pg_class.oid = indrelid AND relname LIKE 'orders%' AND indisunique ORDER BY 1
"""
BOTH = ["analytics.orders._dlt_id", "analytics.orders__tags._dlt_id"]
ONE: Row = {"id": 1, "tags": [{"tag": "a"}]}
TWO: Row = {"id": 2, "tags": [{"tag": "b"}, {"tag": "c"}]}


def store(warehouse: Warehouse, rows: Sequence[Row], disposition: Any = "merge") -> None:
    with warehouse.loading("shop", table="orders") as pipeline:
        pipeline.run(
            list(rows),
            table_name="orders",
            primary_key="id",
            write_disposition=disposition,
            loader_file_format="parquet",
        )


def indexed(warehouse: Warehouse) -> list[str]:
    """The columns with a unique index, of waiting rows, too."""
    with warehouse.pipeline("test_reader").sql_client() as client:
        # the dataset's own names are on the search path, and shown without it
        client.execute_sql("SET search_path TO public")
        return [column for [column] in client.execute_sql(INDEXED) or ()]


def ids(warehouse: Warehouse) -> list[int]:
    return [row["id"] for row in table_values(warehouse.pipeline("test_reader"), "orders")]


@dataclass
class Merge:
    """The statements of a merge, and the unique columns that exist as it begins."""

    statements: list[str] = field(default_factory=list)
    indexed: list[str] = field(default_factory=list)


@pytest.fixture
def merges(monkeypatch: pytest.MonkeyPatch) -> list[Merge]:
    """The merges to come."""
    recorded: list[Merge] = []
    execute_many = SqlClientBase.execute_many

    def record(client: Any, statements: Sequence[str], *args: Any, **kwargs: Any) -> Any:
        if any("INTO" in statement for statement in statements):
            found = client.execute_sql(INDEXED)
            recorded.append(Merge(list(statements), [column for [column] in found]))
        return execute_many(client, statements, *args, **kwargs)

    monkeypatch.setattr(SqlClientBase, "execute_many", record)
    return recorded


@pytest.mark.parametrize("disposition", ["merge", DEDUPLICATED, UPSERT, INSERT_ONLY])
def test_first_rows_are_written_before_any_index(
    postgres_warehouse: Warehouse, merges: list[Merge], disposition: Any
) -> None:
    store(postgres_warehouse, [ONE], disposition)
    [first] = merges
    assert first.indexed == []
    *_, last, of_children = first.statements
    assert last == 'CREATE UNIQUE INDEX ON "analytics"."orders" ("_dlt_id")'
    assert of_children == 'CREATE UNIQUE INDEX ON "analytics"."orders__tags" ("_dlt_id")'
    assert indexed(postgres_warehouse) == BOTH


def test_later_merges_leave_the_indexes_alone(
    postgres_warehouse: Warehouse, merges: list[Merge]
) -> None:
    for rows in ([ONE], [ONE, TWO]):
        store(postgres_warehouse, rows)
    assert not any("INDEX" in statement for statement in merges[1].statements)
    change(postgres_warehouse, "orders", "DELETE FROM {table}")
    store(postgres_warehouse, [TWO])
    assert not any('orders"' in each for each in merges[2].statements if "INDEX" in each)
    assert indexed(postgres_warehouse) == BOTH
    assert ids(postgres_warehouse) == [2]


def test_a_child_table_that_appears_later_is_indexed_with_its_first_rows(
    postgres_warehouse: Warehouse, merges: list[Merge]
) -> None:
    store(postgres_warehouse, [{"id": 1}])
    assert indexed(postgres_warehouse) == BOTH[:1]
    store(postgres_warehouse, [TWO])
    assert merges[1].statements[-1].startswith("CREATE UNIQUE INDEX")
    assert indexed(postgres_warehouse) == BOTH


def test_a_first_load_with_a_row_twice_is_refused_and_leaves_nothing(
    postgres_warehouse: Warehouse,
) -> None:
    with pytest.raises(WarehouseError, match="could not create unique index"):
        store(postgres_warehouse, [{"id": 1, "_dlt_id": "a"}] * 2, DEDUPLICATED)
    assert ids(postgres_warehouse) == []
    store(postgres_warehouse, [{"id": 1, "_dlt_id": "a"}], DEDUPLICATED)
    assert ids(postgres_warehouse) == [1]
    assert indexed(postgres_warehouse) == BOTH[:1]


def test_indexes_that_waiting_rows_had_are_dropped(postgres_warehouse: Warehouse) -> None:
    store(postgres_warehouse, [ONE])
    change(
        postgres_warehouse, "orders", "ALTER TABLE analytics_staging.orders ADD UNIQUE (_dlt_id)"
    )
    store(postgres_warehouse, [TWO])
    assert indexed(postgres_warehouse) == BOTH
    assert ids(postgres_warehouse) == [1, 2]


@pytest.mark.parametrize("disposition", ["append", "replace"])
def test_tables_that_are_not_merged_are_indexed_as_they_are_created(
    postgres_warehouse: Warehouse, merges: list[Merge], disposition: str
) -> None:
    store(postgres_warehouse, [ONE], disposition)
    assert indexed(postgres_warehouse) == BOTH
    assert merges == []


def test_no_index_is_made_where_dlts_setting_says_so(
    postgres_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESTINATION__POSTGRES__CREATE_INDEXES", "false")
    store(postgres_warehouse, [ONE])
    assert indexed(postgres_warehouse) == []


def test_duckdb_makes_unique_columns_at_once(
    duckdb_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESTINATION__DUCKDB__CREATE_INDEXES", "true")
    store(duckdb_warehouse, [{"id": 1, "_dlt_id": "a"}])
    with pytest.raises(WarehouseError, match="violates unique constraint"):
        store(duckdb_warehouse, [{"id": 2, "_dlt_id": "a"}])
