"""The new-data sensor: requests a run per new change, and again if that run fails."""

import json
from dataclasses import replace
from datetime import timedelta

import dagster as dg
import pytest

from analytics_assets.config.policy import PolicyEntry
from analytics_assets.contract.resource import resources_of
from analytics_assets.defs.analytics.api import API
from analytics_assets.orchestration.automation.new_data import sensor
from analytics_assets.orchestration.automation.new_data.sensor import (
    EndpointRefusedError,
    build_new_data_sensors,
)
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import TODAY
from analytics_assets_tests.orchestration.automation.new_data.ticker import Ticker, names
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.loading import load
from analytics_assets_tests.support.sandbox import Sandbox

TABLES = {"page_views", "daily_active_users"}
BY_DAY = {"website_overview", "traffic_sources"}
NEWEST = f"{TODAY}T00:00:00+00:00"


@pytest.fixture
def ticker(connected: Sandbox, duckdb_warehouse: Warehouse, instance: dg.DagsterInstance) -> Ticker:
    """A sensor on an API of the test's own."""
    return Ticker(instance, connected)


def test_one_run_is_requested_for_all_tables_with_new_data_and_one_per_window(
    ticker: Ticker,
) -> None:
    days, tables = ticker.tick()
    assert names(tables) == TABLES
    assert names(days) == BY_DAY
    assert tables.tags["requested_by"] == days.tags["requested_by"] == "analytics_new_data"
    assert days.tags["window"] == "2025-07-28 to 2025-07-31"


def test_one_cheap_request_per_resource_is_sent(ticker: Ticker, connected: Sandbox) -> None:
    ticker.tick()
    asked = [record for record in connected.requests if record.path != "/oauth/token"]
    assert sorted(record.path for record in asked) == sorted(f"/v1/{n}" for n in API.resources)
    assert {record.query["limit"] for record in asked} == {"1"}


def test_the_cursor_advances_once_the_run_has_succeeded(ticker: Ticker) -> None:
    request = ticker.request(*TABLES)
    assert ticker.changes() == {}
    ticker.tick()
    assert ticker.changes() == {}
    ticker.record(request)
    ticker.tick()
    assert ticker.changes() == dict.fromkeys(TABLES, NEWEST)


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
    assert names(*ticker.tick()) == set(API.resources) - {"page_views"}


def test_a_failed_run_is_not_requested_again_before_the_pause_is_over(
    ticker: Ticker, connected: Sandbox, instance: dg.DagsterInstance
) -> None:
    request = ticker.request(*TABLES)
    ticker.record(request, succeeds=False)
    again = ticker.tick()
    assert "page_views" not in names(*again)
    assert ticker.changes() == {}


def test_a_failed_run_is_requested_under_another_key_after_the_pause(
    ticker: Ticker, connected: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "analytics_assets.orchestration.automation.new_data.requested_runs.INTERVAL", timedelta(0)
    )
    request = ticker.request(*TABLES)
    ticker.record(request, succeeds=False)
    again = ticker.request(*TABLES)
    assert again.run_key != request.run_key
    ticker.record(again)
    ticker.tick()
    assert ticker.changes() == dict.fromkeys(TABLES, NEWEST)


@pytest.mark.parametrize("forgotten", ["the first", "all"])
def test_a_change_has_another_key_once_its_failures_are_forgotten(
    ticker: Ticker,
    connected: Sandbox,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
    forgotten: str,
) -> None:
    runs = "analytics_assets.orchestration.automation.new_data.requested_runs"
    monkeypatch.setattr(f"{runs}.INTERVAL", timedelta(0))
    for table in TABLES:
        answer = json.dumps({"data": [{"updated_at": NEWEST}]})
        connected.faults.add(Fault(path=f"/v1/{table}", times=None, body=answer))
    keys = []
    for _ in range(2):
        request = ticker.request(*TABLES)
        keys.append(request.run_key)
        ticker.record(request, succeeds=False)
    if forgotten == "all":
        monkeypatch.setattr(f"{runs}.LOOK_BACK", timedelta(0))
    else:
        instance.delete_run(instance.get_runs()[-1].run_id)
    connected.today = TODAY + timedelta(days=3)
    assert ticker.request(*TABLES).run_key not in keys


def test_no_second_run_is_requested_while_one_is_in_progress(
    ticker: Ticker, instance: dg.DagsterInstance
) -> None:
    request = ticker.request(*TABLES)
    job = build_definitions(API).resolve_implicit_global_asset_job_def()
    run = instance.create_run_for_job(job, tags=dict(request.tags))
    instance.report_run_canceling(run)
    assert "page_views" not in names(*ticker.tick())


