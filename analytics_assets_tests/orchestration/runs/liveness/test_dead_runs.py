"""Dead runs: runs whose process is gone, on this machine or another one, and no others."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

import dagster as dg
import pytest
from dagster._core.events import EngineEventData

from analytics_assets.orchestration.automation.housekeeping import build_housekeeping_sensor
from analytics_assets.orchestration.runs.liveness import dead_runs
from analytics_assets.orchestration.runs.liveness.compat import LeaseTable
from analytics_assets.orchestration.runs.liveness.dead_runs import (
    MACHINE_TAG,
    RunEndedError,
    end_dead_runs,
    is_gone,
    refuse_ended_run,
    take_lost_steps,
)
from analytics_assets.orchestration.runs.liveness.lease import (
    LeaseKey,
    LeaseLostError,
    run_lease,
)
from analytics_assets.orchestration.runs.liveness.lease_watch import LeaseWatch
from analytics_assets.orchestration.runs.liveness.machine import tagged_machine, this_machine
from analytics_assets_tests.orchestration.runs.liveness.keepers import ElsewhereKeeper


@dg.job
def job() -> None:
    """A job whose runs are created, but not executed."""


class Observer:
    """A process that looks for dead runs every 30 seconds of a clock of its own."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.now = 1000.0
        self.instance, self.watch = instance, LeaseWatch(lambda: self.now)

    def looks(self, after: float = 30.0) -> list[str]:
        """Look, and return the runs that were ended."""
        self.now += after
        return end_dead_runs(self.instance, watch=self.watch)


@pytest.fixture
def observer(instance: dg.DagsterInstance) -> Observer:
    return Observer(instance)


def started(
    instance: dg.DagsterInstance, process: int = 1, tags: Mapping[str, str] | None = None
) -> dg.DagsterRun:
    """Record a run that a process has started."""
    run = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED, tags=tags)
    event = EngineEventData.in_process(process)
    instance.report_engine_event("Started process for run", run, event)
    return run


def test_a_run_whose_lease_is_not_renewed_for_a_minute_is_ended(
    instance: dg.DagsterInstance, table: LeaseTable, observer: Observer
) -> None:
    dead, alive = started(instance), started(instance)
    killed, living = ElsewhereKeeper(), ElsewhereKeeper()
    killed.hold(LeaseKey(dead.run_id), table)
    living.hold(LeaseKey(alive.run_id), table)

    assert [observer.looks(), living.renew(), observer.looks(), living.renew()] == [[], 1, [], 1]
    assert observer.looks() == [dead.run_id]

    failed = instance.get_run_by_id(dead.run_id)
    assert failed is not None
    assert failed.status == dg.DagsterRunStatus.FAILURE
    [event] = instance.all_logs(dead.run_id, of_type=dg.DagsterEventType.RUN_FAILURE)
    assert event.message == "The process of this run (process 1 on elsewhere) is gone."
    assert [LeaseKey.of(key).run_id for key in table.read()] == [alive.run_id]
    assert observer.looks() == []


def test_slots_of_a_run_that_others_saw_die_are_free(
    instance: dg.DagsterInstance, table: LeaseTable, observer: Observer
) -> None:
    run, pools = started(instance), instance.event_log_storage
    ElsewhereKeeper().hold(LeaseKey(run.run_id), table)
    pools.set_concurrency_slots("a_table", 1)
    pools.claim_concurrency_slot("a_table", run.run_id, "load")
    instance.report_run_failed(run)  # as Dagster's code server does, whose child it was

    assert observer.looks() == []

    info = pools.get_concurrency_info("a_table")
    assert [*info.claimed_slots, *info.pending_steps] == []
    assert table.read() == {}


def test_time_in_which_nobody_could_look_does_not_count(
    instance: dg.DagsterInstance, table: LeaseTable, observer: Observer
) -> None:
    run, keeper = started(instance), ElsewhereKeeper()
    keeper.hold(LeaseKey(run.run_id), table)
    # the database was away for an hour, or the observer asleep, and the process with it
    assert observer.looks() == []
    assert observer.looks(after=3600) == []
    keeper.renew()
    assert [observer.looks(), observer.looks()] == [[], []]
    assert observer.looks() == [run.run_id]


def test_a_later_process_of_the_observer_knows_what_an_earlier_one_has_seen(
    instance: dg.DagsterInstance, table: LeaseTable, observer: Observer
) -> None:
    run, keeper = started(instance), ElsewhereKeeper()
    keeper.hold(LeaseKey(run.run_id), table)
    assert observer.looks() == []
    assert observer.watch.unchanged == {}  # as of each lease that is renewed
    assert observer.looks() == []
    stored = json.loads(json.dumps(observer.watch.unchanged))

    later = Observer(instance)
    later.now = observer.now
    later.watch.recall(stored)

    assert later.looks() == [run.run_id]


