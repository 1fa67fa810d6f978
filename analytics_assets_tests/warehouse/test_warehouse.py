"""The warehouse: which one settings choose, what it reads back, and what a locked file says."""

import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from analytics_assets.sandbox import Sandbox, sandbox_rows
from analytics_assets.warehouse.errors import WarehouseError, WarehouseLockedError
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import TODAY
from analytics_assets_tests.support.holding import holding, when_waited_for
from analytics_assets_tests.support.loading import api_rows, failures_of, load, table_rows

HOLD_OPEN = """
import duckdb
connection = duckdb.connect(sys.argv[1])
hold()
"""


HOLD_TABLE = """
from analytics_assets.warehouse.warehouse import Warehouse
with Warehouse.from_settings().loading("other", table=sys.argv[1], run="of another instance"):
    hold()
"""


def held_open(file: Path) -> AbstractContextManager[subprocess.Popen[str]]:
    """Keep a DuckDB file open in another process."""
    return holding(HOLD_OPEN, str(file))


def lines_of_waiting(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    messages = [entry.message for entry in instance.all_logs(run_id)]
    return [message for message in messages if message.startswith("Waiting for")]


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


@pytest.mark.usefixtures("duckdb_warehouse")
def test_a_locked_file_is_named_with_the_process_that_holds_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LOCK_PATIENCE", "0")
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


@pytest.mark.usefixtures("duckdb_warehouse")
def test_a_load_into_a_locked_file_fails_with_that_sentence_and_the_next_one_loads_all(
    connected: Sandbox, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCK_PATIENCE", "0.1")
    warehouse = Warehouse.from_settings()
    assert warehouse.duckdb_file
    with held_open(warehouse.duckdb_file):
        reason = failures_of(load(instance, "page_views"))["analytics__page_views"]
    assert "is held open by" in reason
    assert load(instance, "page_views").success
    assert table_rows(warehouse, "page_views") == api_rows(sandbox_rows("page_views", TODAY))


@pytest.mark.usefixtures("duckdb_warehouse")
def test_a_load_waits_for_a_process_that_has_the_file_open_says_so_in_its_log_and_loads(
    connected: Sandbox, instance: dg.DagsterInstance
) -> None:
    warehouse = Warehouse.from_settings()
    assert warehouse.duckdb_file
    with held_open(warehouse.duckdb_file) as process, when_waited_for(process.communicate):
        result = load(instance, "page_views")
    assert result.success
    assert table_rows(warehouse, "page_views") == api_rows(sandbox_rows("page_views", TODAY))
    (line,) = lines_of_waiting(instance, result.run_id)
    assert f"(PID {process.pid}), which holds the DuckDB file {warehouse.duckdb_file}" in line


def test_a_load_waits_for_one_of_another_instance(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    with holding(HOLD_TABLE, "page_views") as process, when_waited_for(process.communicate):
        result = load(instance, "page_views")
    assert result.success
    assert table_rows(warehouse, "page_views") == api_rows(sandbox_rows("page_views", TODAY))
    (line,) = lines_of_waiting(instance, result.run_id)
    assert f"Waiting for run of another instance (process {process.pid} on " in line


def test_a_load_that_waits_in_vain_for_one_of_another_instance_fails_and_names_it(
    connected: Sandbox,
    warehouse: Warehouse,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LOCK_PATIENCE", "0.1")
    with holding(HOLD_TABLE, "page_views"):
        reason = failures_of(load(instance, "page_views"))["analytics__page_views"]
    assert "is being loaded by run of another instance" in reason
    assert not [path for path in warehouse.pipelines_dir.iterdir() if path.is_dir()]


def test_on_postgres_a_load_does_not_wait_for_one_of_another_table(
    connected: Sandbox,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
    postgres_warehouse: Warehouse,
) -> None:
    monkeypatch.setenv("LOCK_PATIENCE", "0")
    with holding(HOLD_TABLE, "website_overview"):
        assert load(instance, "page_views").success


@pytest.mark.usefixtures("duckdb_warehouse")
def test_a_look_at_the_tables_waits_for_a_process_that_has_the_file_open() -> None:
    warehouse = Warehouse.from_settings()
    assert warehouse.duckdb_file
    with (
        held_open(warehouse.duckdb_file) as process,
        when_waited_for(process.communicate),
        warehouse.open() as tables,
    ):
        assert tables.columns("no_such_table") == {}


@pytest.mark.usefixtures("duckdb_warehouse")
def test_while_the_api_is_read_others_can_open_the_file() -> None:
    warehouse = Warehouse.from_settings()
    assert warehouse.duckdb_file

    def rows() -> Iterator[dict[str, int]]:
        with held_open(Path(str(warehouse.duckdb_file))):
            yield {"id": 1}

    with warehouse.loading("read") as pipeline:
        pipeline.run(rows(), table_name="read")
    with warehouse.open() as tables:
        assert tables.row_count("read") == 1


@pytest.mark.parametrize(("name", "value"), [("LOCK_PATIENCE", "long"), ("HISTORY_DAYS", "-1")])
def test_a_setting_that_is_no_number_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(WarehouseError, match=f"`{name.lower()}` cannot be '?{value}'?: give a num"):
        Warehouse.from_settings()


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


def test_the_newest_time_is_known_wherever_the_server_is(warehouse: Warehouse) -> None:
    last = "9999-12-31T23:59:59Z"
    with warehouse.loading("times") as pipeline:
        pipeline.run([{"id": 1, "until": last}], table_name="times")
    with warehouse.open() as tables:
        assert tables.newest("times", "until") == datetime.fromisoformat(last)


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