def test_data_that_a_schedule_has_loaded_is_not_requested_again(
    ticker: Ticker, instance: dg.DagsterInstance
) -> None:
    load(instance, "page_views")
    assert names(*ticker.tick()) == set(API.resources) - {"page_views"}


@pytest.mark.parametrize(
    "fault",
    [
        Fault(path="*", times=None, drop=True),
        Fault(path="/oauth/token", times=None, status=503),
        Fault(path="*", times=None, status=503),
        Fault(path="*", times=None, status=429),
    ],
    ids=["no answer", "no token", "errors", "over the limit"],
)
def test_an_api_that_is_down_is_a_skipped_tick_with_the_reason(
    ticker: Ticker, connected: Sandbox, fault: Fault
) -> None:
    connected.faults.add(fault)
    ticker.cursor = json.dumps({"page_views": "2025-01-01T00:00:00+00:00"})
    assert ticker.tick() == []
    assert connected.base_url in ticker.skipped
    assert ticker.changes() == {"page_views": "2025-01-01T00:00:00+00:00"}


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault(path="/v1/page_views", times=None, status=404), "page_views: GET http"),
        (Fault(path="/v1/page_views", times=None, status=403), "answered 403"),
        (Fault(path="/v1/page_views", body='{"data": [{}]}', times=None), "`updated_at`"),
    ],
)
def test_an_endpoint_that_refuses_fails_the_next_tick_and_delays_no_run(
    ticker: Ticker, connected: Sandbox, fault: Fault, reason: str
) -> None:
    connected.faults.add(fault)

    requests = ticker.tick()

    assert names(*requests) == set(API.resources) - {"page_views"}
    for request in requests:
        ticker.record(request)
    for _ in range(2):
        with pytest.raises(EndpointRefusedError) as failed:
            ticker.tick()
        assert reason in str(failed.value)
        assert "\n" not in str(failed.value)
    connected.faults.clear()
    assert names(*ticker.tick()) == {"page_views"}


def test_ticks_that_request_runs_and_ticks_that_fail_take_turns(
    ticker: Ticker, connected: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected.faults.add(Fault(path="/v1/page_views", times=None, status=404))
    assert ticker.tick()
    # the runs are not launched yet, so that they are requested again
    with pytest.raises(EndpointRefusedError):
        ticker.tick()
    monkeypatch.setattr(sensor, "INTERVAL", timedelta(0))
    assert names(*ticker.tick()) == set(API.resources) - {"page_views"}


def test_a_run_that_fails_for_one_table_has_loaded_the_others(
    ticker: Ticker, connected: Sandbox
) -> None:
    request = ticker.request(*TABLES)
    connected.faults.add(Fault(path="/v1/page_views", times=None, status=404))
    assert not ticker.run(request)
    connected.faults.clear()
    assert "page_views" not in names(*ticker.tick())
    assert ticker.changes() == {"daily_active_users": NEWEST}


def test_the_cursor_of_an_earlier_version_is_understood(ticker: Ticker) -> None:
    ticker.cursor = json.dumps({"page_views": NEWEST})
    assert "page_views" not in names(*ticker.tick())
    assert ticker.changes() == {"page_views": NEWEST}


def test_resources_that_are_on_from_the_start_have_a_sensor_of_their_own() -> None:
    policies = {**API.policies, "page_views": PolicyEntry(automation="on")}
    sensors = build_new_data_sensors(api := replace(API, policies=policies), resources_of(api))
    assert {each.name: each.default_status.value for each in sensors} == {
        "analytics_new_data": "STOPPED",
        "analytics_new_data_2": "RUNNING",
    }
    assert "of page_views, and loads" in str(sensors[1].description)
    policies = {name: PolicyEntry(automation="on") for name in API.resources}
    [sensor] = build_new_data_sensors(api := replace(API, policies=policies), resources_of(api))
    assert (sensor.name, sensor.default_status.value) == ("analytics_new_data", "RUNNING")


def test_an_api_that_ignores_the_sorting_is_reported(ticker: Ticker, connected: Sandbox) -> None:
    for request in ticker.tick():
        ticker.record(request)
    oldest = {"updated_at": "2025-07-02T00:00:00Z"}
    connected.faults.add(Fault(path="/v1/page_views", body=json.dumps({"data": [oldest]})))
    assert ticker.tick() == []
    assert "page_views: the API's newest change is of 2025-07-02" in ticker.skipped
    assert "Does the API honour the parameters of `newest`" in ticker.skipped


@pytest.mark.parametrize("setting", ["CLIENT_SECRET", "BASE_URL"])
def test_a_missing_setting_is_a_failed_tick(
    ticker: Ticker, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    monkeypatch.delenv("SANDBOX__ENABLED")
    monkeypatch.delenv(setting)
    with pytest.raises(EndpointRefusedError, match=f"needs the setting `{setting.lower()}`"):
        ticker.tick()
