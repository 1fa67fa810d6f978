"""What stands in the way of a load, and is gone round: tables made in the same moment, old keys."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import dagster as dg
import psycopg2
import pytest

from analytics_assets.config.api import Api
from analytics_assets.defs.analytics.api import API
from analytics_assets.sandbox import Sandbox
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.loading import api_with, check_of, load, table_values

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


@pytest.mark.parametrize("before", [(), ("number",)], ids=["no table yet", "a good load before"])
def test_a_key_that_no_row_has_does_not_stand_in_the_way_of_the_right_one_later(
    warehouse: Warehouse,
    instance: dg.DagsterInstance,
    serve: Callable[[list[Any]], Sandbox],
    before: tuple[str, ...],
) -> None:
    serve([{"number": 1}, {"number": 2}])
    for key in (*before, "id", "number"):
        [entry] = api_with("orders").config["resources"]
        config = {**API.config, "resources": [{**entry, "primary_key": key}]}
        result = load(instance, "orders", api=Api(name=API.name, config=config))
        assert check_of(result, "no_rejected_rows").passed is (key == "number")
    pipeline = warehouse.pipeline("test_reader")
    assert table_values(pipeline, "orders", "number") == [{"number": 1}, {"number": 2}]
