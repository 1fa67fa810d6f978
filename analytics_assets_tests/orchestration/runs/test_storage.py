"""Dagster's history in SQLite files: the same events, in fewer rows, bytes and transactions."""

import inspect
import json
import os
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import dagster as dg
import pytest
import sqlalchemy
from dagster._core.storage.dagster_run import DagsterRun
from sqlalchemy.engine import Engine

from analytics_assets.orchestration.runs import storage
from analytics_assets.orchestration.runs.compat import BATCH_SETTING, MOST_OPEN, plan_checks_once
from analytics_assets.orchestration.runs.tags import range_tags
from analytics_assets_tests.support.loading import history_in

DAYS = [f"2026-01-{day:02}" for day in range(1, 13)]
TABLE = dg.AssetKey("table")
CHECKS = [f"check_{number}" for number in range(3)]
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dg.asset(key=TABLE, partitions_def=dg.DailyPartitionsDefinition("2026-01-01"))
def table(context: dg.AssetExecutionContext) -> None:
    for day in context.partition_keys:
        context.add_asset_metadata({"rows": int(day[-2:])}, TABLE, day)


@dg.multi_asset_check(specs=[dg.AssetCheckSpec(name, asset=TABLE) for name in CHECKS])
def checks() -> Iterator[dg.AssetCheckResult]:
    for name in CHECKS:
        yield dg.AssetCheckResult(check_name=name, asset_key=TABLE, passed=True)


def load(instance: dg.DagsterInstance, days: list[str] = DAYS) -> dg.ExecuteInProcessResult:
    definitions = dg.Definitions(assets=[table], asset_checks=[checks])
    return definitions.resolve_implicit_global_asset_job_def().execute_in_process(
        instance=instance, tags=range_tags(days), run_config=QUIET
    )


@contextmanager
def read(folder: Path, name: str) -> Iterator[sqlite3.Connection]:
    """Open a file of events: `index`, or that of a run."""
    with closing(sqlite3.connect(folder / "history" / "runs" / f"{name}.db")) as connection:
        yield connection


def evaluations(folder: Path) -> Counter[tuple[str, str]]:
    """Return how often each check has each status."""
    with read(folder, "index") as index:
        query = "SELECT check_name, execution_status FROM asset_check_executions"
        return Counter(index.execute(query).fetchall())


def events_by_type(folder: Path, name: str) -> Counter[str]:
    with read(folder, name) as file:
        return Counter(row[0] for row in file.execute("SELECT dagster_event_type FROM event_logs"))