def test_the_sensor_continues_in_a_new_process(
    instance: dg.DagsterInstance, table: LeaseTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, keeper, cursor = started(instance), ElsewhereKeeper(), None
    keeper.hold(LeaseKey(run.run_id), table)
    sensor = build_housekeeping_sensor([])
    watch = LeaseWatch(lambda: 0.0)
    for now, is_new in ((0.0, True), (30.0, False), (60.0, True)):
        watch = LeaseWatch(partial(float, now)) if is_new else watch
        watch._clock = partial(float, now)
        monkeypatch.setitem(dead_runs._watches, table.place, watch)
        context = dg.build_sensor_context(instance=instance, cursor=cursor)
        tick = sensor.evaluate_tick(context)
        cursor = tick.cursor
    assert tick.skip_message == f"Ended run {run.run_id}, which was dead."


def test_a_step_of_the_observers_clock_ends_no_run(
    instance: dg.DagsterInstance, table: LeaseTable, observer: Observer
) -> None:
    run, keeper = started(instance), ElsewhereKeeper()
    keeper.hold(LeaseKey(run.run_id), table)
    assert [observer.looks(step) for step in (0, 86_400, -86_400, 20)] == [[]] * 4
    assert observer.looks() == [run.run_id]


def test_a_process_of_this_machine_decides_at_once(
    instance: dg.DagsterInstance, table: LeaseTable, observer: Observer
) -> None:
    gone = subprocess.Popen([sys.executable, "-S", "-c", ""])
    gone.wait()
    dead, alive = started(instance), started(instance)
    ElsewhereKeeper(this_machine(), gone.pid).hold(LeaseKey(dead.run_id), table)
    with run_lease(instance, alive.run_id):
        assert observer.looks() == [dead.run_id]
        # stopped, as a laptop that sleeps, it is not renewed; its process is there
        assert [observer.looks(after=30) for _ in range(4)] == [[]] * 4
    assert dict(table.read()) == {}


def test_the_process_of_a_run_that_was_ended_does_not_write_any_more(
    instance: dg.DagsterInstance, table: LeaseTable, observer: Observer
) -> None:
    run, stopped = started(instance), ElsewhereKeeper()
    stopped.hold(LeaseKey(run.run_id), table)
    lease = stopped.lease(LeaseKey(run.run_id), table)
    lease.refuse_lost()
    [observer.looks() for _ in range(3)]

    assert stopped.renew() == 0
    with pytest.raises(LeaseLostError, match=rf"^Run {run.run_id} was ended by another process"):
        lease.refuse_lost()
    with pytest.raises(RunEndedError, match=rf"Run {run.run_id} has ended \(FAILURE\)"):
        refuse_ended_run(instance, run.run_id)


def test_a_lease_that_is_renewed_in_the_last_moment_is_not_taken(
    instance: dg.DagsterInstance, table: LeaseTable, observer: Observer
) -> None:
    run, keeper = started(instance), ElsewhereKeeper()
    keeper.hold(LeaseKey(run.run_id), table)
    seen = dict(table.read())
    [key] = seen
    keeper.renew()
    assert not table.swap(key, seen[key], "taken null")
    keeper.lease(LeaseKey(run.run_id), table).refuse_lost()


def test_a_step_of_a_dead_process_is_taken_from_it_and_its_run_goes_on(
    instance: dg.DagsterInstance, table: LeaseTable
) -> None:
    run, now = started(instance), 0.0
    watch = LeaseWatch(lambda: now)
    of_run, worker = ElsewhereKeeper(), ElsewhereKeeper(process=7)
    of_run.hold(LeaseKey(run.run_id), table)
    for step in ("load", "finished"):
        worker.hold(LeaseKey(run.run_id, step), table)

    def lost() -> dict[str, str]:
        nonlocal now
        now += 30
        of_run.renew()
        return take_lost_steps(instance, run.run_id, ["load", "waiting"], watch)

    assert [lost(), lost(), lost()] == [{}, {}, {"load": "process 7 on elsewhere"}]
    assert lost() == {}
    with pytest.raises(LeaseLostError, match=rf"^Step load of run {run.run_id} was ended"):
        worker.lease(LeaseKey(run.run_id, "load"), table).refuse_lost()
    assert end_dead_runs(instance, watch=watch) == []


def test_leases_of_runs_that_somebody_else_has_ended_or_deleted_are_removed(
    instance: dg.DagsterInstance, table: LeaseTable, observer: Observer
) -> None:
    run, keeper = started(instance), ElsewhereKeeper()
    for key in (LeaseKey(run.run_id), LeaseKey(run.run_id, "load"), LeaseKey("deleted")):
        keeper.hold(key, table)
    instance.report_run_canceled(run)
    observer.looks()
    assert [LeaseKey.of(key).run_id for key in table.read()] == ["deleted"]
    [observer.looks() for _ in range(3)]
    assert dict(table.read()) == {}


def test_a_run_of_a_release_without_leases_is_ended_if_its_machine_is_this_one(
    instance: dg.DagsterInstance,
) -> None:
    gone = subprocess.Popen([sys.executable, "-S", "-c", ""])
    gone.wait()
    here = {MACHINE_TAG: tagged_machine()}
    dead = started(instance, gone.pid, here)
    started(instance, os.getpid(), here)
    # the number is free here, and may be that of a living process of another machine
    started(instance, gone.pid, {MACHINE_TAG: "another machine"})
    started(instance, gone.pid, {})
    # a step in a worker elsewhere has noted its machine beside the process of the run
    of_worker = started(instance, gone.pid, here)
    ElsewhereKeeper().hold(LeaseKey(of_worker.run_id), LeaseTable(instance))

    assert end_dead_runs(instance) == [dead.run_id]
    assert end_dead_runs(instance) == []


def test_a_run_under_way_is_not_refused(instance: dg.DagsterInstance) -> None:
    refuse_ended_run(instance, started(instance, os.getpid(), {}).run_id)
    refuse_ended_run(instance, "of no instance")


def test_a_later_process_with_the_number_of_a_dead_one_does_not_keep_its_run_alive() -> None:
    assert not is_gone(os.getpid(), seen=datetime.now(UTC))
    assert is_gone(os.getpid(), seen=datetime.now(UTC) - timedelta(days=1000))
