"""The checks of partitions: holes, days that have shrunk, rows of other days, and old news."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.load import Partitioned
from analytics_assets.config.resource import ResourceConfig
from analytics_assets.config.window import Window
from analytics_assets.orchestration.checks.partition_checks import (
    check_missing_partitions,
    check_newest_partition,
    check_partition_rows,
    check_rows_in_window,
)
from analytics_assets.orchestration.checks.table_checks import check_newest_data
from analytics_assets.orchestration.partitions.row_counts import row_counts
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import TODAY, point_at
from analytics_assets_tests.support.loading import change
from analytics_assets_tests.support.partitioned import api_by_day, api_of, days_of, load_days
from analytics_assets_tests.support.sandbox import Sandbox

ASSET = dg.AssetKey(["analytics", "page_views"])
NOW = datetime(2026, 1, 12, 6, tzinfo=UTC)
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
    """Ask which days of January are missing, once some of them are loaded."""
    for day in loaded:
        event = dg.AssetMaterialization(ASSET, partition=f"2026-01-{day:02}")
        instance.report_runless_asset_event(event)
    resource = daily(Partitioned(start=date(2026, 1, 1), **parts))
    verdict = check_missing_partitions(instance, resource, NOW)
    assert verdict.severity == dg.AssetCheckSeverity.WARN or verdict.passed
    return verdict.passed, verdict.text


def test_holes_are_named_and_counted(instance: dg.DagsterInstance) -> None:
    passed, text = missing(instance, 1, 4, 5, 7, 8, 9)
    assert not passed
    assert text.startswith(
        "3 of 9 were never loaded as a whole: 2026-01-02 to 2026-01-03; 2026-01-06. "
    )


def test_what_is_over_for_a_shorter_time_than_freshness_allows_is_not_missing_yet(
    instance: dg.DagsterInstance,
) -> None:
    assert missing(instance, *range(1, 10)) == (True, "All 9 are loaded.")


def test_a_partition_that_is_not_over_is_never_missing(instance: dg.DagsterInstance) -> None:
    assert missing(instance, *range(1, 10), include_unfinished=True)[0]


def test_no_more_holes_are_named_than_can_be_read(instance: dg.DagsterInstance) -> None:
    resource = daily(Partitioned(start=date(2025, 1, 1)))
    for day in range(0, 360, 2):
        key = (date(2025, 1, 1) + timedelta(days=day)).isoformat()
        instance.report_runless_asset_event(dg.AssetMaterialization(ASSET, partition=key))
    verdict = check_missing_partitions(instance, resource, datetime(2025, 12, 28, tzinfo=UTC))
    assert verdict.text.count(";") == 10
    assert "and 169 more" in verdict.text


def test_rows_of_other_days_are_a_warning() -> None:
    assert check_rows_in_window({"rows_outside_window": 0, "rows_received": 5}).passed
    verdict = check_rows_in_window({"rows_outside_window": 2, "rows_received": 5})
    assert (verdict.passed, verdict.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert verdict.text.startswith("2 of 5 rows belong to other days than the request.")


@pytest.fixture
def views(connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance) -> Warehouse:
    """A warehouse with thirty days of nine rows each."""
    assert load_days(instance, api_by_day("page_views", longest_window=30)).success
    return warehouse


def test_days_with_far_fewer_rows_than_a_week_before_are_named(views: Warehouse) -> None:
    half = "SELECT id FROM {table} WHERE date = DATE '2025-07-20' ORDER BY id LIMIT 4"
    change(views, "page_views", f"DELETE FROM {{table}} WHERE id IN ({half})")
    change(views, "page_views", "DELETE FROM {table} WHERE date = DATE '2025-07-21'")
    midnight = datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=UTC)
    with views.open() as tables:
        left = row_counts(tables, VIEWS.resources["page_views"], DAYS)
        verdict = check_partition_rows(tables, VIEWS.resources["page_views"], DAYS, midnight)
        elsewhere = check_partition_rows(tables, VIEWS.resources["page_views"], DAYS[-3:], midnight)
    assert (left["2025-07-13"], left["2025-07-20"], left["2025-07-21"]) == (9, 5, 0)
    assert (verdict.passed, verdict.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "2025-07-21 has 0 rows, a week before there were 9" in verdict.text
    assert "set `end_is_inclusive=False`" in verdict.text
    assert verdict.numbers == {"partitions_with_fewer_rows": 1}
    assert elsewhere.passed


def test_a_backfill_of_old_days_does_not_make_old_news_fresh(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    load_days(instance, VIEWS, *DAYS[-1:])
    found = outcomes(load_days(instance, VIEWS, *DAYS[:2]))
    assert found["newest_data"][0] is found["newest_partition"][0] is False
    assert "The newest that is loaded is 2025-07-31" in found["newest_partition"][1]
    assert "The newest `date` is 2025-07-31" in found["newest_data"][1]
    assert "2025-07-04 to 2025-07-30" in found["missing_partitions"][1]


def test_a_day_whose_rows_took_the_place_of_anothers_is_told(
    warehouse: Warehouse, instance: dg.DagsterInstance, serve: Callable[[list[Any]], Sandbox]
) -> None:
    serve([{"id": number, "date": day} for day in DAYS[:2] for number in range(3)])
    found = outcomes(load_days(instance, orders_by_day(longest_window=1), *DAYS[:2]))
    passed, text = found["lost_partitions"]
    assert not passed
    assert text.startswith(f"The table has fewer rows of 1 than were loaded: {DAYS[0]}. ")


@pytest.mark.parametrize(
    ("now", "fresh"),
    [
        (datetime(2025, 7, 21, 11, tzinfo=UTC), True),  # the week from the 14th ended at midnight
        (datetime(2025, 7, 21, 13, tzinfo=UTC), False),
    ],
)
def test_a_week_is_fresh_until_the_next_one_is_due(
    warehouse: Warehouse,
    instance: dg.DagsterInstance,
    serve: Callable[[list[Any]], Sandbox],
    now: datetime,
    fresh: bool,
) -> None:
    serve([{"id": day, "date": f"2025-07-{day:02}"} for day in range(7, 14)])
    how = Partitioned(by="week", start=date(2025, 7, 7))
    api = replace(orders_by_day(), policies={"orders": {"load": how}})
    assert load_days(instance, api, "week-2025-07-07").success
    with warehouse.open() as tables:
        data = check_newest_data(tables, api.resources["orders"], now)
    partition = check_newest_partition(instance, api.resources["orders"], now)
    assert (data.passed, partition.passed) == (fresh, fresh)


def test_checks_of_a_load_belong_to_the_window_of_its_own_run(
    warehouse: Warehouse, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
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
    assert found["complete_read"] == (True, "20 rows arrived of 20.")
    assert found["no_rejected_rows"][0] is False
    assert "1 rows (5.00%) are in `rejected_rows`" in found["no_rejected_rows"][1]
    assert after["complete_read"] == (True, "20 rows arrived of 20.")
    assert after["no_rejected_rows"][0]
    assert after["partition_rows"] == (True, "1 were compared.")


@pytest.mark.parametrize("column", ["text", "timestamp"])
def test_rows_are_counted_by_the_days_of_the_time_zone_in_which_partitions_begin(
    column: str,
    warehouse: Warehouse,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    zone = "Asia/Kolkata"  # half an hour off
    moments = ["2025-07-02T18:29:59Z", "2025-07-02T18:30:00Z", "2025-07-03T18:29:59Z"]
    rows = [{"id": number, "date": moment} for number, moment in enumerate(moments)]
    window = Window(format="%Y-%m-%dT%H:%M:%SZ", start_param="from", end_param="until")
    types = {"date": {"data_type": column}}
    api = orders_by_day(types, timezone=zone, window=window)
    with Sandbox(extra_rows={"orders": rows}) as sandbox:
        point_at(sandbox, monkeypatch)
        assert load_days(instance, api, "2025-07-02", "2025-07-03").success
    with warehouse.open() as tables:
        counted = row_counts(tables, api.resources["orders"], ["2025-07-02", "2025-07-03"])
    assert counted == {"2025-07-02": 1, "2025-07-03": 2}


def orders_by_day(columns: Mapping[str, Any] | None = None, **parts: Any) -> Api:
    """An API with a resource of the test's own, loaded by days."""
    entry = {
        "name": "orders",
        "primary_key": "id",
        "write_disposition": "merge",
        "columns": columns or {},
        "endpoint": {"path": "/v1/orders", "data_selector": "data"},
    }
    how = Partitioned(start=date(2025, 7, 2), **parts)
    config = {"client": VIEWS.config["client"], "resources": [entry]}
    return Api(name="shop", config=config, policies={"orders": {"load": how}})
