"""The warehouse: which one settings choose, what it reads back, and what a locked file says."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from analytics_assets.sandbox import Sandbox, sandbox_rows
from analytics_assets.warehouse import Warehouse, WarehouseError, WarehouseLockedError
from analytics_assets_tests.conftest import TODAY
from analytics_assets_tests.loading import api_rows, failures_of, load, table_rows

HOLD_OPEN = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
"""


@contextmanager
def held_open(file: Path) -> Iterator[subprocess.Popen[str]]:
    """Keep a DuckDB file open in another process."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD_OPEN, str(file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "open\n"
    try:
        yield process
    finally:
        process.communicate()


def test_duckdb_in_one_file_is_the_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DESTINATION__DUCKDB__CREDENTIALS")
    warehouse = Warehouse.from_settings()
    assert (warehouse.destination_type, warehouse.dataset) == ("duckdb", "analytics")
    assert warehouse.duckdb_file == tmp_path / "warehouse.duckdb"


def test_destination_and_dataset_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESTINATION_TYPE", "postgres")
    monkeypatch.setenv("DATASET_NAME", "web")
    warehouse = Warehouse.from_settings()
    assert warehouse.qualified("page_views") == "web.page_views"
    assert warehouse.duckdb_file is None


@pytest.mark.parametrize("setting", ["{0}", "duckdb:///{0}"])
def test_the_duckdb_file_is_dlts_own_setting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, setting: str
) -> None:
    file = tmp_path / "other.duckdb"
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", setting.format(file))
    assert Warehouse.from_settings().duckdb_file == file


def test_all_tables_of_a_duckdb_file_share_a_pool_and_elsewhere_each_has_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    duckdb = Warehouse.from_settings()
    assert duckdb.pool("a") == duckdb.pool("b")
    monkeypatch.setenv("DESTINATION_TYPE", "postgres")
    postgres = Warehouse.from_settings()
    assert postgres.pool("a") != postgres.pool("b")


def test_a_file_named_like_the_dataset_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", str(tmp_path / "analytics.duckdb"))
    with pytest.raises(WarehouseError, match="rename the file"):
        Warehouse.from_settings().pipeline("any")


def test_a_locked_file_is_named_with_the_process_that_holds_it(tmp_path: Path) -> None:
    warehouse = Warehouse.from_settings()
    assert warehouse.duckdb_file
    with (
        held_open(warehouse.duckdb_file) as process,
        pytest.raises(WarehouseLockedError) as caught,
        warehouse.open(),
    ):
        pass
    assert str(warehouse.duckdb_file) in str(caught.value)
    assert f"(PID {process.pid})" in str(caught.value)


def test_a_load_into_a_locked_file_fails_with_that_sentence_and_the_next_one_loads_all(
    connected: Sandbox, instance: dg.DagsterInstance
) -> None:
    warehouse = Warehouse.from_settings()
    assert warehouse.duckdb_file
    with held_open(warehouse.duckdb_file):
        reason = failures_of(load(instance, "page_views"))["analytics__page_views"]
    assert "is held open by" in reason
    assert load(instance, "page_views").success
    assert table_rows(warehouse, "page_views") == api_rows(sandbox_rows("page_views", TODAY))


def test_a_destination_that_is_down_loses_nothing(
    connected: Sandbox,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
    postgres_warehouse: Warehouse,
    postgres_url: str,
) -> None:
    nobody_there = "postgresql://nobody:secret-word@127.0.0.1:1/postgres"
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", nobody_there)
    result = load(instance, "page_views")
    assert not result.success
    assert "secret-word" not in str(failures_of(result))
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", postgres_url)
    assert load(instance, "page_views").success
    assert table_rows(postgres_warehouse, "page_views") == api_rows(
        sandbox_rows("page_views", TODAY)
    )


def test_the_newest_value_is_found_in_dates_times_and_text(warehouse: Warehouse) -> None:
    rows = [
        {
            "id": 1,
            "day": "2025-03-01",
            "moment": "2025-03-01T23:00:00Z",
            "text": "2025-03-01",
            "words": "x",
        },
        {
            "id": 2,
            "day": "2025-03-02",
            "moment": "2025-03-02T10:30:00Z",
            "text": "2025-03-02",
            "words": "y",
        },
    ]
    with warehouse.loading("newest") as pipeline:
        pipeline.run(
            rows,
            table_name="kinds",
            columns={"day": {"data_type": "date"}, "nothing": {"data_type": "date"}},
        )
    with warehouse.open() as tables:
        assert tables.newest("kinds", "day") == datetime(2025, 3, 2, tzinfo=UTC)
        assert tables.newest("kinds", "moment") == datetime(2025, 3, 2, 10, 30, tzinfo=UTC)
        assert tables.newest("kinds", "text") == datetime(2025, 3, 2, tzinfo=UTC)
        assert tables.newest("kinds", "nothing") is None
        assert tables.newest("kinds", "id") is None
        assert tables.newest("kinds", "words") is None
        assert tables.columns("no_such_table") == {}


def test_a_null_in_the_key_is_counted(warehouse: Warehouse) -> None:
    rows = [{"a": 1, "b": 1}, {"a": 1, "b": None}, {"a": 1, "b": 1}]
    with warehouse.loading("keys") as pipeline:
        pipeline.run(rows, table_name="keys")
    with warehouse.open() as tables:
        assert tables.rows_without_key("keys", ["a", "b"]) == 1
        assert tables.duplicated_keys("keys", ["a", "b"]) == 1
