"""Endpoints that are slow: a tick ends in time, and the next one begins where it ended."""

import dagster as dg
import pytest

from analytics_assets.defs.analytics.api import API
from analytics_assets.orchestration.automation.new_data import endpoints, sensor
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


@pytest.fixture
def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tick asks one endpoint at a time, and waits a second for the answer."""
    monkeypatch.setattr(endpoints, "SHORT_TIMEOUT", 1.0)
    monkeypatch.setenv("READING__MAX_IN_FLIGHT", "1")


def test_the_next_tick_asks_endpoints_without_an_answer_last(
    connected: Sandbox,
    duckdb_warehouse: Warehouse,
    instance: dg.DagsterInstance,
    one_at_a_time: None,
) -> None:
    first, second, *others = API.resources
    for silent in (first, second):
        connected.faults.add(Fault(path=f"/v1/{silent}", times=None, delay=60))
    ticker = Ticker(instance, connected)
    assert ticker.tick() == []
    assert first in ticker.skipped
    assert ticker.tick() == []
    assert second in ticker.skipped
    assert names(*ticker.tick()) == set(others)
    connected.faults.clear()
    assert names(*ticker.tick()) == set(API.resources)


def test_an_api_is_not_down_while_other_endpoints_answer(
    connected: Sandbox,
    duckdb_warehouse: Warehouse,
    instance: dg.DagsterInstance,
    one_at_a_time: None,
) -> None:
    _, silent, *_ = API.resources
    connected.faults.add(Fault(path=f"/v1/{silent}", times=None, delay=60))
    assert names(*Ticker(instance, connected).tick()) == set(API.resources) - {silent}


def test_a_tick_shows_the_first_of_many_reasons(
    connected: Sandbox,
    duckdb_warehouse: Warehouse,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sensor, "MOST_REASONS", 1)
    for name in API.resources:
        connected.faults.add(Fault(path=f"/v1/{name}", times=None, status=404))
    with pytest.raises(sensor.EndpointRefusedError) as failed:
        Ticker(instance, connected).tick()
    first, rest = str(failed.value).split("\n")
    assert first.startswith(next(iter(API.resources)))
    assert rest == "The log of this tick has 3 more."
