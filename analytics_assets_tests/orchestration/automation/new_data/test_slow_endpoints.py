"""Endpoints that are slow: a tick ends in time, and the next one begins where it ended."""

import dagster as dg
import pytest

from analytics_assets.defs.analytics.api import API
from analytics_assets.orchestration.automation.new_data import endpoints
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.orchestration.automation.new_data.ticker import Ticker, names
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.sandbox import Sandbox


def test_slow_endpoints_take_turns(
    connected: Sandbox,
    duckdb_warehouse: Warehouse,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(endpoints, "ASKED_WITHIN", 0.1)
    monkeypatch.setenv("READING__MAX_IN_FLIGHT", "1")
    connected.faults.add(Fault(delay=0.2, times=None))
    ticker = Ticker(instance, connected)
    found = [names(*ticker.tick()) for _ in API.resources]
    assert [len(each) for each in found] == [1, 1, 1, 1]
    assert set().union(*found) == set(API.resources)


def test_a_tick_with_runs_names_what_it_left_and_the_next_one_is_whole(
    connected: Sandbox,
    duckdb_warehouse: Warehouse,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ticker = Ticker(instance, connected)
    with monkeypatch.context() as patch:
        patch.setattr(endpoints, "ASKED_WITHIN", -1.0)
        assert ticker.tick() == []
    assert ticker.skipped == "4 more are asked at the next tick."
    assert names(*ticker.tick()) == set(API.resources)
    assert endpoints.NEXT not in ticker.changes()


def test_an_endpoint_that_refuses_keeps_no_later_ones_back(
    connected: Sandbox,
    duckdb_warehouse: Warehouse,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(endpoints, "ASKED_WITHIN", 0.1)
    monkeypatch.setenv("READING__MAX_IN_FLIGHT", "1")
    first, *others = API.resources
    connected.faults.add(Fault(path=f"/v1/{first}", status=404, delay=0.2, times=None))
    connected.faults.add(Fault(delay=0.2, times=None))
    ticker = Ticker(instance, connected)
    assert ticker.tick() == []
    assert "404" in ticker.skipped
    assert set().union(*(names(*ticker.tick()) for _ in others)) == set(others)
    assert ticker.tick() == []
    assert "404" in ticker.skipped
