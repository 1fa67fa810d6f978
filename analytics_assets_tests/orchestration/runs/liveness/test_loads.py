"""Loads that must not write into their table any more leave it as it was."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from threading import Thread
from time import monotonic
from typing import Any

import dagster as dg
import pytest

from analytics_assets.config.api import Api
from analytics_assets.defs.analytics.api import API
from analytics_assets.orchestration.runs.liveness import lease
from analytics_assets.orchestration.runs.liveness.compat import LeaseTable
from analytics_assets.orchestration.runs.liveness.dead_runs import TAKEN
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.deployment import wait_until
from analytics_assets_tests.support.http.exchange import Exchange
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.loading import failures_of, load, table_rows
from analytics_assets_tests.support.sandbox import Sandbox

TABLE = "daily_active_users"
LONG = 1200.0  # seconds of an answer that is not waited for
STEP = f"analytics__{TABLE}"


def limited(limit: timedelta) -> Api:
    policies: Any = {TABLE: {**API.policies.get(TABLE, {}), "max_runtime": limit}}
    return Api(
        name=API.name, config=API.config, default_policy=API.default_policy, policies=policies
    )


@contextmanager
def once_asked(sandbox: Sandbox, then: Any) -> Iterator[None]:
    """Call a function once the API has a request for the table, which it answers after that."""

    def answer(exchange: Exchange) -> None:
        then()
        exchange.answer(exchange.proper())

    sandbox.faults.add(Fault(path=f"/v1/{TABLE}", does=answer))
    yield


@pytest.mark.parametrize("fault", [{"delay": LONG}, {"status": 503, "retry_after": f"{LONG:.0f}"}])
def test_a_load_that_takes_longer_than_its_limit_leaves_the_table_and_frees_it(
    connected: Sandbox,
    warehouse: Warehouse,
    instance: dg.DagsterInstance,
    fault: Mapping[str, Any],
) -> None:
    api = limited(timedelta(seconds=1))
    assert failures_of(load(instance, TABLE, api=API)) == {}
    before = table_rows(warehouse, TABLE)
    connected.faults.add(Fault(path=f"/v1/{TABLE}", times=None, **fault))
    began = monotonic()

    [reason] = failures_of(load(instance, TABLE, api=api)).values()

    assert monotonic() - began < LONG / 2
    assert reason.startswith(f"{TABLE} was not loaded")
    assert "It took longer than `max_runtime`, 1 s, and was ended before it wrote" in reason
    assert table_rows(warehouse, TABLE) == before
    with warehouse.loading("nobody_in_the_way", table=TABLE):
        pass


def test_a_load_whose_run_is_ended_elsewhere_does_not_read_to_its_end(
    connected: Sandbox,
    warehouse: Warehouse,
    instance: dg.DagsterInstance,
    table: LeaseTable,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert failures_of(load(instance, TABLE)) == {}
    before = table_rows(warehouse, TABLE)
    monkeypatch.setattr(lease, "_keepers", {})
    monkeypatch.setattr(lease.LeaseKeeper.__init__, "__defaults__", (0.05,))
    connected.requests.clear()
    connected.faults.add(Fault(path=f"/v1/{TABLE}", times=None, delay=LONG))
    began = monotonic()

    def end() -> None:
        wait_until(lambda: [each for each in connected.requests if TABLE in each.path], "a request")
        table.remove(table.read().keys())  # as `end_dead_runs` does

    ending = Thread(target=end)
    ending.start()
    [reason] = failures_of(load(instance, TABLE)).values()
    ending.join()

    assert monotonic() - began < LONG / 2
    assert "was ended by another process" in reason
    assert table_rows(warehouse, TABLE) == before


@pytest.mark.parametrize("ended", ["run", "step"])
def test_a_load_that_was_taken_for_dead_meanwhile_writes_nothing(
    connected: Sandbox,
    duckdb_warehouse: Warehouse,
    instance: dg.DagsterInstance,
    table: LeaseTable,
    ended: str,
) -> None:
    assert failures_of(load(instance, TABLE)) == {}
    before = table_rows(duckdb_warehouse, TABLE)

    def end() -> None:
        if ended == "step":
            [(key, value)] = table.read().items()
            assert table.swap(key, value, TAKEN)
        else:
            [run] = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]))
            instance.report_run_failed(run)

    with once_asked(connected, end):
        [reason] = failures_of(load(instance, TABLE)).values()

    expected = {"run": "has ended (FAILURE)", "step": "was ended by another process"}
    assert expected[ended] in reason
    assert table_rows(duckdb_warehouse, TABLE) == before
