"""The new-data sensor: asks for what moved, once, and forgets nothing when a run fails."""

import json
from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pytest

from analytics_assets.api import API
from analytics_assets.configuration import Api
from analytics_assets.definitions import build_definitions
from analytics_assets.load import Partitioned
from analytics_assets.partitions import due_partitions, range_tags
from analytics_assets.policy import PolicyEntry
from analytics_assets.run_priority import BEFORE_BACKFILLS
from analytics_assets.sandbox import Fault, Sandbox
from analytics_assets.sandbox.series import FIRST_DAY
from analytics_assets.sensors import build_sensor
from analytics_assets.warehouse import Warehouse
from analytics_assets_tests.conftest import TODAY
from analytics_assets_tests.loading import load
from analytics_assets_tests.partitioned import api_of

NEWEST = f"{TODAY}T00:00:00+00:00"


class Ticker:
    """Ticks the sensor as the daemon would, handing the cursor on."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self.cursor: str | None = None
        self.skipped = ""

    def tick(self) -> list[dg.RunRequest]:
        definitions = build_definitions(API)
        sensor = definitions.resolve_sensor_def("analytics_new_data")
        context = dg.build_sensor_context(
            instance=self.instance, cursor=self.cursor, definitions=definitions
        )
        data = sensor.evaluate_tick(context)
        self.cursor, self.skipped = data.cursor, data.skip_message or ""
        return list(data.run_requests or [])

    def moved_to(self) -> dict[str, str]:
        moved: dict[str, str] = json.loads(self.cursor or "{}")
        return moved

    def carry_out(self, request: dg.RunRequest) -> bool:
        (key,) = request.asset_selection or []
        return load(self.instance, key.path[-1], tags=request.tags).success


@pytest.fixture
def ticker(connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance) -> Ticker:
    """A sensor on an API of the test's own."""
    return Ticker(instance)


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
    monkeypatch.setattr("analytics_assets.sensors.INTERVAL", timedelta(0))
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


def test_a_resource_of_days_is_asked_for_over_the_days_that_its_schedule_takes(
    connected: Sandbox, instance: dg.DagsterInstance
) -> None:
    how = Partitioned(start=date.today() - timedelta(days=30), lookback=2)
    newest = API.policy("page_views").newest
    by_day = api_of("page_views", how, newest=newest)
    sensor = build_sensor(by_day)
    context = dg.build_sensor_context(
        instance=instance, repository_def=build_definitions(by_day).get_repository_def()
    )
    [request] = sensor.evaluate_tick(context).run_requests or []
    due = due_partitions(how, datetime.now(UTC))
    assert len(due) == 3
    assert {**range_tags(due), **BEFORE_BACKFILLS}.items() <= request.tags.items()
    checks = {key.name for key in request.asset_check_keys or []}
    assert "complete_read" in checks


def test_resources_with_different_partitions_share_the_sensor(
    connected: Sandbox, instance: dg.DagsterInstance
) -> None:
    starts = {"page_views": FIRST_DAY, "traffic_sources": FIRST_DAY + timedelta(days=1)}
    policies = {name: PolicyEntry(load=Partitioned(start=day)) for name, day in starts.items()}
    mixed = Api(
        name=API.name,
        config=API.config,
        default_policy={"newest": API.policy("page_views").newest},
        policies=policies,
    )
    context = dg.build_sensor_context(
        instance=instance, repository_def=build_definitions(mixed).get_repository_def()
    )
    requests = build_sensor(mixed).evaluate_tick(context).run_requests or []
    assert resources(list(requests)) == set(API.resources)


def test_a_resource_without_a_partition_yet_is_left_alone(
    connected: Sandbox, instance: dg.DagsterInstance
) -> None:
    how = Partitioned(start=date.today() + timedelta(days=2))
    future = api_of("page_views", how, newest=API.policy("page_views").newest)
    tick = build_sensor(future).evaluate_tick(
        dg.build_sensor_context(
            instance=instance, repository_def=build_definitions(future).get_repository_def()
        )
    )
    assert (tick.run_requests, tick.skip_message) == ([], "page_views: there is no partition yet.")
