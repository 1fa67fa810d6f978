"""The new-data sensor of partitioned resources: a run per window."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import dagster as dg
import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.load import Partitioned
from analytics_assets.config.policy import PolicyEntry
from analytics_assets.contract.resource import resource_of
from analytics_assets.defs.analytics.api import API
from analytics_assets.orchestration.assets.observation import CHECK
from analytics_assets.orchestration.automation.new_data.sensor import EndpointRefusedError
from analytics_assets.orchestration.keys import endpoint_key
from analytics_assets.orchestration.runs.tags import (
    BEFORE_BACKFILLS,
    range_tags,
)
from analytics_assets.sandbox.series import FIRST_DAY
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import TODAY
from analytics_assets_tests.orchestration.automation.new_data.ticker import Ticker, names
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.loading import api_with
from analytics_assets_tests.support.partitioned import api_of
from analytics_assets_tests.support.sandbox import Sandbox

DAYS = Partitioned(start=FIRST_DAY, lookback=2)
NEWEST = f"{TODAY}T00:00:00+00:00"


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
    assert names(*Ticker(instance, connected, mixed).tick()) == set(API.resources)


def test_a_resource_without_a_partition_yet_is_skipped(
    connected: Sandbox, instance: dg.DagsterInstance
) -> None:
    how = Partitioned(start=TODAY)
    future = api_of("page_views", how, newest=API.resources["page_views"].policy.newest)
    ticker = Ticker(instance, connected, future)
    assert ticker.tick() == []
    assert ticker.skipped == "page_views: there is no partition yet."


def test_a_resource_that_refuses_some_days_is_not_reachable_again_at_each_tick(
    connected: Sandbox, instance: dg.DagsterInstance, duckdb_warehouse: Warehouse
) -> None:
    newest = API.resources["page_views"].policy.newest
    days = Partitioned(start=FIRST_DAY, lookback=4, longest_window=2)
    ticker = Ticker(instance, connected, api_of("page_views", days, newest=newest))
    connected.faults.add(Fault(path="/v1/page_views", day="2025-07-29", status=404, times=None))
    check = dg.AssetCheckKey(endpoint_key(resource_of(API, "page_views")), CHECK)
    found = list[tuple[str, bool]]()
    for _ in range(3):
        with suppress(EndpointRefusedError):
            ticker.tick()
        history = instance.event_log_storage.get_asset_check_execution_history(check, limit=10)
        found.append((str(history[0].status.value), len(history) == 1))
    assert found == [("FAILED", True)] * 3
