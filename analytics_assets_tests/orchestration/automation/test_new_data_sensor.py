"""The new-data sensor: requests a run per new change, and again if that run fails."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import dagster as dg
import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.load import Partitioned
from analytics_assets.config.policy import PolicyEntry
from analytics_assets.defs.analytics.api import API
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets.orchestration.runs.tags import (
    BEFORE_BACKFILLS,
    range_tags,
)
from analytics_assets.sandbox.series import FIRST_DAY
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import TODAY
from analytics_assets_tests.orchestration.automation.ticker import Ticker
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.loading import api_with, load
from analytics_assets_tests.support.partitioned import api_of
from analytics_assets_tests.support.sandbox import Sandbox

DAYS = Partitioned(start=FIRST_DAY, lookback=2)
NEWEST = f"{TODAY}T00:00:00+00:00"


@pytest.fixture
def ticker(connected: Sandbox, duckdb_warehouse: Warehouse, instance: dg.DagsterInstance) -> Ticker:
    """A sensor on an API of the test's own."""
    return Ticker(instance, connected)


def resources(requests: list[dg.RunRequest]) -> set[str]:
    """Return the resources of requested runs."""
    return {key.path[-1] for request in requests for key in request.asset_selection or []}


def test_a_run_is_requested_for_each_resource_that_was_never_loaded(ticker: Ticker) -> None:
    assert resources(ticker.tick()) == set(API.resources)


def test_one_cheap_request_per_resource_is_sent(ticker: Ticker, connected: Sandbox) -> None:
    ticker.tick()
    asked = [record for record in connected.requests if record.path != "/oauth/token"]
    assert sorted(record.path for record in asked) == sorted(f"/v1/{n}" for n in API.resources)
    assert {record.query["limit"] for record in asked} == {"1"}


def test_the_cursor_advances_once_the_run_has_succeeded(ticker: Ticker) -> None:
    request = next(r for r in ticker.tick() if resources([r]) == {"page_views"})
    assert ticker.changes() == {}
    ticker.tick()
    assert ticker.changes() == {}
    ticker.record(request)
    ticker.tick()
    assert ticker.changes() == {"page_views": NEWEST}


def test_only_resources_with_a_newer_change_are_requested_again(
    ticker: Ticker, connected: Sandbox
) -> None:
    for request in ticker.tick():
        ticker.record(request)
    assert ticker.tick() == []
    assert "nothing new since" in ticker.skipped
    connected.today = TODAY + timedelta(days=1)
    connected.faults.add(
        Fault(path="/v1/page_views", body=json.dumps({"data": [{"updated_at": NEWEST}]}))
    )
    assert resources(ticker.tick()) == set(API.resources) - {"page_views"}


def test_a_failed_run_is_not_requested_again_before_the_pause_is_over(
    ticker: Ticker, connected: Sandbox, instance: dg.DagsterInstance
) -> None:
    request = next(r for r in ticker.tick() if resources([r]) == {"page_views"})
    ticker.record(request, succeeds=False)
    again = ticker.tick()
    assert "page_views" not in resources(again)
    assert ticker.changes() == {}


def test_a_failed_run_is_requested_under_another_key_after_the_pause(
    ticker: Ticker, connected: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "analytics_assets.orchestration.automation.new_data_sensor.INTERVAL", timedelta(0)
    )
    request = next(r for r in ticker.tick() if resources([r]) == {"page_views"})
    ticker.record(request, succeeds=False)
    again = next(r for r in ticker.tick() if resources([r]) == {"page_views"})
    assert again.run_key != request.run_key
    ticker.record(again)
    ticker.tick()
    assert ticker.changes() == {"page_views": NEWEST}


def test_no_second_run_is_requested_while_one_is_in_progress(
    ticker: Ticker, instance: dg.DagsterInstance
) -> None:
    request = next(r for r in ticker.tick() if resources([r]) == {"page_views"})
    job = build_definitions(API).resolve_implicit_global_asset_job_def()
    run = instance.create_run_for_job(job, tags=dict(request.tags))
    instance.report_run_canceling(run)
    assert "page_views" not in resources(ticker.tick())


def test_data_that_a_schedule_has_loaded_is_not_requested_again(
    ticker: Ticker, instance: dg.DagsterInstance
) -> None:
    load(instance, "page_views")
    assert resources(ticker.tick()) == set(API.resources) - {"page_views"}


@pytest.mark.parametrize(
    "fault",
    [
        Fault(path="*", times=None, drop=True),
        Fault(path="/oauth/token", times=None, status=503),
        Fault(path="*", times=None, status=503),
    ],
    ids=["no answer", "no token", "errors"],
)
def test_an_api_that_is_down_is_a_skipped_tick_with_the_reason(
    ticker: Ticker, connected: Sandbox, fault: Fault
) -> None:
    connected.faults.add(fault)
    ticker.cursor = json.dumps({"page_views": "2025-01-01T00:00:00+00:00"})
    assert ticker.tick() == []
    assert connected.base_url in ticker.skipped
    assert ticker.changes() == {"page_views": "2025-01-01T00:00:00+00:00"}


def test_a_broken_endpoint_does_not_hide_new_data_of_the_others(
    ticker: Ticker, connected: Sandbox
) -> None:
    connected.faults.add(Fault(path="/v1/website_overview", times=None, status=404))
    assert resources(ticker.tick()) == set(API.resources) - {"website_overview"}


