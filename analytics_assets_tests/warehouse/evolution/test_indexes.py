"""Indexes of large tables in PostgreSQL: made once, by a load of few rows, and used later."""

import logging
from typing import Any

import pytest

from analytics_assets.config.api import Api
from analytics_assets.contract.resource import Resource, resource_of
from analytics_assets.defs.analytics.api import API
from analytics_assets.warehouse.evolution import indexes
from analytics_assets.warehouse.evolution.indexes import INDEXED_FROM, create_indexes
from analytics_assets.warehouse.queries.tables import Tables
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.loading import entry_of
from analytics_assets_tests.support.tables import opened_with

COLUMNS = (
    "id varchar, day date, changed_at timestamptz, _dlt_load_id varchar, _dlt_id varchar",
    "('1', '2026-01-01', NULL, 'old', 'r1'), ('2', '2026-01-02', NULL, 'new', 'r2')",
)
TAGS = ("tag varchar, _dlt_root_id varchar", "('a', 'r1')")
MADE = """
SELECT indrelid::regclass || ' ' || substring(pg_get_indexdef(indexrelid) FROM '\\(.*') AS made
FROM pg_index JOIN pg_class ON pg_class.oid = indrelid AND relname LIKE 'orders%' ORDER BY made
"""
LOG = logging.getLogger("test")


def orders(indexes: bool = True, **entry: Any) -> Resource:
    given = {**entry_of("orders"), "primary_key": "id", "write_disposition": "merge", **entry}
    policy = {
        "date_column": "day",
        "indexes": indexes,
        "newest": {"params": {}, "field": "changed_at"},
    }
    api = Api(
        name="shop",
        config={**API.config, "resources": [given]},
        policies={"orders": policy},  # type: ignore[dict-item]
    )
    return resource_of(api, "orders")


def made(tables: Tables) -> list[str]:
    tables.rows("SET search_path TO analytics")
    return [str(index) for [index] in tables.rows(MADE)]


