"""The DuckDB file: other processes wait for it, and a load gets little memory, but enough."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import psutil
import pyarrow as pa
import pytest

from analytics_assets.warehouse.duckdb_file import (
    duckdb_credentials,
    held_open,
    memory_limited,
    reset_memory_limit,
)
from analytics_assets.warehouse.errors import WarehouseLockedError
from analytics_assets.warehouse.locks.lock_wait import LockWait
from analytics_assets.warehouse.queries.keys import duplicated_keys
from analytics_assets.warehouse.queries.tables import open_tables
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.holding import holding, when_waited_for

pytestmark = pytest.mark.usefixtures("duckdb_warehouse")
MANY = 10_000_000
HOLD_OPEN = """
import duckdb
connection = duckdb.connect(sys.argv[1])
hold()
"""


@pytest.fixture
def file(duckdb_warehouse: Warehouse) -> Path:
    assert duckdb_warehouse.duckdb_file
    return duckdb_warehouse.duckdb_file


def load_a_row(warehouse: Warehouse) -> None:
    with warehouse.loading("orders") as pipeline:
        pipeline.run([{"id": 1}], table_name="orders")


def test_the_process_that_holds_the_file_is_named(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCK_PATIENCE", "0")
    warehouse = Warehouse.from_settings("analytics")
    named = rf"The DuckDB file {file} is held open by .*\(PID (\d+)\)"
    with holding(HOLD_OPEN, str(file)) as process:
        for use in (warehouse.open().__enter__, lambda: load_a_row(warehouse)):
            with pytest.raises(WarehouseLockedError, match=named) as caught:
                use()
            assert f"(PID {process.pid})" in caught.value.holder
    load_a_row(warehouse)
    with warehouse.open() as tables:
        assert tables.row_count("orders") == 1


def test_a_load_waits_for_a_process_that_has_the_file_open(
    duckdb_warehouse: Warehouse, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with holding(HOLD_OPEN, str(file)) as process, when_waited_for(process.communicate):
        load_a_row(duckdb_warehouse)
    assert f"(PID {process.pid}), which holds the DuckDB file {file}" in caplog.text
    with duckdb_warehouse.open() as tables:
        assert tables.row_count("orders") == 1


def test_a_query_waits_for_a_process_that_has_the_file_open(
    duckdb_warehouse: Warehouse, file: Path
) -> None:
    with (
        holding(HOLD_OPEN, str(file)) as process,
        when_waited_for(process.communicate),
        duckdb_warehouse.open() as tables,
    ):
        assert tables.columns("no_such_table") == {}


def test_other_processes_can_open_the_file_while_the_api_is_read(
    duckdb_warehouse: Warehouse, file: Path
) -> None:
    def rows() -> Iterator[dict[str, int]]:
        with holding(HOLD_OPEN, str(file)):
            yield {"id": 1}

    with duckdb_warehouse.loading("orders") as pipeline:
        pipeline.run(rows(), table_name="orders")
    with duckdb_warehouse.open() as tables:
        assert tables.row_count("orders") == 1


@contextmanager
def opened(columns: int | None = 1) -> Iterator[duckdb.DuckDBPyConnection]:
    """The file as it is open while a table of some columns is loaded."""
    credentials = duckdb_credentials()
    with (
        held_open(credentials, LockWait(60)),
        memory_limited(credentials, columns),
        duckdb.connect(str(credentials.database)) as connection,
    ):
        yield connection


def megabytes(columns: int | None = 1) -> float:
    with opened(columns) as connection:
        [limit] = connection.execute("SELECT current_setting('memory_limit')").fetchone() or ("",)
    number, unit = limit.split()
    return float(number) * {"MiB": 1.048576, "GiB": 1073.741824}[unit]


def test_a_load_into_an_empty_file_gets_little() -> None:
    assert megabytes() < 100


def test_the_limit_ends_with_the_load() -> None:
    credentials = duckdb_credentials()
    with held_open(credentials, LockWait(60)):
        before = megabytes(columns=None)
        with memory_limited(credentials, 1):
            assert megabytes(columns=None) < 100
        assert megabytes(columns=None) == before > 100


def test_the_file_is_opened_twice_for_a_load(
    duckdb_warehouse: Warehouse, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[bool] = []
    connect = duckdb.connect

    def counted(*args: Any, **options: Any) -> duckdb.DuckDBPyConnection:
        opened.append(is_open(file))
        return connect(*args, **options)

    monkeypatch.setattr(duckdb, "connect", counted)
    with duckdb_warehouse.loading("orders", 1) as pipeline:
        with open_tables(pipeline) as tables:
            assert not tables.columns("orders")
        pipeline.run([{"id": 1}], table_name="orders")
        with open_tables(pipeline) as tables:
            assert tables.row_count("orders") == 1
    assert opened.count(False) == 2
    assert not is_open(file)


def is_open(file: Path) -> bool:
    """True if this process has a file open."""
    return file in {Path(link.path) for link in psutil.Process().open_files()}


def test_rows_all_over_a_large_table_can_be_deleted() -> None:
    with opened(columns=None) as connection:
        connection.execute(f"CREATE TABLE numbers AS SELECT * FROM range({MANY}) AS numbers(n)")
    with opened() as connection:
        connection.execute("DELETE FROM numbers WHERE n % 100 = 0")
        left = connection.execute("SELECT count(*) FROM numbers").fetchone()
    assert left == (MANY * 99 // 100,)


def test_a_query_with_little_memory_puts_the_rest_on_disk(duckdb_warehouse: Warehouse) -> None:
    many = "SELECT 'key ' || n AS id FROM range(2_000_000) AS numbers(n)"
    settings = "SELECT current_setting('memory_limit'), current_setting('threads')"
    with opened(columns=None) as connection:
        connection.execute("CREATE SCHEMA analytics")
        connection.execute(f"CREATE TABLE analytics.numbers AS {many}")
        usual = connection.execute(settings).fetchone()
    with duckdb_warehouse.open(limited=True) as tables:
        [[limit, threads]] = tables.rows(settings)
        assert (limit.partition(".")[0], threads) == ("95", 2)  # MiB
        assert duplicated_keys(tables, "numbers", ["id"]) == 0
    with duckdb_warehouse.open() as tables:
        assert tables.rows(settings) == [usual]


def test_a_limit_from_the_settings_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS__GLOBAL_CONFIG", '{"memory_limit":"1GB"}')
    assert 999 < megabytes() < 1001
    with opened():
        assert not reset_memory_limit(duckdb.OutOfMemoryException("SET memory_limit"))
        assert 999 < megabytes() < 1001


def test_another_error_does_not_reset_the_limit() -> None:
    with opened():
        assert not reset_memory_limit(duckdb.IOException("no file"))
        assert megabytes() < 100


def test_rows_that_take_more_memory_than_estimated_are_loaded_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LOAD__RAISE_ON_MAX_RETRIES", "1")  # each attempt takes a second
    resets: list[bool] = []

    def reset(error: Exception) -> bool:
        resets.append(reset_memory_limit(error))
        return resets[-1]

    monkeypatch.setattr("analytics_assets.warehouse.warehouse.reset_memory_limit", reset)
    numbers, body = range(100), "x" * 1_000_000
    rows = pa.table({"id": numbers, "body": [f"{number}{body}" for number in numbers]})
    warehouse = Warehouse.from_settings("analytics")
    with warehouse.loading("large", 2) as pipeline:
        pipeline.run(rows, table_name="large", loader_file_format="parquet")
    assert resets == [True]
    with warehouse.open() as tables:
        assert tables.row_count("large") == 100
