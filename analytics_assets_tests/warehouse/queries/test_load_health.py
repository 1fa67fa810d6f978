"""Queries on the table `load_health`."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from analytics_assets.warehouse.queries.load_health import COLUMNS, Day
from analytics_assets.warehouse.warehouse import Warehouse

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SQL = {"bigint": "bigint", "double": "double precision", "text": "text", "bool": "boolean"}


def load(resource: str, at: datetime, outcome: str = "loaded", **values: Any) -> dict[str, Any]:
    row = {"api": "shop", "resource": resource, "outcome": outcome, "started_at": at.isoformat()}
    return {**row, "day": at.date().isoformat(), "run_id": f"{at:%H%M%S}", "attempt": 1, **values}


def store(warehouse: Warehouse, *rows: Mapping[str, Any]) -> None:
    with warehouse.pipeline("writer").sql_client() as client:
        client.create_dataset()
        table = client.make_qualified_table_name("load_health")
        types = {**SQL, "timestamp": "timestamp with time zone", "date": "date"}
        columns = ", ".join(f"{name} {types[kind]}" for name, (kind, _) in COLUMNS.items())
        client.execute_sql(f"CREATE TABLE {table} ({columns})")
        for row in rows:
            places = ", ".join("%s" for _ in row)
            client.execute_sql(
                f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", *row.values()
            )


def test_loads_are_counted_by_day_and_outcome(warehouse: Warehouse) -> None:
    store(
        warehouse,
        load("orders", START - 9 * DAY, rows_loaded=50),
        load("orders", START - DAY, rows_loaded=5, rows_rejected=1, seconds=1.5),
        load("items", START - DAY, rows_loaded=6, rows_rejected=2, seconds=2.5),
        load("items", START, outcome="failed"),
        load("orders", START, api="other", rows_loaded=70),
    )
    since = date(2026, 1, 25)
    with warehouse.open() as tables:
        health = tables.load_health("shop")
        days, by_resource = health.days(since), health.days_by_resource(since)

    failed = Day(date(2026, 1, 31), "failed", 1, 0, 0, 0.0)
    assert days == [Day(date(2026, 1, 30), "loaded", 2, 11, 3, 4.0), failed]
    assert by_resource == {
        "items": [Day(date(2026, 1, 30), "loaded", 1, 6, 2, 2.5), failed],
        "orders": [Day(date(2026, 1, 30), "loaded", 1, 5, 1, 1.5)],
    }


def test_the_last_load_that_succeeded_and_the_last_that_failed_are_found(
    warehouse: Warehouse,
) -> None:
    store(
        warehouse,
        load("orders", START - 2 * DAY, outcome="failed", error="first"),
        load("orders", START - DAY, outcome="killed", error="second"),
        load("orders", START, rows_loaded=5),
        load("items", START, rows_loaded=6),
        load("items", START + DAY, api="other", rows_loaded=70),
    )
    with warehouse.open() as tables:
        health = tables.load_health("shop")
        last, failed = health.last(succeeded=True), health.last(succeeded=False)

    assert {name: row["rows_loaded"] for name, row in last.items()} == {"orders": 5, "items": 6}
    assert last["orders"]["started_at"] == START
    assert {name: row["error"] for name, row in failed.items()} == {"orders": "second"}


@pytest.mark.usefixtures("warehouse")
def test_without_a_table_there_are_no_loads() -> None:
    with Warehouse.from_settings("shop").open() as tables:
        health = tables.load_health("shop")

        assert (health.exists, health.count(), health.days(date(2026, 1, 1))) == (False, 0, [])
        assert (health.days_by_resource(date(2026, 1, 1)), health.last(succeeded=True)) == ({}, {})
