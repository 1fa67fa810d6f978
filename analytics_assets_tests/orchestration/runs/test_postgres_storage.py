"""Dagster's history in PostgreSQL, by Dagster's own storage."""

import inspect
import time
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import dagster as dg
import psycopg2
import pytest
from dagster._core.storage.dagster_run import DagsterRun
from dagster_postgres.event_log import PostgresEventLogStorage
from packaging.version import Version

from analytics_assets.config.process.garbage_collection import garbage_collection_paused
from analytics_assets.orchestration.runs import storage
from analytics_assets.orchestration.runs.compat import use_utc

PLANNED = "get_resolved_partitions_subset_for_events"
SOON = 600.0  # seconds; the server is in another time zone
TABLE = "asset_check_executions"
CLOSED_SINCE = Version("0.29.27")  # of dagster-postgres, or an earlier one after 0.29.1


@pytest.fixture
def history(monkeypatch: pytest.MonkeyPatch, postgres_url: str) -> Any:
    """The storage in an empty database."""
    for owner, name in ((DagsterRun, PLANNED), (PostgresEventLogStorage, "has_table")):
        monkeypatch.setattr(owner, name, inspect.unwrap(getattr(owner, name)))
    return storage.PostgresStorage.from_config_value(None, {"postgres_url": postgres_url})


def test_the_storage_in_postgresql_is_dagsters_with_checks_planned_once(history: Any) -> None:
    assert isinstance(history.event_log_storage, PostgresEventLogStorage)
    assert getattr(DagsterRun, PLANNED) is not inspect.unwrap(getattr(DagsterRun, PLANNED))
    with pytest.raises(AttributeError, match="MysqlStorage"):
        _ = storage.MysqlStorage


def test_dagster_postgres_leaves_the_connections_open_by_which_it_looks_for_a_table(
    history: Any, postgres_url: str
) -> None:
    def left_by(has_table: Callable[[Any, str], bool]) -> int:
        before = connections()
        with garbage_collection_paused():
            found = [has_table(history.event_log_storage, TABLE) for _ in range(3)]
            assert found == [True] * 3
            return connections() - before

    def connections() -> int:
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        connection = psycopg2.connect(postgres_url)
        with connection.cursor() as cursor:
            cursor.execute(query)
            [count] = cursor.fetchone()
        connection.close()
        return int(count)

    assert left_by(PostgresEventLogStorage.has_table) <= 1  # that of a pool
    assert not history.event_log_storage.has_table("no_such_table")
    are_left = left_by(inspect.unwrap(PostgresEventLogStorage.has_table)) == 3
    assert are_left == (Version(version("dagster-postgres")) < CLOSED_SINCE)


def test_dagster_postgres_stores_the_change_of_a_run_in_the_time_zone_of_the_connection(
    history: Any,
) -> None:
    module: Any = import_module("dagster_postgres.run_storage.run_storage")
    assert changed_ago(history) < SOON

    module.create_engine = inspect.unwrap(module.create_engine)
    try:
        dagsters = module.PostgresRunStorage(history.postgres_url)
        assert abs(changed_ago(SimpleNamespace(run_storage=dagsters))) > SOON
    finally:
        use_utc(module)


def changed_ago(history: Any) -> float:
    """Return for how many seconds a run is unchanged that is changed now."""
    run = DagsterRun(job_name="job", run_id=str(uuid4()))
    history.run_storage.add_run(run)
    ended = dg.DagsterEvent(dg.DagsterEventType.RUN_SUCCESS.value, job_name="job")
    history.run_storage.handle_run_event(run.run_id, ended)
    [record] = history.run_storage.get_run_records(dg.RunsFilter(run_ids=[run.run_id]))
    return float(time.time() - record.update_timestamp.timestamp())
