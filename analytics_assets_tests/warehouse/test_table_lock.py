"""Locks on tables: one holder at a time, known by name, gone with its process."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import pytest
from dlt.destinations.sql_client import SqlClientBase

from analytics_assets.warehouse.errors import WarehouseLockedError
from analytics_assets.warehouse.lock_wait import LockWait
from analytics_assets.warehouse.table_lock import advisory_lock, file_lock, holder_name
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.holding import holding, when_waited_for

HOLD_FILE = """
from pathlib import Path
from analytics_assets.warehouse.table_lock import file_lock
from analytics_assets.warehouse.lock_wait import LockWait
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
        with Warehouse.from_settings().pipeline("locker").sql_client() as client:
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


def test_a_session_of_postgres_that_is_gone_holds_nothing(postgres_url: str) -> None:
    with (
        session(postgres_url) as first,
        session(postgres_url) as second,
        advisory_lock(first, "the table a.x", "one", NO_PATIENCE),
    ):
        pid = first.native_connection.info.backend_pid
        second.execute_sql("SELECT pg_terminate_backend(%s, 10000)", pid)
        with advisory_lock(second, "the table a.x", "other", NO_PATIENCE):
            pass


def test_who_waits_in_postgres_goes_on_when_the_other_one_is_done(postgres_url: str) -> None:
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