def test_a_load_of_few_rows_indexes_a_large_table_once(
    postgres_warehouse: Warehouse, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with opened_with(postgres_warehouse, orders=COLUMNS, orders__tags=TAGS) as tables:
        create_indexes(tables, orders(), INDEXED_FROM, 10, LOG)
        first = made(tables)
        create_indexes(tables, orders(), INDEXED_FROM, 10, LOG)
        assert made(tables) == first
    assert first == [
        "orders (_dlt_load_id)",
        "orders (changed_at)",
        "orders (day)",
        "orders (id)",
        "orders__tags (_dlt_root_id)",
    ]
    assert len(caplog.messages) == 2 * len(first)
    assert caplog.messages[0] == (
        "orders: making an index on `id`, as the table has 100,000 rows and this load brought 10"
    )
    assert caplog.messages[1].startswith("orders: made the index in 0.")


@pytest.mark.parametrize(
    ("rows", "loaded", "entry"),
    [
        (INDEXED_FROM - 1, 1, {}),
        (INDEXED_FROM, INDEXED_FROM, {}),
        (INDEXED_FROM, 10, {"write_disposition": "append"}),
        (INDEXED_FROM, 10, {"write_disposition": "replace"}),
        (INDEXED_FROM, 10, {"indexes": False}),
    ],
    ids=["small table", "load of all rows", "append", "replace", "policy"],
)
def test_other_tables_have_no_indexes_of_loads(
    rows: int, loaded: int, entry: dict[str, Any], postgres_warehouse: Warehouse
) -> None:
    with opened_with(postgres_warehouse, orders=COLUMNS) as tables:
        create_indexes(tables, orders(**entry), rows, loaded, LOG)
        assert made(tables) == []


def test_the_setting_of_dlt_leaves_indexes_out(
    postgres_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESTINATION__POSTGRES__CREATE_INDEXES", "false")
    with opened_with(postgres_warehouse, orders=COLUMNS) as tables:
        create_indexes(tables, orders(), INDEXED_FROM, 10, LOG)
        assert made(tables) == []


def test_duckdb_needs_no_index(duckdb_warehouse: Warehouse) -> None:
    with opened_with(duckdb_warehouse, orders=COLUMNS) as tables:
        create_indexes(tables, orders(), INDEXED_FROM, 10, LOG)
        assert tables.rows("FROM duckdb_indexes()") == []


@pytest.mark.parametrize(
    ("index", "serves"),
    [
        ("(day, id, _dlt_id)", True),
        ("(id)", False),
        ("(id, _dlt_id, day)", False),
        ("(id, day) WHERE day > '2026-01-01'", False),
        ("(id, (day + 1))", False),
        ("USING hash (id)", False),
    ],
)
def test_an_index_of_somebody_else_serves_if_it_begins_with_the_key(
    index: str, serves: bool, postgres_warehouse: Warehouse
) -> None:
    with opened_with(postgres_warehouse, orders=COLUMNS) as tables:
        tables.rows(f"CREATE INDEX ON {tables.qualified('orders')} {index}")
        create_indexes(tables, orders(primary_key=["id", "day"]), INDEXED_FROM, 10, LOG)
        assert ("orders (id, day)" not in made(tables)) is serves


def test_a_key_that_is_too_long_for_an_index_is_a_warning(
    postgres_warehouse: Warehouse, caplog: pytest.LogCaptureFixture
) -> None:
    with opened_with(postgres_warehouse, orders=COLUMNS) as tables:
        tables.rows(
            f"UPDATE {tables.qualified('orders')} SET id = "
            "(SELECT string_agg(md5(random()::text), '') FROM generate_series(1, 500))"
        )
        create_indexes(tables, orders(), INDEXED_FROM, 10, LOG)
        assert made(tables) == ["orders (_dlt_load_id)", "orders (changed_at)", "orders (day)"]
    [warning] = caplog.messages
    assert warning.startswith("`orders` has no index on `id`, so that each load reads it as a whol")
    assert "index row" in warning


def test_an_index_does_not_wait_for_those_who_write_for_long(
    postgres_warehouse: Warehouse,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(indexes, "PATIENCE", "50ms")
    with opened_with(postgres_warehouse, orders=COLUMNS) as tables:
        with (
            postgres_warehouse.pipeline("other").sql_client() as other,
            other.begin_transaction(),
        ):
            other.execute_sql(f"UPDATE {tables.qualified('orders')} SET id = '3' WHERE id = '1'")
            create_indexes(tables, orders(), INDEXED_FROM, 10, LOG)
            assert made(tables) == []
        assert "lock timeout" in caplog.messages[0]
        create_indexes(tables, orders(), INDEXED_FROM, 10, LOG)
        assert "orders (id)" in made(tables)


def test_no_limit_of_an_index_stays_in_a_session_that_a_pooler_lends_to_others(
    postgres_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened_with(postgres_warehouse, orders=COLUMNS) as tables:
        execute, limits = tables.execute, set[str]()
        [[usual]] = execute("SHOW lock_timeout")

        def executed(statement: str, *parameters: Any) -> Any:
            rows = execute(statement, *parameters)
            limits.update(limit for [limit] in execute("SHOW lock_timeout"))
            return rows

        monkeypatch.setattr(tables, "execute", executed)
        create_indexes(tables, orders(), INDEXED_FROM, 10, LOG)
        assert "orders (id)" in made(tables)
    assert limits == {usual}


QUERIES = {
    "the rows of a merge": "DELETE FROM {0} AS d WHERE EXISTS "
    "(SELECT 1 FROM {0}__tags AS s WHERE d.id = s.tag)",
    "the number of rows": "SELECT (SELECT count(*) FROM {0})",
    "the newest day": "SELECT (SELECT max(day) FROM {0})",
    "the rows of a load": "SELECT count(*) FROM {0} WHERE _dlt_load_id IN ('new')",
    "the newest rows": "SELECT id FROM {0} WHERE day IS NOT NULL ORDER BY day DESC LIMIT 5",
}


@pytest.mark.parametrize("query", QUERIES)
def test_queries_of_a_load_read_an_index(query: str, postgres_warehouse: Warehouse) -> None:
    with opened_with(postgres_warehouse, orders=COLUMNS, orders__tags=TAGS) as tables:
        create_indexes(tables, orders(), INDEXED_FROM, 10, LOG)
        tables.rows("SET enable_seqscan TO off")  # a table of two rows is read as a whole else
        tables.rows("SET enable_bitmapscan TO off")
        statement = QUERIES[query].format("analytics.orders")
        plan = "\n".join(line for [line] in tables.rows(f"EXPLAIN {statement}"))
    assert "Index" in plan
    assert "Seq Scan on orders " not in plan