def test_dagster_1_13_plans_a_check_without_partitions_for_each_partition(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    method = "get_resolved_partitions_subset_for_events"
    monkeypatch.setattr(DagsterRun, method, inspect.unwrap(getattr(DagsterRun, method)))
    for name, planned in (("dagsters", 12), ("planned once", 0)):
        folder = tmp_path / name
        folder.mkdir()
        with dg.DagsterInstance.local_temp(str(folder)) as instance:
            assert load(instance).success
        found = evaluations(folder)
        assert {found[check, "PLANNED"] for check in CHECKS} == {planned}
        assert {found[check, "SUCCEEDED"] for check in CHECKS} == {1}
        plan_checks_once()


def test_a_run_has_each_check_once_and_each_partition(tmp_path: Path) -> None:
    with history_in(tmp_path) as instance:
        run = load(instance)
        assert instance.get_materialized_partitions(TABLE) == set(DAYS)
        newest = instance.get_latest_materialization_event(TABLE)
        assert newest is not None
        assert newest.asset_materialization is not None
        assert newest.asset_materialization.partition == DAYS[-1]
        assert newest.asset_materialization.metadata["rows"].value == 12

    assert evaluations(tmp_path) == Counter({(name, "SUCCEEDED"): 1 for name in CHECKS})
    index, own = (events_by_type(tmp_path, name) for name in ("index", run.run_id))
    assert index["ASSET_MATERIALIZATION"] == own["ASSET_MATERIALIZATION"] == 12
    # what is looked up by partition is there for each; a person who reads the run has one line
    assert index["ASSET_MATERIALIZATION_PLANNED"] == 12
    assert own["ASSET_MATERIALIZATION_PLANNED"] == 1
    assert index["ASSET_CHECK_EVALUATION_PLANNED"] == len(CHECKS)


def test_the_events_of_a_batch_have_milliseconds_of_their_own(tmp_path: Path) -> None:
    with history_in(tmp_path) as instance:  # the list of events in the UI leaves out equal ones
        run = instance.create_run_for_job(table_job())
        instance.event_log_storage.store_event_batch([materialized(run, day) for day in DAYS])
        records = instance.fetch_materializations(TABLE, limit=99, ascending=True).records
    assert [record.partition_key for record in records] == DAYS
    assert len({int(record.timestamp * 1000) for record in records}) == len(DAYS)


def test_an_event_has_no_byte_for_the_eye(tmp_path: Path) -> None:
    with history_in(tmp_path) as instance:
        run = load(instance, DAYS[:1])
    with read(tmp_path, run.run_id) as file:
        events = [text for (text,) in file.execute("SELECT event FROM event_logs")]
    assert events == [json.dumps(json.loads(text), separators=(",", ":")) for text in events]


def test_a_partition_whose_run_fails_is_shown_as_such(tmp_path: Path) -> None:
    @dg.asset(key=TABLE, partitions_def=dg.DailyPartitionsDefinition("2026-01-01"))
    def failing() -> None:
        raise dg.Failure("no")

    with history_in(tmp_path) as instance:
        dg.materialize(
            [failing], instance=instance, tags=range_tags(DAYS[:3]), raise_on_error=False
        )
        storage: Any = instance.event_log_storage
        attempts = (
            storage.get_latest_asset_partition_materialization_attempts_without_materializations
        )
        assert set(attempts(TABLE)) == set(DAYS[:3])


def test_dagsters_own_storage_reads_the_files_and_goes_on_with_them(tmp_path: Path) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        load(instance, DAYS[:2])
    with history_in(tmp_path) as instance:
        assert instance.get_materialized_partitions(TABLE) == set(DAYS[:2])
        run = load(instance, DAYS[2:5])
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        assert instance.get_materialized_partitions(TABLE) == set(DAYS[:5])
        assert len(instance.all_logs(run.run_id, dg.DagsterEventType.ASSET_MATERIALIZATION)) == 3
        load(instance, DAYS[5:7])
        assert instance.get_materialized_partitions(TABLE) == set(DAYS[:7])


def test_a_batch_of_events_is_one_transaction_a_file_and_dagsters_is_several_an_event(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits: list[str] = []
    monkeypatch.setenv(BATCH_SETTING, "100")

    def committed(connection: Any) -> None:
        commits.append(connection.engine.url.database)

    def commits_of(instance: dg.DagsterInstance, days: list[str]) -> int:
        commits.clear()
        load(instance, days)
        return len([file for file in commits if "history/runs/" in file])

    sqlalchemy.event.listen(Engine, "commit", committed)
    try:
        (tmp_path / "one").mkdir()
        with history_in(tmp_path / "one") as instance:
            commits_of(instance, DAYS[:1])
            assert commits_of(instance, DAYS) == commits_of(instance, DAYS[:1])
        (tmp_path / "dagsters").mkdir()
        with dg.DagsterInstance.local_temp(str(tmp_path / "dagsters")) as instance:
            commits_of(instance, DAYS[:1])
            a_day = (commits_of(instance, DAYS) - commits_of(instance, DAYS[:1])) / len(DAYS[1:])
            assert a_day > 1
    finally:
        sqlalchemy.event.remove(Engine, "commit", committed)


def test_a_batch_that_cannot_be_stored_leaves_nothing_behind(tmp_path: Path) -> None:
    with history_in(tmp_path) as instance:
        load(instance, DAYS[:2])
        run = instance.create_run_for_job(table_job())
        with read(tmp_path, "index") as index:
            index.execute(
                "CREATE TRIGGER refuse BEFORE INSERT ON event_logs"
                " WHEN NEW.partition = '2026-01-05' BEGIN SELECT RAISE(ABORT, 'refused'); END"
            )
            before = index.execute("SELECT count(*) FROM event_logs").fetchone()
        with pytest.raises(Exception, match="refused"):
            instance.event_log_storage.store_event_batch(
                [materialized(run, day) for day in DAYS[3:6]]
            )
        with read(tmp_path, "index") as index:
            index.execute("DROP TRIGGER refuse")
            after = index.execute("SELECT count(*) FROM event_logs").fetchone()
        assert after == before
        assert instance.get_materialized_partitions(TABLE) == set(DAYS[:2])
        instance.event_log_storage.store_event_batch([materialized(run, DAYS[3])])
        assert instance.get_materialized_partitions(TABLE) == {*DAYS[:2], DAYS[3]}
        assert len(instance.all_logs(run.run_id, dg.DagsterEventType.ASSET_MATERIALIZATION)) == 1


def test_a_batch_has_events_of_more_runs_than_files_stay_open(tmp_path: Path) -> None:
    with history_in(tmp_path) as instance:
        runs = [instance.create_run_for_job(table_job()) for _ in range(MOST_OPEN + 2)]
        instance.event_log_storage.store_event_batch([materialized(run, DAYS[0]) for run in runs])
        for run in runs:
            logs = instance.all_logs(run.run_id, dg.DagsterEventType.ASSET_MATERIALIZATION)
            assert len(logs) == 1


def table_job() -> dg.JobDefinition:
    return dg.Definitions(assets=[table]).resolve_implicit_global_asset_job_def()


def materialized(run: dg.DagsterRun, day: str) -> dg.EventLogEntry:
    from dagster._core.events import StepMaterializationData

    event = dg.DagsterEvent(
        event_type_value=dg.DagsterEventType.ASSET_MATERIALIZATION.value,
        job_name=run.job_name,
        event_specific_data=StepMaterializationData(dg.AssetMaterialization(TABLE, partition=day)),
    )
    entry: Any = dg.EventLogEntry
    found: dg.EventLogEntry = entry(
        error_info=None,
        level=20,
        user_message="",
        run_id=run.run_id,
        timestamp=1800000000.0,
        dagster_event=event,
    )
    return found


def test_threads_and_a_forked_process_write_the_same_files(tmp_path: Path) -> None:
    with history_in(tmp_path) as instance:
        run = instance.create_run_for_job(table_job())

        def store(days: list[str]) -> None:
            for day in days:
                instance.event_log_storage.store_event(materialized(run, day))

        threads = [
            threading.Thread(target=store, args=(DAYS[n * 2 : n * 2 + 2],)) for n in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if not (child := os.fork()):
            store(DAYS[8:10])
            os._exit(0)
        store(DAYS[10:])
        assert os.waitpid(child, 0)[1] == 0
        assert instance.get_materialized_partitions(TABLE) == set(DAYS)
    with read(tmp_path, "index") as index:
        assert index.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_who_watches_a_run_sees_its_events_while_their_file_is_open(tmp_path: Path) -> None:
    with history_in(tmp_path) as writer, history_in(tmp_path) as reader:
        run, seen = writer.create_run_for_job(table_job()), SimpleQueue[str]()
        writer.event_log_storage.store_event(materialized(run, DAYS[0]))

        def note(event: dg.EventLogEntry, _: str) -> None:
            if event.dagster_event and event.dagster_event.partition:
                seen.put(event.dagster_event.partition)

        reader.event_log_storage.watch(run.run_id, None, note)
        writer.event_log_storage.store_event(materialized(run, DAYS[1]))
        assert [seen.get(timeout=120) for _ in range(2)] == DAYS[:2]


def test_a_file_that_was_deleted_is_made_again(tmp_path: Path) -> None:
    with history_in(tmp_path) as instance:
        run = instance.create_run_for_job(table_job())
        instance.event_log_storage.store_event(materialized(run, DAYS[0]))
        for file in (tmp_path / "history" / "runs").glob(f"{run.run_id}.db*"):
            file.unlink()
        instance.event_log_storage.store_event(materialized(run, DAYS[1]))
        logs = instance.all_logs(run.run_id, dg.DagsterEventType.ASSET_MATERIALIZATION)
        assert [log.asset_materialization.partition for log in logs] == [DAYS[1]]  # type: ignore[union-attr]


def test_the_size_of_a_batch_that_is_set_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(BATCH_SETTING, "7")
    with history_in(tmp_path):
        assert os.environ[BATCH_SETTING] == "7"


def test_files_of_runs_and_schedules_have_an_engine_each(tmp_path: Path) -> None:
    history = storage.SqliteStorage(str(tmp_path))
    for each in (history.run_storage, history.schedule_storage):
        make = inspect.getmodule(type(each)).create_engine  # type: ignore[union-attr]
        url = f"sqlite:///{tmp_path}/some.db"
        assert make(url) is make(url)
