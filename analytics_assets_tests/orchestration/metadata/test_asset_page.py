"""Charts of an asset's page: rows by day, week or month, and the last loads."""

import logging
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from analytics_assets.config.load import Partitioned
from analytics_assets.contract.resource import Resource, resource_of
from analytics_assets.orchestration.metadata import asset_page
from analytics_assets.orchestration.metadata.asset_page import LOADS, page_metadata
from analytics_assets.orchestration.metadata.names import (
    DURATION,
    LAST_ROWS,
    LAST_SECONDS,
    NEWEST_DATA,
    PREVIEW,
    ROWS_LOADED,
    ROWS_OF_LAST_LOADS,
    SECONDS_OF_LAST_LOADS,
)
from analytics_assets.warehouse.queries.tables import Tables
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.orders import orders_api
from analytics_assets_tests.support.tables import opened_with

TODAY = datetime.now(UTC).date()
YESTERDAY = TODAY - timedelta(days=1)
LOG = logging.getLogger(__name__)


def orders(**policy: Any) -> Resource:
    return resource_of(orders_api(**{"date_column": "day", **policy}), "orders")


def page(tables: Tables, resource: Resource, newest: date | None, **before: Any) -> dict[str, Any]:
    load = {ROWS_LOADED: 2, DURATION: 1.25, NEWEST_DATA: str(newest or "none")}
    return page_metadata(tables, resource, load, before, embedded=False, log=LOG)


def sentence(value: Any) -> str:
    return str(value.value).rpartition("\n\n")[2].replace("  \n", "; ")


@pytest.mark.parametrize("kind", ["date", "timestamp with time zone", "varchar"])
def test_days_without_rows_are_counted_up_to_yesterday(kind: str, warehouse: Warehouse) -> None:
    start, last = TODAY - timedelta(days=60), TODAY - timedelta(days=3)
    days = (last, last, start, start - timedelta(days=1))
    time = "T00:00:00Z" if kind.startswith("timestamp") else ""  # the server has a time zone
    rows = ", ".join(f"('{day}{time}')" for day in days)
    with opened_with(warehouse, orders=(f"day {kind}", rows)) as tables:
        found = page(tables, orders(), last)

    text = f"1 to 2 rows a day, none in 58 days; {start} to {YESTERDAY}"
    assert sentence(found["rows a day"]) == text
    assert list(found)[:3] == ["rows a day", SECONDS_OF_LAST_LOADS, "rows a day, larger"]


def test_data_that_ended_long_ago_is_shown_up_to_its_end(duckdb_warehouse: Warehouse) -> None:
    with opened_with(duckdb_warehouse, orders=("day date", "('2001-03-01')")) as tables:
        found = page(tables, orders(), date(2001, 3, 1))

    assert sentence(found["rows a day"]).startswith("1 row a day; 2001-01-01 to 2001-03-01")


@pytest.mark.parametrize(("by", "first"), [("week", date(2014, 1, 6)), ("month", date(2010, 3, 1))])
def test_weeks_and_months_have_bars_of_their_own(
    by: Any, first: date, duckdb_warehouse: Warehouse
) -> None:
    start = date(2010, 1, 4 if by == "week" else 1)
    periodic = orders(load=Partitioned(by=by, start=start))
    rows = "('2015-02-26'), ('2015-02-25'), ('2015-02-17')"
    with opened_with(duckdb_warehouse, orders=("day date", rows)) as tables:
        found = page(tables, periodic, date(2015, 2, 26))

    assert f" rows a {by}; {first} to 2015-02-" in sentence(found[f"rows a {by}"])


@pytest.mark.parametrize(
    ("rows", "newest"),
    [("('9999-12-31')", date(9999, 12, 31)), ("('0001-01-01')", date(1, 1, 1)), ("", None)],
)
def test_without_usable_days_the_last_loads_are_shown(
    rows: str, newest: date | None, duckdb_warehouse: Warehouse
) -> None:
    before: dict[str, Any] = {LAST_ROWS: "5 9", LAST_SECONDS: "3.5"}
    with opened_with(duckdb_warehouse, orders=("day date", rows)) as tables:
        found = page(tables, orders(), newest, **before)

    assert sentence(found[ROWS_OF_LAST_LOADS]) == "2 to 9 rows a load, the last 3 loads"
    assert sentence(found[SECONDS_OF_LAST_LOADS]) == "1.25 to 3.5 seconds, the last 2 loads"
    assert found[LAST_ROWS] == "5 9 2"


def test_the_page_has_a_limited_number_of_loads(duckdb_warehouse: Warehouse) -> None:
    before: dict[str, Any] = {LAST_SECONDS: " ".join(map(str, range(LOADS)))}
    with opened_with(duckdb_warehouse, orders=("id bigint", "(1)")) as tables:
        found = page(tables, orders(date_column=None), None, **before)

    assert found[LAST_SECONDS].split() == [*before[LAST_SECONDS].split()[1:], "1.25"]


def test_a_destination_that_cannot_answer_leaves_the_load_whole(
    duckdb_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(
        asset_page, "rows_by_day", lambda tables, table, *_: tables.select("no_such", table, "")
    )
    with opened_with(duckdb_warehouse, orders=("day date", f"('{TODAY}')")) as tables:
        found = page(tables, orders(), TODAY)

    assert ROWS_OF_LAST_LOADS in found
    assert PREVIEW not in found
    assert "The page of `orders` has no chart or no preview" in caplog.text
