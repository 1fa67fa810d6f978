"""The history of loads: rows that a later load needs stay however old, the others are deleted.

Most tests write dlt's tables by SQL; those that load show that dlt restores what is left.
"""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import dlt
import pytest
from dlt.destinations.job_client_impl import SqlJobClientBase

from analytics_assets.warehouse.queries.history import (
    has_rows_of_others,
    trim_history,
    trim_history_after,
)
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.tables import opened_with

OLD, RECENT = datetime(2020, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
BEFORE = datetime(2026, 1, 1, tzinfo=UTC)
SCHEMA = "counter"
TIME = "timestamp with time zone"
TABLES = {
    "_dlt_loads": f"load_id varchar, schema_name varchar, status bigint, inserted_at {TIME}",
    "_dlt_pipeline_state": f"pipeline_name varchar, created_at {TIME}, _dlt_load_id varchar",
    "_dlt_version": f"version bigint, schema_name varchar, inserted_at {TIME}",
}


class History:
    """dlt's tables in a dataset without a load."""

    def __init__(self, client: SqlJobClientBase) -> None:
        self.client = client

    def create(self, table: str, columns: str) -> None:
        sql = self.client.sql_client
        sql.execute_sql(f"CREATE TABLE {sql.make_qualified_table_name(table)} ({columns})")

    def insert(self, table: str, *values: Any) -> None:
        sql = self.client.sql_client
        places = ", ".join("%s" for _ in values)
        name = sql.make_qualified_table_name(table)
        sql.execute_sql(f"INSERT INTO {name} VALUES ({places})", *values)

    def load(self, load_id: str, at: datetime, schema: str = SCHEMA) -> None:
        self.insert("_dlt_loads", load_id, schema, 0, at)

    def state(self, load_id: str, at: datetime, pipeline: str = SCHEMA) -> None:
        self.insert("_dlt_pipeline_state", pipeline, at, load_id)

    def version(self, version: int, at: datetime, schema: str = SCHEMA) -> None:
        self.insert("_dlt_version", version, schema, at)

    def trim(self) -> None:
        trim_history(self.client, SCHEMA, [SCHEMA], BEFORE)

    def left(self, table: str, column: str) -> list[Any]:
        sql = self.client.sql_client
        name = sql.make_qualified_table_name(table)
        return [row[0] for row in sql.execute_sql(f"SELECT {column} FROM {name} ORDER BY 1") or ()]

    @property
    def loads(self) -> list[Any]:
        return self.left("_dlt_loads", "load_id")

    @property
    def states(self) -> list[Any]:
        return self.left("_dlt_pipeline_state", "_dlt_load_id")


@pytest.fixture
def history(warehouse: Warehouse) -> Iterator[History]:
    with warehouse.pipeline("writer").destination_client() as client:
        assert isinstance(client, SqlJobClientBase)
        client.sql_client.create_dataset()
        history = History(client)
        for table, columns in TABLES.items():
            history.create(table, columns)
        yield history


def test_recent_history_stays(history: History) -> None:
    for load in ("1", "2", "3"):
        history.load(load, RECENT)
        history.state(load, RECENT)
        history.version(int(load), RECENT)
    history.trim()
    assert history.loads == history.states == ["1", "2", "3"]
    assert history.left("_dlt_version", "version") == [1, 2, 3]


def test_of_old_history_the_newest_load_state_and_version_stay(history: History) -> None:
    for number in (1, 2, 3):
        history.load(str(number), OLD)
        history.state(str(number), OLD)
        history.version(number, OLD + timedelta(days=number))
    history.trim()
    assert history.loads == history.states == ["3"]
    assert history.left("_dlt_version", "version") == [3]


def test_the_load_that_brought_an_unchanged_state_stays(history: History) -> None:
    history.state("1", OLD)
    for load in ("1", "2", "3"):
        history.load(load, OLD)
    history.trim()
    assert history.states == ["1"]
    assert history.loads == ["1", "3"]


def test_the_history_of_another_pipeline_stays(history: History) -> None:
    for load in ("1", "2"):
        history.load(load, OLD, schema="other")
        history.state(load, OLD, pipeline="other")
        history.version(int(load), OLD, schema="other")
    history.load("0", OLD, schema="other")  # without a state that would keep it
    history.load("3", RECENT)
    history.trim()
    assert history.loads == ["0", "1", "2", "3"]
    assert history.states == ["1", "2"]
    assert history.left("_dlt_version", "version") == [1, 2]


def test_old_versions_in_the_dataset_for_staging_are_deleted(history: History) -> None:
    client: Any = history.client
    with client.with_staging_dataset():
        client.sql_client.create_dataset()
        history.create("_dlt_version", TABLES["_dlt_version"])
        for version in (1, 2):
            history.version(version, OLD + timedelta(days=version))
    history.trim()
    with client.with_staging_dataset():
        assert history.left("_dlt_version", "version") == [2]


def test_rejected_rows_stay_until_they_are_settled(history: History) -> None:
    history.create("rejected_rows", f"resource varchar, rejected_at {TIME}")
    history.insert("rejected_rows", "old", OLD)
    history.insert("rejected_rows", "recent", RECENT)
    history.trim()
    assert history.left("rejected_rows", "resource") == ["old", "recent"]


@dlt.resource(table_name="counts", write_disposition="merge", primary_key="id")
def counts(number: int) -> Any:
    """A row, and a state with its number."""
    dlt.current.resource_state()["highest"] = number
    yield [{"id": number}]


def load(warehouse: Warehouse, number: int) -> str:
    """Load a number; return the state before."""
    with warehouse.loading("counter") as pipeline:
        pipeline.sync_destination()
        before = str(pipeline.state.get("sources"))
        pipeline.run(counts(number))
        return before


def count(warehouse: Warehouse, table: str) -> int:
    with warehouse.open() as tables:
        return tables.row_count(table)


def age(warehouse: Warehouse) -> None:
    """Date dlt's rows back."""
    columns = {"loads": "inserted_at", "pipeline_state": "created_at", "version": "inserted_at"}
    with warehouse.pipeline("ager").sql_client() as client:
        for table, column in columns.items():
            name = client.make_qualified_table_name(f"_dlt_{table}")
            client.execute_sql(f"UPDATE {name} SET {column} = %s", OLD)


def test_a_load_trims_the_history_and_the_next_one_restores_the_newest_state(
    warehouse: Warehouse,
) -> None:
    for number in (1, 2):
        load(warehouse, number)
    age(warehouse)
    assert "2" in load(warehouse, 3)
    for table in ("_dlt_loads", "_dlt_pipeline_state", "_dlt_version"):
        assert count(warehouse, table) == 1
    with warehouse.loading("counter") as pipeline:
        pipeline.sync_destination()
        assert "3" in str(pipeline.state["sources"])
    assert count(warehouse, "counts") == 3


def test_zero_days_keep_all_history(
    duckdb_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HISTORY_DAYS", "0")
    warehouse = Warehouse.from_settings("analytics")
    load(warehouse, 1)
    age(warehouse)
    load(warehouse, 2)
    assert count(warehouse, "_dlt_loads") == 2


def test_a_destination_that_refuses_to_delete_does_not_fail_the_load(
    warehouse: Warehouse, caplog: pytest.LogCaptureFixture
) -> None:
    pipeline = warehouse.pipeline("writer")  # its dataset does not exist
    trim_history_after(pipeline, age=timedelta(days=1), log=logging.getLogger("the run"))
    [record] = caplog.records
    assert record.name == "the run"
    assert record.message.startswith("The history of earlier loads stays, as it could not be trim")


def test_by_default_no_copy_of_the_rows_stays_in_the_dataset_for_staging(
    warehouse: Warehouse,
) -> None:
    load(warehouse, 1)
    with warehouse.pipeline("reader").sql_client() as client:
        client.dataset_name = f"{warehouse.dataset}_staging"
        rows = client.execute_sql(f"SELECT * FROM {client.make_qualified_table_name('counts')}")
    assert not rows
    assert count(warehouse, "counts") == 1


def test_the_history_of_a_table_without_a_dataset_for_staging_is_trimmed(
    warehouse: Warehouse, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOAD__TRUNCATE_STAGING_DATASET", "true")
    for number in (1, 2):
        with warehouse.loading("appender") as pipeline:
            pipeline.run([{"id": number}], table_name="appended")
        age(warehouse)
    assert count(warehouse, "_dlt_loads") == 2  # the one that brought the state, and the newest
    assert caplog.messages == []


def test_rows_of_other_loads_since_a_load_are_found(warehouse: Warehouse) -> None:
    rows = ("_dlt_load_id varchar", "('09.5'), ('10.5'), ('10.75'), ('11.5')")
    with opened_with(warehouse, orders=rows, plain=("id varchar", "('1')")) as tables:
        found = [
            has_rows_of_others(tables, "orders", after, loads)
            for after, loads in [
                ("11.5", []),
                ("10.75", ["11.5"]),
                ("10.5", ["10.75", "11.5"]),
                ("10.5", ["11.5"]),
                ("10.75", []),
            ]
        ]
        assert found == [False, False, False, True, True]
        assert has_rows_of_others(tables, "plain", "10.5", ["11.5"])