def test_an_api_that_ignores_the_sorting_is_reported(ticker: Ticker, connected: Sandbox) -> None:
    for request in ticker.tick():
        ticker.record(request)
    oldest = {"updated_at": "2025-07-02T00:00:00Z"}
    connected.faults.add(Fault(path="/v1/page_views", body=json.dumps({"data": [oldest]})))
    assert ticker.tick() == []
    assert "page_views: the API's newest change is of 2025-07-02" in ticker.skipped
    assert "Does the API honour the parameters of `newest`" in ticker.skipped


@pytest.mark.parametrize("setting", ["CLIENT_SECRET", "BASE_URL"])
def test_a_missing_setting_is_a_skipped_tick(
    ticker: Ticker, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    monkeypatch.delenv("SANDBOX__ENABLED")
    monkeypatch.delenv(setting)
    assert ticker.tick() == []
    assert f"needs the setting `{setting.lower()}`" in ticker.skipped


@pytest.fixture
def by_day(connected: Sandbox, duckdb_warehouse: Warehouse, instance: dg.DagsterInstance) -> Ticker:
    """A sensor on a resource of days."""
    newest = API.resources["page_views"].policy.newest
    return Ticker(instance, connected, api_of("page_views", DAYS, newest=newest))


def test_a_partitioned_resource_is_requested_for_the_days_of_its_schedule(
    by_day: Ticker, connected: Sandbox
) -> None:
    [request] = by_day.tick()
    assert range_tags(["2025-07-29", "2025-07-31"]).items() <= request.tags.items()
    assert BEFORE_BACKFILLS.items() <= request.tags.items()
    assert "complete_read" in {key.name for key in request.asset_check_keys or []}
    asked = connected.requests[-1].query
    assert (asked["start_date"], asked["end_date"]) == ("2025-07-29", "2025-07-31")


def test_rows_of_days_that_the_run_would_not_load_are_not_new(
    duckdb_warehouse: Warehouse, instance: dg.DagsterInstance, serve: Callable[[list[Any]], Sandbox]
) -> None:
    rows = [{"id": 1, "date": "2025-07-31", "updated_at": "2025-07-31T12:00:00Z"}]
    newest = API.resources["page_views"].policy.newest
    api = replace(api_with("orders"), policies={"orders": {"load": DAYS, "newest": newest}})
    sandbox = serve(rows)
    sandbox.today = TODAY
    ticker = Ticker(instance, sandbox, api)
    [request] = ticker.tick()
    assert ticker.run(request)
    serve([*rows, {"id": 2, "date": str(TODAY), "updated_at": f"{TODAY}T05:00:00Z"}])
    assert ticker.tick() == []
    serve([{**rows[0], "updated_at": f"{TODAY}T05:00:00Z"}])
    assert len(ticker.tick()) == 1


def test_a_day_that_was_never_loaded_is_requested_whatever_the_age_of_its_rows(
    by_day: Ticker, connected: Sandbox
) -> None:
    [request] = by_day.tick()
    by_day.record(request)
    connected.today = TODAY + timedelta(days=1)
    again = Fault(path="/v1/page_views", body=json.dumps({"data": [{"updated_at": NEWEST}]}))
    connected.faults.add(again)
    [after] = by_day.tick()
    assert range_tags(["2025-07-30", "2025-08-01"]).items() <= after.tags.items()
    assert after.run_key != request.run_key


def test_days_that_one_run_may_not_load_are_requested_per_window(
    connected: Sandbox, instance: dg.DagsterInstance, duckdb_warehouse: Warehouse
) -> None:
    newest = API.resources["page_views"].policy.newest
    days = Partitioned(start=FIRST_DAY, lookback=4, longest_window=2)
    ticker = Ticker(instance, connected, api_of("page_views", days, newest=newest))
    windows = [["2025-07-27", "2025-07-28"], ["2025-07-29", "2025-07-30"], ["2025-07-31"] * 2]
    first, second, third = ticker.tick()
    for request, window in zip((first, second, third), windows, strict=True):
        assert range_tags(window).items() <= request.tags.items()
    assert ticker.run(first)
    ticker.record(second, succeeds=False)
    assert ticker.run(third)
    assert ticker.tick() == []
    assert "2025-07-29 to 2025-07-30: 1 runs for the change" in ticker.skipped


def test_resources_with_different_partitions_share_the_sensor(
    connected: Sandbox, instance: dg.DagsterInstance
) -> None:
    starts = {"page_views": FIRST_DAY, "traffic_sources": FIRST_DAY + timedelta(days=1)}
    policies = {name: PolicyEntry(load=Partitioned(start=day)) for name, day in starts.items()}
    mixed = Api(
        name=API.name,
        config=API.config,
        default_policy={"newest": API.resources["page_views"].policy.newest},
        policies=policies,
    )
    assert resources(Ticker(instance, connected, mixed).tick()) == set(API.resources)


def test_a_resource_without_a_partition_yet_is_skipped(
    connected: Sandbox, instance: dg.DagsterInstance
) -> None:
    how = Partitioned(start=TODAY)
    future = api_of("page_views", how, newest=API.resources["page_views"].policy.newest)
    ticker = Ticker(instance, connected, future)
    assert ticker.tick() == []
    assert ticker.skipped == "page_views: there is no partition yet."
