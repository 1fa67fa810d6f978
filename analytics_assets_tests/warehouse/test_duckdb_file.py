"""How much memory DuckDB gets for a load: little, and enough all the same."""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import pyarrow as pa
import pytest

from analytics_assets.warehouse.duckdb_file import duckdb_credentials, held_open, reset_memory_limit
from analytics_assets.warehouse.lock_wait import LockWait
from analytics_assets.warehouse.warehouse import Warehouse

pytestmark = pytest.mark.usefixtures("duckdb_warehouse")
MANY = 10_000_000


@contextmanager
def opened(columns: int | None = 1) -> Iterator[duckdb.DuckDBPyConnection]:
    """The file as it is open while a table of some columns is loaded."""
    credentials = duckdb_credentials()
    with (
        held_open(credentials, LockWait(60), columns),
        duckdb.connect(str(credentials.database)) as connection,
    ):
        yield connection


def megabytes() -> float:
    with opened() as connection:
        [limit] = connection.execute("SELECT current_setting('memory_limit')").fetchone() or ("",)
    number, unit = limit.split()
    return float(number) * {"MiB": 1.048576, "GiB": 1073.741824}[unit]


def test_a_load_into_an_empty_file_gets_little() -> None:
    assert megabytes() < 100


def test_rows_all_over_a_large_table_can_be_deleted() -> None:
    with opened(columns=None) as connection:
        connection.execute(f"CREATE TABLE numbers AS SELECT * FROM range({MANY}) AS numbers(n)")
    with opened() as connection:
        connection.execute("DELETE FROM numbers WHERE n % 100 = 0")
        left = connection.execute("SELECT count(*) FROM numbers").fetchone()
    assert left == (MANY * 99 // 100,)


def test_a_limit_that_was_set_by_hand_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS__GLOBAL_CONFIG", '{"memory_limit":"1GB"}')
    assert 999 < megabytes() < 1001
    with opened():
        assert not reset_memory_limit(duckdb.OutOfMemoryException("SET memory_limit"))
        assert 999 < megabytes() < 1001


def test_another_error_does_not_lift_the_limit() -> None:
    with opened():
        assert not reset_memory_limit(duckdb.IOException("no file"))
        assert megabytes() < 100


def test_rows_that_take_more_memory_than_estimated_are_loaded_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resets: list[bool] = []

    def reset(error: Exception) -> bool:
        resets.append(reset_memory_limit(error))
        return resets[-1]

    monkeypatch.setattr("analytics_assets.warehouse.warehouse.reset_memory_limit", reset)
    numbers, body = range(100), "x" * 1_000_000
    rows = pa.table({"id": numbers, "body": [f"{number}{body}" for number in numbers]})
    warehouse = Warehouse.from_settings()
    with warehouse.loading("large", 2) as pipeline:
        pipeline.run(rows, table_name="large", loader_file_format="parquet")
    assert resets == [True]
    with warehouse.open() as tables:
        assert tables.row_count("large") == 100
