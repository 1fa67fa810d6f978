"""Dagster's history in PostgreSQL, by Dagster's own storage."""

import inspect
from collections.abc import Callable
from typing import Any

import psycopg2
import pytest
from dagster._core.storage.dagster_run import DagsterRun
from dagster_postgres.event_log import PostgresEventLogStorage

from analytics_assets.config.process.garbage_collection import garbage_collection_paused
from analytics_assets.orchestration.runs import storage

PLANNED = "get_resolved_partitions_subset_for_events"
TABLE = "asset_check_executions"


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

    assert left_by(PostgresEventLogStorage.has_table) == 0
    assert not history.event_log_storage.has_table("no_such_table")
    assert left_by(inspect.unwrap(PostgresEventLogStorage.has_table)) == 3
