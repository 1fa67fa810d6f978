"""The history that leaves Dagster after `history.run_days`, and all that stays."""

from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest

from analytics_assets.orchestration.automation.retention import run_file, step
from analytics_assets.orchestration.automation.retention.trimming import trim_history
from analytics_assets.orchestration.runs.check_results import RESULT_OF_RUN, keep_last_results
from analytics_assets_tests.orchestration.automation.retention.old_history import (
    COMPLETE,
    DAYS,
    NOW,
    ORDERS,
    kinds,
    load,
    load_days,
    loads,
    make_older,
    project,
    runs,
    trim,
)

START_AND_END = ["PIPELINE_START", "STEP_START", "STEP_SUCCESS", "PIPELINE_SUCCESS"]


def test_an_old_run_whose_load_and_results_are_superseded_leaves_nothing(
    stored: dg.DagsterInstance, clean_place: Path
) -> None:
    old, new = load(stored, age=100), load(stored)
    logs = Path(stored.compute_log_manager._base_dir)  # type: ignore[attr-defined]
    printed = [logs / run_id / "compute_logs" / "x.err" for run_id in (old, new)]
    for file in printed:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("printed")

    assert str(trim(stored)).startswith("Removed 1 run, ")

    assert runs(stored) == {new}
    assert loads(stored, ORDERS) == [new]
    left = [file for file in clean_place.rglob("*") if old in file.name]
    assert left == []
    assert [file.exists() for file in printed] == [False, True]
    history = stored.event_log_storage.get_asset_check_execution_history(COMPLETE, limit=9)
    assert [record.run_id for record in history] == [new]
    for kind in (dg.DagsterEventType.RUN_SUCCESS, dg.DagsterEventType.RUN_START):
        changes = stored.fetch_run_status_changes(kind, limit=9).records
        assert [record.run_id for record in changes] == [new]


