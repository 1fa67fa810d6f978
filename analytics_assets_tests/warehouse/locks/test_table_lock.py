"""Locks on tables: one holder at a time, known by name, freed with its process."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dlt
import psycopg2
import pytest
from dlt.destinations.sql_client import SqlClientBase

from analytics_assets.warehouse.errors import WarehouseError, WarehouseLockedError
from analytics_assets.warehouse.locks.lock_wait import LockWait
from analytics_assets.warehouse.locks.table_lock import advisory_lock, file_lock, holder_name
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.holding import holding, when_waited_for
from analytics_assets_tests.support.loading import table_rows

SLOW_LOAD = """
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.warehouse.locks.test_table_lock import mirror
with mirror(Warehouse.from_settings("analytics"), [(1, "old"), (2, "old")]):
    hold()
"""
HOLD_TABLE = """
from analytics_assets.warehouse.warehouse import Warehouse
place = Warehouse.from_settings("analytics")
with place.loading("other", table=sys.argv[1], run="of another instance"):
    hold()
"""
HOLD_FILE = """
from pathlib import Path
from analytics_assets.warehouse.locks.table_lock import file_lock
from analytics_assets.warehouse.locks.lock_wait import LockWait
with file_lock(Path(sys.argv[1]), "the file", "another load", LockWait(0)):
    hold()
"""
NO_PATIENCE = LockWait(0)


@contextmanager
def session(url: str) -> Iterator[SqlClientBase[psycopg2.extensions.connection]]:
    """A connection of its own to PostgreSQL, as a load has one for its lock."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DESTINATION_TYPE", "postgres")
        patch.setenv("DESTINATION__POSTGRES__CREDENTIALS", url)
        with Warehouse.from_settings("analytics").pipeline("locker").sql_client() as client:
            yield client


