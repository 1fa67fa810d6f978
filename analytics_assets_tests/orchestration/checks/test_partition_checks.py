"""Checks of partitions: missing, lost, shrunken and overdue ones, and rows of other days."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.load import Partitioned
from analytics_assets.config.resource import ResourceConfig
from analytics_assets.config.times.window import Window
from analytics_assets.orchestration.checks.partition_checks import (
    check_lost_partitions,
    check_missing_partitions,
    check_newest_partition,
    check_partition_rows,
    check_rows_elsewhere,
    check_rows_in_window,
)
from analytics_assets.orchestration.metadata.names import (
    ROWS_ELSEWHERE,
    ROWS_MARKED_DELETED,
    ROWS_OUTSIDE,
    ROWS_RECEIVED,
)
from analytics_assets.orchestration.partitions.row_counts import row_counts
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import TODAY, point_at
from analytics_assets_tests.support.partitioned import api_by_day, api_of, days_of, load_days
from analytics_assets_tests.support.sandbox import Sandbox
from analytics_assets_tests.support.tables import opened_with

ASSET = dg.AssetKey(["analytics", "page_views"])
NOW = datetime(2026, 1, 12, 6, tzinfo=UTC)
END = datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=UTC)  # of the last of `DAYS`
COLUMNS = "id bigint, date date"
VIEWS = api_by_day("page_views")
DAYS = days_of(VIEWS)


def outcomes(result: dg.ExecuteInProcessResult) -> dict[str, tuple[bool, str]]:
    return {
        evaluation.check_name: (evaluation.passed, str(evaluation.description))
        for evaluation in result.get_asset_check_evaluations()
    }


def daily(load: Partitioned) -> ResourceConfig:
    """A resource whose asset is `ASSET`, loaded by days."""
    return api_of("page_views", load).resources["page_views"]


def missing(instance: dg.DagsterInstance, *loaded: int, **parts: Any) -> tuple[bool, str]:
    """Return the outcome for the days of January once some of them are loaded."""
    for day in loaded:
        event = dg.AssetMaterialization(ASSET, partition=f"2026-01-{day:02}")
        instance.report_runless_asset_event(event)
    resource = daily(Partitioned(start=date(2026, 1, 1), **parts))
    result = check_missing_partitions(instance, resource, NOW)
    assert result.severity == dg.AssetCheckSeverity.WARN or result.passed
    return result.passed, result.text


def test_missing_days_are_named_and_counted(instance: dg.DagsterInstance) -> None:
    passed, text = missing(instance, 1, 4, 5, 7, 8, 9)
    assert not passed
    assert text.startswith(
        "3 of 9 partitions were never loaded as a whole: 2026-01-02 to 2026-01-03; 2026-01-06. "
    )


def test_days_that_ended_within_the_freshness_are_not_missing(
    instance: dg.DagsterInstance,
) -> None:
    assert missing(instance, *range(1, 10)) == (True, "All 9 partitions are loaded.")


def test_an_unfinished_partition_is_never_missing(instance: dg.DagsterInstance) -> None:
    assert missing(instance, *range(1, 10), include_unfinished=True)[0]


def test_ten_gaps_are_named_and_the_others_counted(instance: dg.DagsterInstance) -> None:
    resource = daily(Partitioned(start=date(2025, 1, 1)))
    for day in range(0, 360, 2):
        key = (date(2025, 1, 1) + timedelta(days=day)).isoformat()
        instance.report_runless_asset_event(dg.AssetMaterialization(ASSET, partition=key))
    result = check_missing_partitions(instance, resource, datetime(2025, 12, 28, tzinfo=UTC))
    assert result.text.count(";") == 10
    assert "and 169 more" in result.text


def test_rows_of_other_days_are_a_warning() -> None:
    assert check_rows_in_window({ROWS_OUTSIDE: 0, ROWS_RECEIVED: 5}).passed
    result = check_rows_in_window({ROWS_OUTSIDE: 2, ROWS_RECEIVED: 5})
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert result.text.startswith(
        "2 of 5 rows belong to other days than the request, and are loaded."
    )


PER_DAY = 9  # rows of a day in the table


def rows_of(days: Sequence[str], count: int = PER_DAY) -> str:
    return ", ".join(f"({number}, '{day}')" for day in days for number in range(count))


def test_days_with_far_fewer_rows_than_a_week_before_are_named(duckdb_warehouse: Warehouse) -> None:
    whole = [day for day in DAYS if day not in ("2025-07-20", "2025-07-21")]
    rows = f"{rows_of(whole)}, {rows_of(['2025-07-20'], 5)}"
    resource = VIEWS.resources["page_views"]
    with opened_with(duckdb_warehouse, page_views=(COLUMNS, rows)) as tables:
        result = check_partition_rows(tables, resource, DAYS, END)
        elsewhere = check_partition_rows(tables, resource, DAYS[-3:], END)

    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert result.text.startswith("2025-07-21 has 0 rows, a week before there were 9. If that is")
    assert "set `end_is_inclusive=False`" in result.text
    assert result.numbers == {"partitions with fewer rows": 1}
    assert (elsewhere.passed, elsewhere.text) == (True, "3 partitions were compared.")


def test_a_load_of_old_days_leaves_the_newest_partition_overdue(
    instance: dg.DagsterInstance,
) -> None:
    for day in ("2026-01-05", "2026-01-02"):
        instance.report_runless_asset_event(dg.AssetMaterialization(ASSET, partition=day))

    result = check_newest_partition(instance, daily(Partitioned(start=date(2026, 1, 1))), NOW)

    assert not result.passed
    assert result.text.startswith("The newest that is loaded is 2026-01-05; 2026-01-10 is due. ")


@pytest.mark.parametrize(
    ("now", "fresh"),
    [
        (datetime(2025, 7, 21, 11, tzinfo=UTC), True),  # the week from the 14th ended at midnight
        (datetime(2025, 7, 21, 13, tzinfo=UTC), False),
    ],
)
def test_the_newest_week_is_due_from_the_end_of_freshness_on(
    now: datetime, fresh: bool, instance: dg.DagsterInstance
) -> None:
    weekly = daily(Partitioned(by="week", start=date(2025, 7, 7)))
    week = dg.AssetMaterialization(ASSET, partition="week-2025-07-07")
    instance.report_runless_asset_event(week)

    assert check_newest_partition(instance, weekly, now).passed is fresh


def test_a_day_that_has_fewer_rows_than_were_loaded_is_lost(
    duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    for day in DAYS[:3]:
        metadata = {"dagster/partition_row_count": PER_DAY}
        event = dg.AssetMaterialization(ASSET, partition=day, metadata=metadata)
        instance.report_runless_asset_event(event)
    rows = f"{rows_of([DAYS[0], DAYS[2]])}, {rows_of([DAYS[1]], PER_DAY - 1)}"
    with opened_with(duckdb_warehouse, page_views=(COLUMNS, rows)) as tables:
        result = check_lost_partitions(instance, tables, VIEWS.resources["page_views"], END)

    assert (result.passed, result.numbers) == (False, {"lost partitions": 1})
    assert result.text.startswith(
        f"The table has fewer rows of 1 partition than were loaded: {DAYS[1]}. "
    )


@pytest.mark.parametrize(
    ("load", "passed"),
    [
        ({ROWS_ELSEWHERE: 0}, True),
        ({ROWS_ELSEWHERE: -1}, False),
        ({ROWS_ELSEWHERE: -2, ROWS_MARKED_DELETED: 2}, True),
        ({ROWS_ELSEWHERE: -3, ROWS_MARKED_DELETED: 2}, False),
        ({ROWS_ELSEWHERE: 1}, False),  # somebody else has changed the table
        ({ROWS_ELSEWHERE: 0, ROWS_OUTSIDE: 1}, False),  # it may hide one that is gone
        ({}, False),
    ],
)
def test_a_load_that_may_have_taken_rows_of_other_days_is_looked_at_with_the_whole_table(
    load: dict[str, int], passed: bool
) -> None:
    result = check_rows_elsewhere(load)
    assert (result is not None and result.passed) == passed


def test_checks_of_a_load_belong_to_the_window_of_its_own_run(
    duckdb_warehouse: Warehouse, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: list[dict[str, Any]] = [
        {"id": number, "date": f"2025-07-{2 + number // 5:02}"} for number in range(100)
    ]
    rows[3]["id"] = None
    api = orders_by_day(longest_window=4)
    with Sandbox(extra_rows={"orders": rows}) as sandbox:
        point_at(sandbox, monkeypatch)
        found = outcomes(load_days(instance, api, *DAYS[:4]))
        after = outcomes(load_days(instance, api, *DAYS[4:8]))
    assert found["complete_read"] == (True, "20 of 20 rows arrived.")
    assert found["no_rejected_rows"][0] is False
    assert "The last load rejected 1 of its rows (5.00%)." in found["no_rejected_rows"][1]
    assert after["complete_read"] == (True, "20 of 20 rows arrived.")
    assert "The last load rejected 0 of its rows" in after["no_rejected_rows"][1]
    assert after["partition_rows"] == (True, "1 partition was compared.")


@pytest.mark.parametrize("column", ["varchar", "timestamp with time zone"])
def test_rows_are_counted_by_the_days_of_the_time_zone_of_the_partitions(
    column: str, warehouse: Warehouse
) -> None:
    zone = "Asia/Kolkata"  # half an hour off
    moments = ["2025-07-02T18:29:59Z", "2025-07-02T18:30:00Z", "2025-07-03T18:29:59Z"]
    rows = ", ".join(f"({number}, '{moment}')" for number, moment in enumerate(moments))
    window = Window(format="%Y-%m-%dT%H:%M:%SZ", start_param="from", end_param="until")
    orders = orders_by_day(timezone=zone, window=window).resources["orders"]
    with opened_with(warehouse, orders=(f"id bigint, date {column}", rows)) as tables:
        counted = row_counts(tables, orders, ["2025-07-02", "2025-07-03"])
    assert counted == {"2025-07-02": 1, "2025-07-03": 2}


def orders_by_day(**parts: Any) -> Api:
    """An API with a resource of the test's own, loaded by days."""
    entry = {
        "name": "orders",
        "primary_key": "id",
        "write_disposition": "merge",
        "endpoint": {"path": "/v1/orders", "data_selector": "data"},
    }
    how = Partitioned(start=date(2025, 7, 2), **parts)
    config = {"client": VIEWS.config["client"], "resources": [entry]}
    return Api(name="shop", config=config, policies={"orders": {"load": how}})
