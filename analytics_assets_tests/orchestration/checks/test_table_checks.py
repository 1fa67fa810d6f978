"""Checks of a table, made by SQL: each fails when its claim is false."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from analytics_assets.config.load import Partitioned
from analytics_assets.config.resource import ResourceConfig
from analytics_assets.orchestration.checks.table_checks import (
    check_columns,
    check_loaded_keys,
    check_newest_data,
    check_primary_key,
    check_rows_present,
)
from analytics_assets.orchestration.metadata.names import LOAD_ID, ROW_COUNT, ROWS_RECEIVED
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.orders import orders_api
from analytics_assets_tests.support.tables import opened_with

COLUMNS = "id bigint, day date"
END = datetime(2025, 8, 1, tzinfo=UTC)  # of the newest day, 31 July
ROWS = "(1, '2025-07-30'), (2, '2025-07-31')"


def orders(**policy: Any) -> ResourceConfig:
    return orders_api(**{"date_column": "day", **policy}).resources["orders"]


@pytest.mark.parametrize(
    ("rows", "passed", "text"), [("", False, "0 rows."), (ROWS, True, "2 rows.")]
)
def test_an_empty_table_fails(
    rows: str, passed: bool, text: str, duckdb_warehouse: Warehouse
) -> None:
    with opened_with(duckdb_warehouse, orders=(COLUMNS, rows)) as tables:
        result = check_rows_present(tables, "orders")

    assert (result.passed, result.text) == (passed, text)


@pytest.mark.parametrize(
    ("rows", "key", "text"),
    [
        (ROWS, ["id"], "0 rows without a key, 0 keys more than once."),
        ("(1, '2025-07-30'), (1, '2025-07-31')", ["id"], "0 rows without a key, 1 key more than"),
        ("(NULL, '2025-07-30')", ["id", "day"], "1 row without a key, 0 keys more than once."),
        (ROWS, ["id", "uuid"], "The table has no column uuid."),
    ],
)
def test_duplicate_and_null_keys_fail(
    rows: str, key: list[str], text: str, duckdb_warehouse: Warehouse
) -> None:
    with opened_with(duckdb_warehouse, orders=(COLUMNS, rows)) as tables:
        result = check_primary_key(tables, "orders", key)

    assert result.passed is ("0 rows without a key, 0 keys" in text)
    assert result.text.startswith(text)


LOADED = "(1, 'old'), (1, 'new'), (2, 'old'), (2, 'old'), (NULL, 'old'), (3, 'new'), (4, 'old')"


def loaded(received: int) -> dict[str, Any]:
    return {ROW_COUNT: 7, ROWS_RECEIVED: received, LOAD_ID: "new"}


@pytest.mark.parametrize(
    ("loads", "text"),
    [
        ((), "1 row without a key, 2 keys more than once."),
        (("new",), "Of the last load, 0 rows without a key, 1 key more than once."),
        (("old",), "Of the last load, 1 row without a key, 2 keys more than once."),
    ],
)
def test_keys_of_a_load_are_looked_up_in_the_whole_table(
    loads: tuple[str, ...], text: str, warehouse: Warehouse
) -> None:
    with opened_with(warehouse, orders=("id bigint, _dlt_load_id varchar", LOADED)) as tables:
        result = check_primary_key(tables, "orders", ["id"], loads)

    assert (result.passed, result.text) == (False, text)


def test_the_keys_of_a_load_of_most_rows_are_those_of_the_table(
    duckdb_warehouse: Warehouse,
) -> None:
    table = ("id bigint, _dlt_load_id varchar", LOADED)
    with opened_with(duckdb_warehouse, orders=table) as tables:
        assert check_loaded_keys(tables, "orders", ["id"], loaded(4)) is None
        of_load = check_loaded_keys(tables, "orders", ["id"], loaded(3))

    assert of_load
    assert of_load.text.startswith("Of the last load, 0 rows")


@pytest.mark.parametrize(
    ("rows", "counted", "text"),
    [(ROWS, 7, "7 rows."), ("", 7, "0 rows."), (ROWS, 0, "2 rows."), (ROWS, None, "2 rows.")],
)
def test_rows_that_the_load_has_counted_are_not_counted_again(
    rows: str, counted: int | None, text: str, warehouse: Warehouse
) -> None:
    with opened_with(warehouse, orders=(COLUMNS, rows)) as tables:
        assert check_rows_present(tables, "orders", counted).text == text


@pytest.mark.parametrize("kind", ["date", "timestamptz"])
@pytest.mark.parametrize(
    ("day", "text"), [("9999-12-31", "which is in the future"), ("0001-01-01", "days ago")]
)
def test_days_at_the_ends_of_the_calendar_are_old_or_in_the_future(
    day: str, text: str, kind: str, duckdb_warehouse: Warehouse
) -> None:
    table = (f"id bigint, day {kind}", f"(1, '{day}')")
    with opened_with(duckdb_warehouse, orders=table) as tables:
        result = check_newest_data(tables, orders(), datetime.now(UTC))

    assert not result.passed
    assert result.text.startswith(f"The newest `day` is {day}")
    assert text in result.text


@pytest.mark.parametrize(("hours", "fresh"), [(35, True), (37, False)])
def test_freshness_counts_from_the_end_of_the_newest_day(
    hours: int, fresh: bool, duckdb_warehouse: Warehouse
) -> None:
    now = END + timedelta(hours=hours)
    with opened_with(duckdb_warehouse, orders=(COLUMNS, ROWS)) as tables:
        result = check_newest_data(tables, orders(freshness=timedelta(hours=36)), now)

    assert result.passed is fresh
    assert result.text == (
        f"The newest `day` is 2025-07-31, which ended {hours} h ago; up to 36 h are fresh."
    )
    assert result.numbers == {"age (hours)": hours}


@pytest.mark.parametrize("ahead", [timedelta(hours=7), timedelta(hours=30)])
def test_a_day_that_has_not_ended_is_fresh_and_has_no_age(
    ahead: timedelta, duckdb_warehouse: Warehouse
) -> None:
    with opened_with(duckdb_warehouse, orders=(COLUMNS, ROWS)) as tables:
        result = check_newest_data(tables, orders(), END - ahead)

    assert (result.passed, result.numbers) == (True, {"age (hours)": 0})
    assert result.text == (
        "The newest `day` is 2025-07-31, which has not ended yet; up to 36 h are fresh."
    )


def test_the_day_of_a_time_ends_at_midnight(warehouse: Warehouse) -> None:
    moments = ("day timestamp with time zone", "('2025-07-31T15:00:00Z')")
    with opened_with(warehouse, orders=moments) as tables:
        result = check_newest_data(tables, orders(), END + timedelta(hours=8))

    assert "which ended 8 h ago" in result.text


@pytest.mark.parametrize(
    ("now", "fresh"),
    [
        (datetime(2025, 7, 21, 11, tzinfo=UTC), True),  # the week from the 14th ended at midnight
        (datetime(2025, 7, 21, 13, tzinfo=UTC), False),
    ],
)
def test_a_week_is_fresh_until_the_next_one_is_due(
    now: datetime, fresh: bool, duckdb_warehouse: Warehouse
) -> None:
    weekly = orders(load=Partitioned(by="week", start=date(2025, 7, 7)))
    with opened_with(duckdb_warehouse, orders=(COLUMNS, "(1, '2025-07-13')")) as tables:
        assert check_newest_data(tables, weekly, now).passed is fresh


@pytest.mark.parametrize(
    ("column", "rows", "text"),
    [
        ("time", ROWS, "The table has no column `time`: name the column of a row's day as `date_c"),
        ("day", "(1, NULL)", "No row has a date or a time in `day`."),
        ("id", ROWS, "No row has a date or a time in `id`."),
        ("day", "(1, '2025-09-01')", "The newest `day` is 2025-09-01, which is in the future."),
    ],
)
def test_a_table_without_a_usable_newest_day_fails(
    column: str, rows: str, text: str, duckdb_warehouse: Warehouse
) -> None:
    with opened_with(duckdb_warehouse, orders=(COLUMNS, rows)) as tables:
        result = check_newest_data(tables, orders(date_column=column), END)

    assert not result.passed
    assert result.text.startswith(text)


def schema(**columns: str) -> dg.TableSchema:
    return dg.TableSchema([dg.TableColumn(name, kind) for name, kind in columns.items()])


@pytest.mark.parametrize(
    ("before", "text"),
    [
        (None, "This is the first load."),
        (schema(), "The loads before had no rows, so that there were no columns."),
        (schema(id="bigint", value="text"), "2 columns, as before."),
        (schema(id="bigint", gone="date"), "added value (text); removed gone (date)"),
        (schema(id="text", value="text"), "id was text and is bigint"),
    ],
)
def test_changed_columns_are_named_in_a_warning(before: dg.TableSchema | None, text: str) -> None:
    result = check_columns(before, schema(id="bigint", value="text"))

    assert result.text == text
    assert result.passed is ("as before" in text or "first load" in text or "had no rows" in text)
    assert result.severity == dg.AssetCheckSeverity.WARN or result.passed
