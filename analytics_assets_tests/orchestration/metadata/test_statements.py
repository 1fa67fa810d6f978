"""The statements of a run, a load and its checks: they read a large table by its indexes."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import dagster as dg
import pytest
from dlt.destinations.impl.duckdb.sql_client import DuckDbSqlClient
from dlt.destinations.impl.postgres.sql_client import Psycopg2SqlClient

from analytics_assets.config.load import Incremental
from analytics_assets.warehouse.evolution import indexes
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.loading import load
from analytics_assets_tests.support.orders import orders_api

AT = "2026-01-31T00:00:00Z"
WHOLE = re.compile(r'FROM "analytics"\."orders"(?! AS loaded)(?! as d )(?!.* WHERE )(?!.* LIMIT )')


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements to come."""
    recorded: list[str] = []

    def recording(execute: Any) -> Any:
        @contextmanager
        def execute_query(client: Any, query: Any, *values: Any, **named: Any) -> Iterator[Any]:
            recorded.extend(" ".join(each.split()) for each in str(query).split(";"))
            with execute(client, query, *values, **named) as cursor:
                yield cursor

        return execute_query

    for client in (DuckDbSqlClient, Psycopg2SqlClient):
        monkeypatch.setattr(client, "execute_query", recording(client.execute_query))
    return recorded


NUMBER, NEWEST = "SELECT (SELECT count(*)", 'SELECT max("at")'
CASES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "full": ({}, [NUMBER]),
    "incremental": (
        {"load": Incremental(param="since", field="at", initial_value=AT)},
        [NUMBER],
    ),
    "pruned": ({"prune": True, "max_pruned_share": 0}, ["SELECT count(*)", NEWEST]),
}


@pytest.mark.parametrize(("policy", "expected"), CASES.values(), ids=CASES)
def test_a_load_of_few_rows_reads_the_table_as_a_whole_once(
    policy: dict[str, Any],
    expected: list[str],
    serve: Callable[[list[Any]], object],
    statements: list[str],
    warehouse: Warehouse,
    instance: dg.DagsterInstance,
) -> None:
    shop = orders_api(date_column="at", freshness=timedelta(days=9999), **policy)
    for rows in (20, 1):
        statements.clear()
        serve([{"id": number, "at": AT} for number in range(rows)])
        assert load(instance, "orders", api=shop).success

    whole = [statement for statement in statements if WHOLE.search(statement)]
    assert len(whole) == len(expected)
    for statement, beginning in zip(whole, expected, strict=True):
        assert statement.startswith(beginning)


def test_a_load_of_few_rows_indexes_a_large_table(
    serve: Callable[[list[Any]], object],
    statements: list[str],
    postgres_warehouse: Warehouse,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(indexes, "INDEXED_FROM", 20)  # rows
    made = []
    for rows in (20, 1, 1):
        statements.clear()
        serve([{"id": number, "at": AT} for number in range(rows)])
        assert load(instance, "orders", api=orders_api(date_column="at")).success
        made.append([each for each in statements if each.startswith("CREATE INDEX")])

    assert made[0] == made[2] == []
    assert [each.rpartition(" ")[2] for each in made[1]] == ['("id")', '("_dlt_load_id")', '("at")']
