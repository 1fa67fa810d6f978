"""The new-data sensor: asks for what moved, once, and forgets nothing when a run fails."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import dagster as dg
import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.load import Partitioned
from analytics_assets.config.policy import PolicyEntry
from analytics_assets.contract.resource import resources_of
from analytics_assets.defs.analytics.api import API
from analytics_assets.orchestration.automation.new_data_sensor import build_new_data_sensor
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets.orchestration.runs.tags import BEFORE_BACKFILLS, range_tags
from analytics_assets.sandbox.series import FIRST_DAY
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import TODAY
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.loading import api_with, load
from analytics_assets_tests.support.partitioned import api_of
from analytics_assets_tests.support.sandbox import Sandbox

DAYS = Partitioned(start=FIRST_DAY, lookback=2)
NEWEST = f"{TODAY}T00:00:00+00:00"


class Ticker:
    """Ticks the sensor as the daemon would, handing the cursor on."""

    def __init__(self, instance: dg.DagsterInstance, sandbox: Sandbox, api: Api = API) -> None:
        self.instance = instance
        self._sandbox = sandbox
        self._api = api
        self.cursor: str | None = None
        self.skipped = ""

    def tick(self) -> list[dg.RunRequest]:
        context = dg.build_sensor_context(
            instance=self.instance, cursor=self.cursor, definitions=build_definitions(self._api)
        )
        sensor = build_new_data_sensor(self._api, resources_of(self._api), self._now)
        data = sensor.evaluate_tick(context)
        self.cursor, self.skipped = data.cursor, data.skip_message or ""
        return list(data.run_requests or [])

    def _now(self) -> datetime:
        """Six o'clock of the API's day."""
        return datetime.combine(self._sandbox.today, time(6), UTC)

    def moved_to(self) -> dict[str, str]:
        moved: dict[str, str] = json.loads(self.cursor or "{}")
        return moved

    def carry_out(self, request: dg.RunRequest) -> bool:
        (key,) = request.asset_selection or []
        return load(self.instance, key.path[-1], api=self._api, tags=request.tags).success


@pytest.fixture
def ticker(connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance) -> Ticker:
    """A sensor on an API of the test's own."""
    return Ticker(instance, connected)


def resources(requests: list[dg.RunRequest]) -> set[str]:
    """Return what runs were requested for."""
    return {key.path[-1] for request in requests for key in request.asset_selection or []}


def test_a_resource_that_was_never_loaded_is_asked_for(ticker: Ticker) -> None:
    assert resources(ticker.tick()) == set(API.resources)


def test_one_cheap_request_per_resource_is_sent(ticker: Ticker, connected: Sandbox) -> None:
    ticker.tick()
    asked = [record for record in connected.requests if record.path != "/oauth/token"]
    assert sorted(record.path for record in asked) == sorted(f"/v1/{n}" for n in API.resources)
    assert {record.query["limit"] for record in asked} == {"1"}


def test_the_cursor_moves_only_once_the_run_has_succeeded(ticker: Ticker) -> None:
    request = next(r for r in ticker.tick() if resources([r]) == {"page_views"})
    assert ticker.moved_to() == {}
    ticker.tick()
    assert ticker.moved_to() == {}
    assert ticker.carry_out(request)
    ticker.tick()
    assert ticker.moved_to() == {"page_views": NEWEST}


def test_only_what_moved_on_is_asked_for_again(ticker: Ticker, connected: Sandbox) -> None:
    for request in ticker.tick():
        ticker.carry_out(request)
    assert ticker.tick() == []
    assert "nothing new since" in ticker.skipped
    connected.today = TODAY + timedelta(days=1)
    connected.faults.add(
        Fault(path="/v1/page_views", body=json.dumps({"data": [{"updated_at": NEWEST}]}))
    )
    assert resources(ticker.tick()) == set(API.resources) - {"page_views"}


def test_a_run_that_failed_is_asked_for_again_after_a_pause(
    ticker: Ticker, connected: Sandbox, instance: dg.DagsterInstance
) -> None:
    request = next(r for r in ticker.tick() if resources([r]) == {"page_views"})
    connected.faults.add(Fault(path="/v1/page_views", times=1, status=404))
    assert not ticker.carry_out(request)
    again = ticker.tick()
    assert "page_views" not in resources(again)
    assert ticker.moved_to() == {}


def test_a_failed_run_is_asked_for_under_another_key_once_the_pause_is_over(
    ticker: Ticker, connected: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "analytics_assets.orchestration.automation.new_data_sensor.INTERVAL", timedelta(0)
    )
    request = next(r for r in ticker.tick() if resources([r]) == {"page_views"})
    connected.faults.add(Fault(path="/v1/page_views", times=1, status=404))
    assert not ticker.carry_out(request)
    again = next(r for r in ticker.tick() if resources([r]) == {"page_views"})
    assert again.run_key != request.run_key
    assert ticker.carry_out(again)
    ticker.tick()
    assert ticker.moved_to() == {"page_views": NEWEST}


