"""Statements for warehouses that are not here: parsed in their dialects, not executed."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
import sqlglot
from dlt import Schema
from dlt.common.destination import Destination
from dlt.destinations.sql_client import SqlClientBase
from sqlglot import exp

from analytics_assets.defs.analytics.api import API
from analytics_assets.warehouse.destinations.client import table_names
from analytics_assets.warehouse.destinations.row_changes import delete_rows, set_texts
from analytics_assets.warehouse.destinations.supported import destination_of
from analytics_assets.warehouse.queries.keys import duplicated_keys, rows_without_key
from analytics_assets.warehouse.queries.newest_rows import newest_rows, rows_by_day
from analytics_assets.warehouse.queries.tables import Span, Tables

DAY = datetime(2026, 1, 31, tzinfo=UTC)
SPAN = Span("updated_at", DAY, DAY)
COLUMNS: Any = {
    "id": {"name": "id", "data_type": "text"},
    "date": {"name": "date", "data_type": "date"},
    "updated_at": {"name": "updated_at", "data_type": "timestamp"},
    **{name: {"name": name, "data_type": "text"} for name in ("api", "reason", "_dlt_load_id")},
}
EACH = pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("snowflake", '"ANALYTICS"."ORDERS"'),
        ("bigquery", "`analytics`.`orders`"),
        ("databricks", "`analytics`.`orders`"),
        ("redshift", '"analytics"."orders"'),
    ],
)


class Recorder(SqlClientBase[Any]):
    """A client of dlt that records statements, and answers with ones."""

    def __init__(self, capabilities: Any) -> None:
        none: Any = None  # no database in front of names
        super().__init__(none, "analytics", "analytics_staging", capabilities)
        self.statements: list[str] = []

    def execute_sql(self, sql: Any, *args: Any, **kwargs: Any) -> Sequence[Sequence[Any]]:
        assert str(sql).count("%s") == len(args)
        self.statements.append(str(sql))
        dialect = self.capabilities.sqlglot_dialect
        parsed = sqlglot.parse_one(str(sql).replace("%s", "'1'"), read=dialect)
        return [["1"] * len(parsed.selects)] if isinstance(parsed, exp.Query) else []

    @contextmanager
    def begin_transaction(self) -> Iterator[Any]:
        yield self


RECORDER: Any = type("Recorded", (Recorder,), {"__abstractmethods__": frozenset()})
RECORDER.__abstractmethods__ = frozenset()


def recorded(kind: str) -> tuple[Any, Recorder]:
    """Return a client of a destination that connects to nothing, and its recorder."""
    destination: Any = Destination.from_reference(kind)
    able = destination.capabilities(destination.spec())
    sql = RECORDER(able)
    client = SimpleNamespace(
        schema=Schema("shop"),
        sql_client=sql,
        capabilities=able,
        config=SimpleNamespace(destination_type=kind),
        get_storage_table=lambda table: (True, COLUMNS),
    )
    return client, sql


@EACH
def test_queries_and_deletions_are_in_the_dialect_and_the_case_of_the_warehouse(
    kind: str, name: str
) -> None:
    client, sql = recorded(kind)
    tables = Tables(client)

    tables.row_count("orders")
    tables.size("orders", ["updated_at"])
    tables.rows_by_minute("orders", SPAN, ["1"])
    tables.rows_of_loads("orders", ["1", "2"])
    rows_by_day(tables, "orders", "date", DAY.date(), DAY.date())
    newest_rows(tables, "orders", ["id"], "updated_at", 5)
    rows_without_key(tables, "orders", ["id"], ["1"])
    duplicated_keys(tables, "orders", ["id"], ["1"])
    delete_rows(client, "orders", "1 = %s", 1)
    set_texts(client, "orders", {"reason": "a"}, "1 = %s", 1)
    assert sql.statements

    for statement in sql.statements:
        assert name in statement
        parsed = sqlglot.parse_one(statement.replace("%s", "'1'"), read=kind)
        assert not parsed.find(exp.Command), statement
        written = parsed.sql(dialect=kind)
        assert sqlglot.parse_one(written, read=kind) == parsed


@EACH
def test_lists_of_tables_are_asked_for_as_the_warehouse_has_them(kind: str, name: str) -> None:
    client, sql = recorded(kind)
    assert table_names(client) == ["1"]
    [statement] = sql.statements
    parsed = sqlglot.parse_one(statement.replace("%s", "'1'"), read=kind)
    [source] = parsed.find_all(exp.Table)
    assert "INFORMATION_SCHEMA" in source.sql().upper()
    assert ("analytics" in statement) == (kind == "bigquery")


def test_times_are_cut_to_the_minute_by_a_function_that_bigquery_has() -> None:
    client, sql = recorded("bigquery")
    Tables(client).rows_by_minute("orders", SPAN)
    assert "timestamp_trunc(`updated_at`, MINUTE)" in sql.statements[-1]


@pytest.mark.parametrize("kind", ["snowflake", "redshift", "motherduck"])
def test_a_merge_is_one_transaction_where_the_warehouse_has_some(kind: str) -> None:
    own: Any = destination_of(kind, "analytics")
    of_dlt: Any = Destination.from_reference(kind)
    assert own.capabilities(own.spec()).supports_transactions
    assert not of_dlt.capabilities(of_dlt.spec()).supports_transactions  # else this can go


def test_the_example_can_be_merged_into_each_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    from analytics_assets.orchestration.definitions import build_definitions

    monkeypatch.setenv("DESTINATION__FILESYSTEM__BUCKET_URL", "lake")
    for kind in ("snowflake", "bigquery", "databricks", "redshift", "ducklake", "filesystem"):
        monkeypatch.setenv("DESTINATION_TYPE", kind)
        assert build_definitions(API)
