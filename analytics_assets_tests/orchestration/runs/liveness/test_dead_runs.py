"""Dead runs: runs of this machine whose process is gone, and no others."""

import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.events import EngineEventData

from analytics_assets.defs.analytics.api import API
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.orchestration.runs.liveness.dead_runs import (
    MACHINE_TAG,
    RunEndedError,
    end_dead_runs,
    is_gone,
    record_machine,
    refuse_ended_run,
)
from analytics_assets.orchestration.runs.liveness.machine import this_machine
from analytics_assets.warehouse.warehouse import Warehouse


@dg.job
def job() -> None:
    """A job whose runs are created, but not executed."""


def started(instance: dg.DagsterInstance, process: int, tags: Mapping[str, str]) -> dg.DagsterRun:
    """Record a run that a process has started."""
    run = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED, tags=tags)
    event = EngineEventData.in_process(process)
    instance.report_engine_event("Started process for run", run, event)
    return run


def test_only_runs_of_this_machine_whose_process_is_gone_are_ended(clean_place: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-S", "-c", ""])
    gone.wait()
    here = {MACHINE_TAG: this_machine()}
    with dg.DagsterInstance.local_temp(str(clean_place)) as instance:
        dead = started(instance, gone.pid, here)
        started(instance, os.getpid(), here)
        # the number is free here, and may be that of a living process of another machine
        started(instance, gone.pid, {MACHINE_TAG: "another machine"})
        started(instance, gone.pid, {})

        assert end_dead_runs(instance) == [dead.run_id]

        failed = instance.get_run_by_id(dead.run_id)
        assert failed is not None
        assert failed.status == dg.DagsterRunStatus.FAILURE
        assert end_dead_runs(instance) == []
        with pytest.raises(RunEndedError, match=rf"Run {dead.run_id} has ended \(FAILURE\)"):
            refuse_ended_run(instance, dead.run_id)


def test_a_run_of_checks_alone_records_its_machine(
    duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    selection = dg.AssetSelection.checks_for_assets(asset_key(API.resources["page_views"]))
    jobs = dg.Definitions(jobs=[dg.define_asset_job("checks", selection)])
    checks = dg.Definitions.merge(build_definitions(API), jobs).resolve_job_def("checks")

    checks.execute_in_process(instance=instance)

    (run,) = instance.get_runs()
    assert run.tags[MACHINE_TAG] == this_machine()


def test_the_steps_of_a_run_record_its_machine_once(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, other = (instance.create_run_for_job(job) for _ in range(2))
    add, recorded = instance.add_run_tags, list[str]()

    def counted(run_id: str, tags: Mapping[str, str]) -> None:
        recorded.append(run_id)
        add(run_id, tags)

    monkeypatch.setattr(instance, "add_run_tags", counted)
    for each in (run, run, other, run):
        record_machine(instance, each)

    assert recorded == [run.run_id, other.run_id]
    assert {each.tags[MACHINE_TAG] for each in instance.get_runs()} == {this_machine()}


def test_a_machine_that_could_not_be_recorded_is_recorded_by_the_next_step(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_: object) -> None:
        raise OSError("locked")

    run = started(instance, os.getpid(), {})
    with monkeypatch.context() as patch:
        patch.setattr(instance, "add_run_tags", locked)
        with pytest.raises(OSError, match="locked"):
            record_machine(instance, run)
    record_machine(instance, run)
    assert [each.tags[MACHINE_TAG] for each in instance.get_runs()] == [this_machine()]


def test_a_run_under_way_is_not_refused(instance: dg.DagsterInstance) -> None:
    refuse_ended_run(instance, started(instance, os.getpid(), {}).run_id)
    refuse_ended_run(instance, "of no instance")


def test_a_later_process_with_the_number_of_a_dead_one_does_not_keep_its_run_alive() -> None:
    assert not is_gone(os.getpid(), seen=datetime.now(UTC))
    assert is_gone(os.getpid(), seen=datetime.now(UTC) - timedelta(days=1000))
