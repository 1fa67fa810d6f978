"""Leases of this process: stored at once, renewed together, and removed."""

import os
import threading
from collections.abc import Callable
from time import monotonic, sleep
from typing import Any

import dagster as dg
import pytest

from analytics_assets.orchestration.runs.liveness import lease as lease_module
from analytics_assets.orchestration.runs.liveness.compat import LeaseTable
from analytics_assets.orchestration.runs.liveness.lease import (
    Holder,
    LeaseKeeper,
    LeaseKey,
    LeaseLostError,
    executing,
    run_lease,
    step_lease,
)
from analytics_assets_tests.orchestration.runs.executor.jobs import PATIENCE
from analytics_assets_tests.orchestration.runs.liveness.keepers import StillKeeper

RUN = "3f0c"


def keys(table: LeaseTable) -> list[LeaseKey]:
    return [LeaseKey.of(key) for key in table.read()]


def eventually(is_so: Callable[[], bool]) -> None:
    deadline = monotonic() + PATIENCE
    while not is_so():
        assert monotonic() < deadline
        sleep(0.01)


def test_a_lease_names_its_process_and_is_removed(
    instance: dg.DagsterInstance, table: LeaseTable
) -> None:
    with run_lease(instance, RUN):
        assert keys(table) == [LeaseKey(RUN)]
        holder = Holder.of(*table.read().values())
        assert holder
        assert holder.process == os.getpid()
    assert keys(table) == []


def test_the_steps_of_a_run_share_the_lease_of_its_process(
    instance: dg.DagsterInstance, table: LeaseTable
) -> None:
    with run_lease(instance, RUN), step_lease(instance, RUN, "load"):
        assert keys(table) == [LeaseKey(RUN)]
    with step_lease(instance, RUN, "load"), step_lease(instance, RUN, "load"):
        assert keys(table) == [LeaseKey(RUN, "load")]
    assert keys(table) == []


def test_all_leases_of_a_process_are_renewed_by_one_statement(
    table: LeaseTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper, statements = StillKeeper(), list[Any]()
    for step in ("one", "two", "three"):
        keeper.hold(LeaseKey(RUN, step), table)
    before = dict(table.read())
    changed = table._changed

    def counted(statement: Any) -> int:
        statements.append(statement)
        return changed(statement)

    monkeypatch.setattr(table, "_changed", counted)

    assert keeper.renew() == 3

    assert len(statements) == 1
    assert all(before[key] != value for key, value in table.read().items())


def test_leases_are_renewed_in_the_background_for_as_long_as_there_are_any(
    table: LeaseTable,
) -> None:
    others = set(threading.enumerate())
    keeper = LeaseKeeper(interval=0.01)
    keeper.hold(LeaseKey(RUN), table)
    before = dict(table.read())
    eventually(lambda: dict(table.read()) != before)

    keeper.free(LeaseKey(RUN))

    assert keys(table) == []
    eventually(lambda: set(threading.enumerate()) <= others)


def test_a_database_that_is_away_for_a_while_loses_no_lease(
    table: LeaseTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = StillKeeper()
    keeper.hold(LeaseKey(RUN), table)
    with monkeypatch.context() as patch:

        def away(*_: object) -> int:
            raise OSError("no route to host")

        patch.setattr(table, "_changed", away)
        assert keeper.renew() == 0
    assert keeper.renew() == 1
    keeper.lease(LeaseKey(RUN), table).refuse_lost()


def test_a_step_that_is_retried_elsewhere_takes_its_lease_with_it(table: LeaseTable) -> None:
    first, second, key = StillKeeper(), StillKeeper(), LeaseKey(RUN, "load")
    first.hold(key, table)
    second.hold(key, table)

    with pytest.raises(LeaseLostError, match=r"^Step load of run 3f0c was ended"):
        first.lease(key, table).refuse_lost()
    first.free(key)
    second.lease(key, table).refuse_lost()


def test_a_forked_process_has_leases_of_its_own(
    instance: dg.DagsterInstance, table: LeaseTable
) -> None:
    with run_lease(instance, RUN):
        keeper = lease_module._keeper_of(table)
        assert lease_module._keeper_of(table) is keeper
        keeper._process = -1  # as in a child of this process
        assert lease_module._keeper_of(table) is not keeper


def test_an_op_holds_the_lease_of_its_step(instance: dg.DagsterInstance, table: LeaseTable) -> None:
    seen = list[LeaseKey]()

    @dg.asset
    def mart(context: dg.AssetExecutionContext) -> None:
        with executing(context):
            seen.extend(keys(table))

    result = dg.materialize([mart], instance=instance)

    assert seen == [LeaseKey(result.run_id, "mart")]
    [run] = [run for run in instance.get_runs() if run.run_id == result.run_id]
    assert run.tags["requested_by"] == "Dagster"


def test_an_instance_in_memory_has_no_leases() -> None:
    with dg.DagsterInstance.ephemeral() as ephemeral, run_lease(ephemeral, RUN) as lease:
        lease.refuse_lost()
        assert dict(LeaseTable(ephemeral).read()) == {}
