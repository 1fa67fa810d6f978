"""Plans of PostgreSQL for merges and deletions: each row is compared with few others."""

import inspect
from collections.abc import Sequence
from typing import Any

import pytest
from dlt.destinations.impl.postgres.sql_client import Psycopg2SqlClient
from dlt.destinations.sql_client import SqlClientBase
from dlt.destinations.sql_jobs import SqlMergeFollowupJob

from analytics_assets.extract.entry import DEDUPLICATED
from analytics_assets.warehouse.queries.anti_join import with_anti_joins
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.loading import table_values

Row = dict[str, Any]
CHANGES = ("DELETE", "INSERT", "UPDATE", "MERGE")
STRATEGIES = ["delete-insert", "upsert", "insert-only", "scd2"]
HINTS = {"gone": {"hard_delete": True}, "version": {"dedup_sort": "desc"}}


def order(number: int, *tags: str, gone: bool = False) -> Row:
    return {
        "id": number,
        "gone": gone,
        "version": number,
        "tags": [{"tag": tag, "parts": [{"part": tag}]} for tag in tags],
    }


def store(
    warehouse: Warehouse, rows: Sequence[Row], disposition: Any, columns: Any = None
) -> list[str]:
    """Merge rows, and return the loads that wrote them."""
    with warehouse.loading("shop", table="orders") as pipeline:
        info = pipeline.run(
            list(rows),
            table_name="orders",
            primary_key="id",
            write_disposition=disposition,
            columns=columns,
            loader_file_format="parquet",
        )
    return list(info.loads_ids)


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The plans of all changes to rows, each made right before its statement is executed."""
    explained: list[str] = []
    execute_sql = Psycopg2SqlClient.execute_sql

    def explain(client: Any, statement: Any, *args: Any, **kwargs: Any) -> Any:
        if str(statement).startswith(CHANGES) and "orders" in statement:
            plan = execute_sql(client, f"EXPLAIN {statement}", *args, **kwargs)
            explained.append("\n".join(line for [line] in plan or ()))
        return execute_sql(client, statement, *args, **kwargs)

    def execute_many(client: Any, statements: Sequence[str], *_: Any) -> None:
        for statement in statements:
            client.execute_sql(statement)

    monkeypatch.setattr(Psycopg2SqlClient, "execute_sql", explain)
    monkeypatch.setattr(SqlClientBase, "execute_many", execute_many)
    return explained


@pytest.mark.parametrize("columns", [None, HINTS])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_merge_compares_no_row_with_each_other_one(
    postgres_warehouse: Warehouse, plans: list[str], strategy: str, columns: Any
) -> None:
    disposition = {"disposition": "merge", "strategy": strategy}
    for rows in ([order(1, "a"), order(2, "b")], [order(1, "a", "c"), order(2, gone=True)]):
        store(postgres_warehouse, rows, disposition, columns)
    assert len(plans) >= 6  # of three tables, twice
    assert not [plan for plan in plans if "SubPlan" in plan]


def test_deduplicated_rows_are_inserted_by_one_scan(
    postgres_warehouse: Warehouse, plans: list[str]
) -> None:
    store(postgres_warehouse, [{"id": 1}, {"id": 2}], DEDUPLICATED)
    nodes = [line.split("(")[0].strip("-> ") for line in plans[-1].splitlines()]
    assert nodes == ["Insert on orders", "Seq Scan on orders orders_1"]


def test_rows_of_other_loads_are_deleted_with_their_children(
    warehouse: Warehouse, plans: list[str]
) -> None:
    store(warehouse, [order(1, "a"), order(2, "b", "c")], "merge")
    loads = store(warehouse, [order(1, "d")], "merge")
    plans.clear()
    with warehouse.open() as tables:
        tables.delete_rows_of_other_loads("orders", loads)
    assert not [plan for plan in plans if "SubPlan" in plan]
    reader = warehouse.pipeline("test_reader")
    assert [row["id"] for row in table_values(reader, "orders")] == [1]
    assert [row["tag"] for row in table_values(reader, "orders__tags", "tag")] == ["d"]
    assert [row["part"] for row in table_values(reader, "orders__tags__parts", "part")] == ["d"]


@pytest.mark.parametrize("statements", ["gen_upsert_sql", "gen_scd2_sql"])
def test_dlt_selects_absent_rows_by_not_in(statements: str) -> None:
    assert " NOT IN" in inspect.getsource(getattr(SqlMergeFollowupJob, statements))


def test_the_column_of_the_other_table_keeps_apart_from_that_of_the_row() -> None:
    statement = 'DELETE FROM a WHERE "id" NOT IN (SELECT "id" FROM b WHERE "until" IS NULL) AND c'
    assert with_anti_joins(statement) == (
        'DELETE FROM a WHERE NOT EXISTS (SELECT 1 FROM (SELECT "id" AS _dlt_other FROM b WHERE '
        '"until" IS NULL) AS _dlt_others WHERE _dlt_other = "id") AND c'
    )