def test_a_run_younger_than_run_days_stays_as_it_is(
    stored: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    young, new = load(stored, age=89), load(stored)
    before = kinds(stored, young)
    assert str(trim(stored)) == ""
    assert runs(stored) == {young, new}
    assert kinds(stored, young) == before

    monkeypatch.setenv("HISTORY__RUN_DAYS", "0")  # for ever
    make_older(stored, young, 1000)
    trim(stored, NOW + timedelta(days=2))
    assert runs(stored) == {young, new}


def test_a_pass_under_way_keeps_what_a_longer_setting_keeps(
    stored: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = load(stored, age=100), load(stored)
    trim_history(stored, [], NOW, seconds=0)  # begins a pass
    monkeypatch.setenv("HISTORY__RUN_DAYS", "365")
    assert str(trim(stored)) == ""
    assert runs(stored) == {old, new}


def test_the_newest_load_of_an_asset_stays_with_the_start_and_end_of_its_run(
    stored: dg.DagsterInstance, clean_place: Path
) -> None:
    only, other = load(stored, age=100), load_days(stored, "2026-01-01", "2026-01-01")
    file = next(clean_place.rglob(f"{only}.db"))
    before = file.stat().st_size

    trim(stored)

    assert runs(stored) == {only, other}
    event = stored.get_latest_materialization_event(ORDERS)
    assert event
    assert event.asset_materialization
    assert event.asset_materialization.metadata["rows"].value == 5
    assert loads(stored, ORDERS) == [only]
    assert kinds(stored, only) == START_AND_END
    stats = stored.get_run_stats(only)
    assert stats.end_time
    assert file.stat().st_size < 32 * 1024 < before


def test_a_file_that_is_as_small_as_it_gets_is_not_written_again(
    stored: dg.DagsterInstance, clean_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only = load(stored, age=100)
    load_days(stored, "2026-01-01", "2026-01-01")
    monkeypatch.setattr(run_file, "SMALL", 0)
    trim(stored)
    file = next(clean_place.rglob(f"{only}.db"))
    written = file.stat().st_mtime_ns
    trim(stored, NOW + timedelta(days=2))
    assert file.stat().st_mtime_ns == written


def test_each_loaded_partition_stays_loaded_with_its_newest_load(
    stored: dg.DagsterInstance,
) -> None:
    first = load_days(stored, "2026-01-01", "2026-01-10", age=300)
    second = load_days(stored, "2026-01-08", "2026-01-12", age=200)
    again = load_days(stored, "2026-01-09", "2026-01-10", age=100)
    load(stored)
    days = {f"2026-01-{day:02}" for day in range(1, 13)}

    trim(stored)

    assert stored.get_materialized_partitions(DAYS) == days
    of_first = [f"2026-01-{day:02}" for day in range(1, 8)]
    newest = {
        each.partition_key: each.run_id
        for each in stored.fetch_materializations(DAYS, limit=100).records
    }
    assert len(newest) == len(stored.fetch_materializations(DAYS, limit=100).records)
    assert {newest[day] for day in of_first} == {first}
    assert {newest[day] for day in ("2026-01-08", "2026-01-11", "2026-01-12")} == {second}
    assert {newest[day] for day in ("2026-01-09", "2026-01-10")} == {again}
    assert runs(stored) >= {first, second, again}

    # a load of all its days by a later run takes the whole run away
    load_days(stored, "2026-01-01", "2026-01-07")
    trim(stored, NOW + timedelta(days=2))
    assert first not in runs(stored)
    assert stored.get_materialized_partitions(DAYS) == days


def test_the_newest_observation_stays_also_of_one_without_a_run(
    stored: dg.DagsterInstance,
) -> None:
    for rows in (1, 2):
        observation = dg.AssetObservation("endpoint", metadata={"rows": rows})
        stored.report_runless_asset_event(observation)
    stored.report_runless_asset_event(dg.AssetMaterialization("by_hand"))
    stored.report_runless_asset_event(dg.AssetMaterialization("by_hand", partition="a"))
    make_older(stored, "", 100)
    load(stored)

    trim(stored)

    left = stored.fetch_observations(dg.AssetKey("endpoint"), limit=9).records
    assert [each.asset_observation.metadata["rows"].value for each in left] == [2]  # type: ignore[union-attr]
    assert len(stored.fetch_materializations(dg.AssetKey("by_hand"), limit=9).records) == 2


def test_the_newest_result_of_a_check_stays_with_its_run(stored: dg.DagsterInstance) -> None:
    checked = load(stored, age=100)
    stored.report_runless_asset_event(dg.AssetMaterialization(ORDERS))

    trim(stored)

    record = stored.event_log_storage.get_asset_check_summary_records([COMPLETE])[COMPLETE]
    last = record.last_completed_check_execution_record
    assert last
    assert last.evaluation
    assert last.evaluation.passed
    assert last.run_id == checked
    assert runs(stored) == {checked}


def test_a_result_that_was_reported_again_keeps_the_run_in_which_the_check_ran(
    stored: dg.DagsterInstance,
) -> None:
    checked, failed = load(stored, age=200), load(stored, age=100, fails=True)
    keep_last_results(stored, failed, [COMPLETE])
    stored.report_runless_asset_event(dg.AssetMaterialization(ORDERS))

    trim(stored)

    record = stored.event_log_storage.get_asset_check_summary_records([COMPLETE])[COMPLETE]
    last = record.last_completed_check_execution_record
    assert last
    assert last.evaluation
    assert last.evaluation.metadata[RESULT_OF_RUN].value == checked
    assert runs(stored) == {checked, failed}


def test_a_failed_run_leaves_and_its_partitions_are_as_loaded_as_before(
    stored: dg.DagsterInstance,
) -> None:
    loaded, failed, new = load(stored, age=102), load(stored, age=101, fails=True), load(stored)
    trim(stored)
    assert runs(stored) == {new}
    assert loaded != failed


@pytest.mark.parametrize("status", ["NOT_STARTED", "STARTED", "CANCELING"])
def test_a_run_that_has_not_ended_stays_as_it_is(stored: dg.DagsterInstance, status: str) -> None:
    job = project().resolve_job_def("all")
    run = stored.create_run_for_job(job, status=dg.DagsterRunStatus(status))
    make_older(stored, run.run_id, 1000)
    load(stored)
    before = kinds(stored, run.run_id)

    trim(stored)

    assert run.run_id in runs(stored)
    assert kinds(stored, run.run_id) == before


def test_the_newest_run_stays_and_numbers_of_events_are_not_given_twice(
    stored: dg.DagsterInstance,
) -> None:
    """SQLite gives the number of a deleted last row again, and cursors would skip the new one."""
    load(stored, age=200)
    newest = load(stored, age=100)
    number = stored.event_log_storage.get_maximum_record_id()
    stored.report_runless_asset_event(dg.AssetObservation("endpoint"))
    stored.report_runless_asset_event(dg.AssetObservation("endpoint"))
    make_older(stored, "", 100)

    trim(stored)

    assert runs(stored) == {newest}
    assert (stored.event_log_storage.get_maximum_record_id() or 0) > (number or 0)


def test_the_stored_job_of_a_run_leaves_with_the_last_run_of_it(
    stored: dg.DagsterInstance,
) -> None:
    of_days = load_days(stored, "2026-01-01", "2026-01-01", age=100)
    load(stored, age=100)
    load_days(stored, "2026-01-01", "2026-01-01")
    new = load(stored)
    run = stored.get_run_by_id(of_days)
    assert run
    assert run.job_snapshot_id
    trim(stored)
    assert stored.has_job_snapshot(run.job_snapshot_id)  # the new run has the same

    left = stored.get_run_by_id(new)
    assert left
    assert left.job_snapshot_id
    trim(stored, NOW + timedelta(days=100))
    assert stored.has_job_snapshot(left.job_snapshot_id)


def test_a_step_ends_with_its_time_and_the_next_process_goes_on(
    stored: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    for age in range(105, 100, -1):
        load(stored, age=age)
    new = load(stored)
    monkeypatch.setattr(step, "EVENTS_AT_ONCE", 2)
    monkeypatch.setattr(step, "RUNS_AT_ONCE", 3)
    clock = iter(range(10**6))
    monkeypatch.setattr("time.monotonic", lambda: next(clock))

    steps = [trim_history(stored, [], NOW, seconds=8) for _ in range(40)]

    assert max(each.runs for each in steps) <= 2
    assert max(each.events for each in steps) <= 10
    assert sum(each.runs for each in steps) == 5
    assert not steps[-1].events
    assert runs(stored) == {new}