def test_a_lock_file_is_held_by_one_process_and_names_it(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "table.lock"
    with (
        holding(HOLD_FILE, str(file)),
        pytest.raises(WarehouseLockedError, match=r"The file is being loaded by another load\."),
        file_lock(file, "the file", "this one", NO_PATIENCE),
    ):
        pass
    with file_lock(file, "the file", "this one", NO_PATIENCE):
        assert file.read_text() == "this one"


def test_the_lock_file_of_a_killed_process_is_free(tmp_path: Path) -> None:
    file = tmp_path / "table.lock"
    with holding(HOLD_FILE, str(file)) as process:
        process.kill()
        process.wait()
        with file_lock(file, "the file", "this one", NO_PATIENCE):
            pass


def test_a_lock_in_postgres_is_held_by_one_session_and_names_it(postgres_url: str) -> None:
    holder = holder_name("0d7e7a4c-7cf5-4f2c-a3f0-3c7ec3b8a1d5")
    said = r"The table a\.x is being loaded by run 0d7e7a4c-7cf5-4f2c-a3f0-3c7ec3b8a1d5"
    with (
        session(postgres_url) as first,
        session(postgres_url) as second,
        advisory_lock(first, "the table a.x", holder, NO_PATIENCE),
        pytest.raises(WarehouseLockedError, match=said),
        advisory_lock(second, "the table a.x", "other", NO_PATIENCE),
    ):
        pass


def test_tables_are_locked_in_postgres_one_by_one(postgres_url: str) -> None:
    with (
        session(postgres_url) as first,
        session(postgres_url) as second,
        advisory_lock(first, "the table a.x", "one", NO_PATIENCE),
        advisory_lock(second, "the table a.y", "other", NO_PATIENCE),
    ):
        pass


def test_the_lock_of_a_session_of_postgres_that_ended_is_free(postgres_url: str) -> None:
    with (
        session(postgres_url) as first,
        session(postgres_url) as second,
        advisory_lock(first, "the table a.x", "one", NO_PATIENCE),
    ):
        pid = first.native_connection.info.backend_pid
        second.execute_sql("SELECT pg_terminate_backend(%s, 10000)", pid)
        with advisory_lock(second, "the table a.x", "other", NO_PATIENCE):
            pass


def test_a_load_whose_lock_in_postgres_was_lost_must_not_write(postgres_url: str) -> None:
    with (
        session(postgres_url) as first,
        session(postgres_url) as second,
        advisory_lock(first, "the table a.x", "one", NO_PATIENCE) as refuse_lost,
    ):
        refuse_lost()
        pid = first.native_connection.info.backend_pid
        second.execute_sql("SELECT pg_terminate_backend(%s, 10000)", pid)
        with pytest.raises(WarehouseError, match=r"locks the table a.x was lost .* Nothing was"):
            refuse_lost()


def test_a_session_that_waits_in_postgres_gets_the_lock_when_the_other_one_ends(
    postgres_url: str,
) -> None:
    with (
        session(postgres_url) as first,
        session(postgres_url) as second,
        advisory_lock(first, "the table a.x", "one", NO_PATIENCE),
        when_waited_for(first.close_connection),
        advisory_lock(second, "the table a.x", "other", LockWait(60)),
    ):
        pass


def test_the_name_of_a_run_fits_into_what_postgres_keeps_of_a_name() -> None:
    run = "0d7e7a4c-7cf5-4f2c-a3f0-3c7ec3b8a1d5"
    assert f"run {run}".encode() in holder_name(run).encode()[:63]


def test_a_load_fails_and_names_the_holder_of_its_table(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCK_PATIENCE", "0.1")
    named = r"is being loaded by run of another instance \(process \d+ on "
    with (
        holding(HOLD_TABLE, "orders"),
        pytest.raises(WarehouseLockedError, match=named),
        Warehouse.from_settings("analytics").loading("shop", table="orders"),
    ):
        pass
    assert not [path for path in warehouse.pipelines_dir.iterdir() if path.is_dir()]


def test_a_load_into_postgres_does_not_wait_for_one_of_another_table(
    postgres_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCK_PATIENCE", "0")
    with (
        holding(HOLD_TABLE, "users"),
        Warehouse.from_settings("analytics").loading("shop", table="orders") as pipeline,
    ):
        pipeline.run([{"id": 1}], table_name="orders")


def test_loads_into_other_destinations_lock_a_file_per_table(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DESTINATION_TYPE", "filesystem")
    monkeypatch.setenv("DESTINATION__FILESYSTEM__BUCKET_URL", str(tmp_path / "bucket"))
    monkeypatch.setenv("LOCK_PATIENCE", "0")
    warehouse = Warehouse.from_settings("analytics")
    with (
        warehouse.loading("shop", table="orders"),
        warehouse.loading("shop", table="users"),
        pytest.raises(WarehouseLockedError, match=r"The table analytics\.orders is being"),
        warehouse.loading("shop", table="orders"),
    ):
        pass


@contextmanager
def mirror(warehouse: Warehouse, rows: list[tuple[int, str]]) -> Iterator[None]:
    """Read some rows, wait, load them and prune all others, as an asset that is pruned does."""

    @dlt.resource(name="orders", primary_key="id", write_disposition="merge")
    def orders() -> Iterator[list[dict[str, object]]]:
        dlt.current.resource_state()["newest"] = rows[0][1]
        yield [{"id": number, "name": name} for number, name in rows]

    with warehouse.loading("shop", table="orders") as pipeline:
        yield
        info = pipeline.run(orders())
        with warehouse.open() as tables:
            tables.delete_rows_of_other_loads("orders", info.loads_ids)


@pytest.mark.e2e
def test_of_two_processes_that_load_a_table_the_one_that_read_last_wins(
    warehouse: Warehouse,
) -> None:
    """Without a lock from the first request on, the slow load would end last, with old rows."""
    with (
        holding(SLOW_LOAD) as process,
        when_waited_for(process.communicate),
        mirror(warehouse, [(2, "new"), (3, "new")]),
    ):
        pass
    assert process.returncode == 0
    assert table_rows(warehouse, "orders") == [{"id": 2, "name": "new"}, {"id": 3, "name": "new"}]
    with warehouse.loading("shop") as pipeline:
        pipeline.sync_destination()
        assert "new" in str(pipeline.state["sources"])
