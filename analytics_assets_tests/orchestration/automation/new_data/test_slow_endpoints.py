"""Endpoints that are slow: a tick ends in time, and the next one begins where it ended."""

import time
from types import SimpleNamespace

import dagster as dg
import pytest

from analytics_assets.defs.analytics.api import API
from analytics_assets.extract.sampling import newest_changes
from analytics_assets.orchestration.automation.new_data import endpoints, sensor
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.orchestration.automation.new_data.ticker import Ticker, names
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.sandbox import Sandbox


@pytest.fixture
def one_a_tick(connected: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer takes an hour, more than a tick has."""

    def now() -> float:
        answered = [each for each in connected.requests if each.status and "/v1/" in each.path]
        return time.monotonic() + 3600 * len(answered)

    for module in (endpoints, newest_changes):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=now))
    monkeypatch.setenv("READING__MAX_IN_FLIGHT", "1")


def test_slow_endpoints_take_turns(
    connected: Sandbox,
    duckdb_warehouse: Warehouse,
    instance: dg.DagsterInstance,
    one_a_tick: None,
) -> None:
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
    one_a_tick: None,
) -> None:
    first, *others = API.resources
    connected.faults.add(Fault(path=f"/v1/{first}", status=404, times=None))
    ticker = Ticker(instance, connected)
    assert ticker.tick() == []
    assert "404" in ticker.skipped
    assert set().union(*(names(*ticker.tick()) for _ in others)) == set(others)
    assert ticker.tick() == []
    assert "404" in ticker.skipped


@pytest.fixture
def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tick asks one endpoint at a time."""
    monkeypatch.setenv("READING__MAX_IN_FLIGHT", "1")


def test_the_next_tick_asks_endpoints_without_an_answer_last(
    connected: Sandbox,
    duckdb_warehouse: Warehouse,
    instance: dg.DagsterInstance,
    one_at_a_time: None,
) -> None:
    first, second, *others = API.resources
    for silent in (first, second):
        connected.faults.add(Fault(path=f"/v1/{silent}", times=None, drop=True))
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
    connected.faults.add(Fault(path=f"/v1/{silent}", times=None, drop=True))
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
