"""The warehouse: chosen by settings, with tables that dlt itself reads."""

import traceback
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
import dlt
import psycopg2
import pytest

from analytics_assets.config.api import Api
from analytics_assets.defs.analytics.api import API
from analytics_assets.sandbox import sandbox_rows
from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import TODAY
from analytics_assets_tests.support.holding import holding, when_waited_for
from analytics_assets_tests.support.loading import (
    api_rows,
    check_of,
    entry_of,
    load,
    table_rows,
)
from analytics_assets_tests.support.orders import orders_api
from analytics_assets_tests.support.postgres import PostgresServer
from analytics_assets_tests.support.sandbox import Sandbox

NOBODY_THERE = "postgresql://nobody:secret-word@127.0.0.1:1/postgres"
HOLD_TABLE = """
from analytics_assets.warehouse.warehouse import Warehouse
place = Warehouse.from_settings("analytics")
with place.loading("other", table="page_views", run="of another instance"):
    hold()
"""

CONTENT = """
SELECT nspname, nspacl::text FROM pg_namespace WHERE nspname !~ '^pg_'
UNION SELECT relname, '' FROM pg_class WHERE oid >= 16384
UNION SELECT typname, '' FROM pg_type WHERE oid >= 16384
UNION SELECT setconfig::text, '' FROM pg_db_role_setting
ORDER BY 1
"""
LEFT_BEHIND = [
    "CREATE TABLE orders (id int PRIMARY KEY)",
    'CREATE SCHEMA "Left behind" CREATE TABLE orders (id int)',
    "CREATE TYPE mood AS ENUM ('good')",
    "ALTER DATABASE \"{}\" SET timezone TO 'UTC'",
    "REVOKE ALL ON SCHEMA public FROM PUBLIC",
]


def test_what_a_test_leaves_in_its_database_is_not_in_that_of_the_next_one(
    postgres_server: PostgresServer,
) -> None:
    def content(database: str) -> list[Any]:
        with closing(psycopg2.connect(postgres_server.url(database))) as connection:
            cursor = connection.cursor()
            cursor.execute(CONTENT)
            return list(cursor.fetchall())

    with postgres_server.empty_database() as first:
        empty = content(first)
        left_open = psycopg2.connect(postgres_server.url(first))
        left_open.autocommit = True
        for statement in LEFT_BEHIND:
            left_open.cursor().execute(statement.format(first))
        assert content(first) != empty
    with postgres_server.empty_database() as second:
        assert second != first
        assert content(second) == empty
    with pytest.raises(psycopg2.OperationalError):
        left_open.cursor().execute("SELECT 1")


def test_duckdb_in_one_file_is_the_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DESTINATION__DUCKDB__CREDENTIALS")
    warehouse = Warehouse.from_settings("analytics")
    assert (warehouse.destination_type, warehouse.dataset) == ("duckdb", "analytics")
    assert warehouse.duckdb_file == tmp_path / "warehouse.duckdb"


def test_destination_and_dataset_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESTINATION_TYPE", "postgres")
    monkeypatch.setenv("DATASET_NAME", "web")
    warehouse = Warehouse.from_settings("analytics")
    assert warehouse.qualified("page_views") == "web.page_views"
    assert warehouse.duckdb_file is None


@pytest.mark.parametrize("setting", ["{0}", "duckdb:///{0}"])
def test_the_duckdb_file_is_dlts_own_setting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, setting: str
) -> None:
    file = tmp_path / "other.duckdb"
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", setting.format(file))
    assert Warehouse.from_settings("analytics").duckdb_file == file


def test_a_file_named_like_the_dataset_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", str(tmp_path / "analytics.duckdb"))
    with pytest.raises(WarehouseError, match="rename the file"):
        Warehouse.from_settings("analytics").pipeline("any")


def test_all_tables_of_a_duckdb_file_share_a_pool_and_elsewhere_each_has_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    duckdb = Warehouse.from_settings("analytics")
    assert duckdb.pool("a") == duckdb.pool("b") == Warehouse.from_settings("shop").pool("a")
    monkeypatch.setenv("DESTINATION_TYPE", "postgres")
    postgres = Warehouse.from_settings("analytics")
    pools = [postgres.pool("a"), postgres.pool("b"), Warehouse.from_settings("shop").pool("a")]
    assert len(set(pools)) == 3