def test_no_second_run_is_asked_for_while_one_is_under_way(
    ticker: Ticker, instance: dg.DagsterInstance
) -> None:
    request = next(r for r in ticker.tick() if resources([r]) == {"page_views"})
    job = build_definitions(API).resolve_implicit_global_asset_job_def()
    run = instance.create_run_for_job(job, tags=dict(request.tags))
    instance.report_run_canceling(run)
    assert "page_views" not in resources(ticker.tick())


def test_data_that_a_schedule_has_loaded_is_not_asked_for_again(
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
    assert ticker.moved_to() == {"page_views": "2025-01-01T00:00:00+00:00"}


def test_one_endpoint_that_is_broken_does_not_hide_the_news_of_the_others(
    ticker: Ticker, connected: Sandbox
) -> None:
    connected.faults.add(Fault(path="/v1/website_overview", times=None, status=404))
    assert resources(ticker.tick()) == set(API.resources) - {"website_overview"}


def test_an_api_that_does_not_sort_is_found_out(ticker: Ticker, connected: Sandbox) -> None:
    load(ticker.instance)
    oldest = {"updated_at": "2025-07-02T00:00:00Z"}
    connected.faults.add(Fault(path="/v1/page_views", body=json.dumps({"data": [oldest]})))
    assert ticker.tick() == []
    assert "page_views: the API's newest change is of 2025-07-02" in ticker.skipped
    assert "Does the API honour the parameters of `newest`" in ticker.skipped


def test_a_missing_secret_is_a_skipped_tick(
    ticker: Ticker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CLIENT_SECRET")
    assert ticker.tick() == []
    assert "`client_secret`" in ticker.skipped


@pytest.fixture
def by_day(connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance) -> Ticker:
    """A sensor on a resource of days."""
    newest = API.resources["page_views"].policy.newest
    return Ticker(instance, connected, api_of("page_views", DAYS, newest=newest))


def test_a_resource_of_days_is_asked_for_over_the_days_that_its_schedule_takes(
    by_day: Ticker, connected: Sandbox
) -> None:
    [request] = by_day.tick()
    assert range_tags(["2025-07-29", "2025-07-31"]).items() <= request.tags.items()
    assert BEFORE_BACKFILLS.items() <= request.tags.items()
    assert "complete_read" in {key.name for key in request.asset_check_keys or []}
    asked = connected.requests[-1].query
    assert (asked["start_date"], asked["end_date"]) == ("2025-07-29", "2025-07-31")


def test_rows_of_days_that_its_run_would_not_load_are_no_news(
    warehouse: Warehouse, instance: dg.DagsterInstance, serve: Callable[[list[Any]], Sandbox]
) -> None:
    rows = [{"id": 1, "date": "2025-07-31", "updated_at": "2025-07-31T12:00:00Z"}]
    newest = API.resources["page_views"].policy.newest
    api = replace(api_with("orders"), policies={"orders": {"load": DAYS, "newest": newest}})
    sandbox = serve(rows)
    sandbox.today = TODAY
    ticker = Ticker(instance, sandbox, api)
    [request] = ticker.tick()
    assert ticker.carry_out(request)
    serve([*rows, {"id": 2, "date": str(TODAY), "updated_at": f"{TODAY}T05:00:00Z"}])
    assert ticker.tick() == []
    serve([{**rows[0], "updated_at": f"{TODAY}T05:00:00Z"}])
    assert len(ticker.tick()) == 1


def test_a_day_that_was_never_loaded_is_news_however_old_its_rows_are(
    by_day: Ticker, connected: Sandbox
) -> None:
    [request] = by_day.tick()
    assert by_day.carry_out(request)
    connected.today = TODAY + timedelta(days=1)
    again = Fault(path="/v1/page_views", body=json.dumps({"data": [{"updated_at": NEWEST}]}))
    connected.faults.add(again)
    [after] = by_day.tick()
    assert range_tags(["2025-07-30", "2025-08-01"]).items() <= after.tags.items()
    assert after.run_key != request.run_key
    assert by_day.carry_out(after)


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


def test_a_resource_without_a_partition_yet_is_left_alone(
    connected: Sandbox, instance: dg.DagsterInstance
) -> None:
    how = Partitioned(start=TODAY)
    future = api_of("page_views", how, newest=API.resources["page_views"].policy.newest)
    ticker = Ticker(instance, connected, future)
    assert ticker.tick() == []
    assert ticker.skipped == "page_views: there is no partition yet."
