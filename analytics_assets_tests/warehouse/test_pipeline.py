"""The pipeline of a load: its hooks, and other sessions that make the same table meanwhile."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
import pytest
from dlt.pipeline.exceptions import PipelineStepFailed

from analytics_assets.warehouse.pipeline import LoadHooks
from analytics_assets.warehouse.warehouse import Warehouse

PATIENCE = 120  # seconds that a busy machine may take
ANOTHER_WAITS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


@contextmanager
def making(url: str, statement: str) -> Iterator[None]:
    """Make something in another session, done only once this one waits for that."""
    with closing(psycopg2.connect(url)) as maker, closing(psycopg2.connect(url)) as watcher:
        watcher.autocommit = True
        maker.cursor().execute(statement)

        def commit() -> None:
            deadline = time.monotonic() + PATIENCE
            with watcher.cursor() as cursor:
                while time.monotonic() < deadline:
                    cursor.execute(ANOTHER_WAITS)
                    if cursor.fetchone() != (0,):
                        break
                    time.sleep(0.01)
            maker.commit()

        thread = threading.Thread(target=commit)
        thread.start()
        try:
            yield
        finally:
            thread.join()


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE SCHEMA analytics",
        "CREATE TABLE analytics.orders"
        "(id bigint, _dlt_load_id varchar NOT NULL, _dlt_id varchar NOT NULL)",
        "ALTER TABLE analytics.visits ADD COLUMN name varchar",
    ],
)
def test_what_another_session_makes_in_the_same_moment_does_not_fail_the_load(
    postgres_warehouse: Warehouse, postgres_url: str, statement: str
) -> None:
    if "TABLE" in statement:
        with postgres_warehouse.loading("first") as pipeline:
            pipeline.run([{"id": 1}], table_name="visits")
    table = "visits" if "visits" in statement else "orders"
    with making(postgres_url, statement), postgres_warehouse.loading("second") as pipeline:
        pipeline.run([{"id": 2, "name": "two"}], table_name=table)
    with postgres_warehouse.open() as tables:
        assert tables.row_count(table) == (2 if table == "visits" else 1)


def test_hooks_outlive_a_drop_of_the_pipeline(duckdb_warehouse: Warehouse) -> None:
    calls: list[str] = []

    @contextmanager
    def limited() -> Iterator[None]:
        calls.append("limit")
        yield
        calls.append("reset")

    pipeline = duckdb_warehouse.pipeline("shop")
    pipeline.connect_hooks(
        LoadHooks(
            hold=lambda: calls.append("hold"),
            free=lambda: calls.append("free"),
            limited=limited,
            after_load=lambda loaded: calls.append("after"),
        )
    )
    pipeline.drop()
    pipeline.run([{"id": 1}], table_name="orders")
    assert calls == ["hold", "free", "hold", "limit", "after", "reset"]


@pytest.mark.parametrize("is_recovered", [True, False])
def test_a_load_is_repeated_if_its_error_is_recovered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_recovered: bool
) -> None:
    absent = tmp_path / "absent"
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", str(absent / "file.duckdb"))
    errors: list[Exception] = []

    def recover(error: Exception) -> bool:
        errors.append(error)
        absent.mkdir()
        return is_recovered

    warehouse = Warehouse.from_settings("analytics")
    pipeline = warehouse.pipeline("shop")
    pipeline.connect_hooks(LoadHooks(recover=recover))
    pipeline.extract([{"id": 1}], table_name="orders")
    pipeline.normalize()
    if is_recovered:
        pipeline.load()
        with warehouse.open() as tables:
            assert tables.row_count("orders") == 1
    else:
        with pytest.raises(PipelineStepFailed):
            pipeline.load()
    assert len(errors) == 1