def test_a_destination_that_is_down_fails_the_load_without_a_secret_and_loses_nothing(
    postgres_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, postgres_url: str
) -> None:
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", NOBODY_THERE)
    with pytest.raises(Exception, match="Connection refused") as caught:  # noqa: SIM117
        with postgres_warehouse.loading("orders") as pipeline:
            pipeline.run([{"id": 1}], table_name="orders")
    assert "secret-word" not in "".join(traceback.format_exception(caught.value))
    with pytest.raises(WarehouseError, match="The warehouse cannot be opened") as refused:  # noqa: SIM117
        with postgres_warehouse.open():
            pass
    assert "secret-word" not in "".join(traceback.format_exception(refused.value))
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", postgres_url)
    with postgres_warehouse.loading("orders") as pipeline:
        pipeline.run([{"id": 1}], table_name="orders")
    assert table_rows(postgres_warehouse, "orders") == [{"id": 1}]


def test_dlts_dataset_reads_the_table_of_each_pipeline(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    for table in ("orders", "users"):
        with warehouse.loading(f"shop_{table}", table=table) as pipeline:
            pipeline.run([{"id": 1, "name": table}], table_name=table, primary_key="id")
    for table in ("orders", "users"):
        dataset = dlt.pipeline(
            f"shop_{table}",
            str(tmp_path / "elsewhere"),
            destination=warehouse.destination,
            dataset_name=warehouse.dataset,
        ).dataset()
        assert dataset[table].select("id", "name").fetchall() == [(1, table)]
        assert dataset.row_counts().fetchall() == [(table, 1)]
        both = dataset("SELECT users.name FROM users JOIN orders USING (id)")
        assert both.fetchall() == [("users",)]


@pytest.mark.usefixtures("connected")
def test_a_run_names_itself_as_the_holder_of_its_table_and_logs_for_whom_it_waits(
    duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    with holding(HOLD_TABLE) as process, when_waited_for(process.communicate):
        result = load(instance, "page_views")
    assert result.success
    assert table_rows(duckdb_warehouse, "page_views") == api_rows(sandbox_rows("page_views", TODAY))
    messages = [entry.message for entry in instance.all_logs(result.run_id)]
    [line] = [message for message in messages if message.startswith("Waiting for")]
    assert f"Waiting for run of another instance (process {process.pid} on " in line
    lock = Path(f"{duckdb_warehouse.duckdb_file}.lock")
    assert lock.read_text().startswith(f"run {result.run_id} (process ")


def test_two_apis_with_a_resource_of_the_same_name_have_a_table_and_rejected_rows_each(
    warehouse: Warehouse,
    instance: dg.DagsterInstance,
    serve: Callable[[list[Any]], Sandbox],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("DATASET_NAME")
    entry = {**entry_of("orders"), "primary_key": "id", "write_disposition": "merge"}
    apis = [
        Api(name=name, config={"client": API.config["client"], "resources": [entry]})
        for name in ("shop", "web")
    ]
    rows: dict[str, list[Any]] = {
        "shop": [{"id": 1}, {"name": "no key"}],
        "web": [{"id": 2}, {"id": 3}],
    }
    for _load in range(2):
        for api in apis:
            serve(rows[api.name])
            assert load(instance, "orders", api=api).success
    kept = {api.name: Warehouse.from_settings(api.name) for api in apis}
    assert [row["id"] for row in table_rows(kept["shop"], "orders")] == [1]
    assert [row["id"] for row in table_rows(kept["web"], "orders")] == [2, 3]
    with kept["shop"].open() as shop, kept["web"].open() as web:
        assert shop.columns("rejected_rows")
        assert not web.columns("rejected_rows")


@pytest.mark.parametrize("name", ["", " "])
def test_an_empty_dataset_name_is_none_for_loads_and_for_checks(
    duckdb_warehouse: Warehouse,
    instance: dg.DagsterInstance,
    serve: Callable[[list[Any]], Sandbox],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    monkeypatch.setenv("DATASET_NAME", name)
    serve([{"id": 1}])
    result = load(instance, "orders", api=orders_api())
    assert check_of(result, "rows_present").passed
    [tables] = duckdb_warehouse.query("SELECT count(*) FROM shop.orders")
    assert tables == (1,)
