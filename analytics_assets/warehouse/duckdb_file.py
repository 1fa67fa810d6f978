"""The DuckDB file: where it is, how it is opened, and who has it open instead."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import duckdb
from dlt.common.configuration import configspec, resolve_configuration
from dlt.destinations.impl.duckdb.configuration import DuckDbConnectionPool, DuckDbCredentials

from analytics_assets.config.errors import find_cause
from analytics_assets.warehouse.lock_wait import Patience, WarehouseLockedError

DEFAULT_DUCKDB_FILE = "warehouse.duckdb"
LARGEST_TABLE = "SELECT coalesce(max(estimated_size), 0) FROM duckdb_tables()"
LOCKED_BY = re.compile(r'lock on file "(?P<file>[^"]+)".*?held in (?P<process>.+?\(PID \d+\))')
LOCKED = re.compile(r'lock on file "(?P<file>[^"]+)"')


@configspec(init=False)
class DuckDbFile(DuckDbCredentials):
    """DuckDB's credentials, which are the path of a file and nothing else in nearly all cases.

    dlt 1.31 imports SQLAlchemy to see that a path is no URL, and again to make a URL of it for its
    trace, which takes as long as a small load.
    """

    def parse_native_representation(self, native_value: Any) -> None:
        """Take a path for what it is."""
        if isinstance(native_value, str) and "://" not in native_value:
            self.database = native_value
        else:
            super().parse_native_representation(native_value)

    def __str__(self) -> str:
        """Return what dlt's trace calls the place."""
        return f"{self.drivername}:///{self.database}"


def duckdb_credentials() -> DuckDbFile:
    """Resolve dlt's own credentials; without any, dlt would make a file per pipeline."""
    credentials = resolve_configuration(DuckDbFile(), sections=("destination", "duckdb"))
    credentials.database = credentials.database or DEFAULT_DUCKDB_FILE
    # to keep the order, DuckDB needs more memory, and with a limit works in one thread only
    credentials.global_config = {
        "preserve_insertion_order": False,
        **(credentials.global_config or {}),
    }
    return credentials


@contextmanager
def held_open(
    credentials: DuckDbCredentials, patience: Patience, columns: int | None = None
) -> Iterator[None]:
    """Keep the file open, so that whatever opens it in this process meets nobody else.

    Args:
        credentials: where it is.
        patience: how long to wait for another process that has it open.
        columns: how many columns the table that is loaded has; none are loaded if not given.

    Raises:
        WarehouseLockedError: another process still has it open.
    """
    pool = credentials.conn_pool
    assert pool is not None, "credentials that are resolved have one"
    connection = patience.wait_for(partial(_open, pool))
    try:
        if columns and "memory_limit" not in (credentials.global_config or {}):
            connection.execute(f"SET GLOBAL memory_limit = '{_memory_limit(connection, columns)}'")
        yield
    finally:
        pool.return_conn(connection)


def lift_memory_limit(error: Exception) -> bool:
    """Give DuckDB as much memory as it likes if it failed for want of it; the file is held open.

    Args:
        error: why a load failed.

    Returns:
        Whether there is more memory now, so that another try makes sense. A limit that was set by
        hand stays.
    """
    credentials = duckdb_credentials()
    is_set = "memory_limit" in (credentials.global_config or {})
    cause = find_cause(error, duckdb.Error)  # out of memory, or a commit that failed for want of it
    if is_set or not cause or "memory_limit" not in str(cause):
        return False
    assert credentials.conn_pool is not None, "credentials that are resolved have one"
    connection = _open(credentials.conn_pool)
    try:
        connection.execute("RESET GLOBAL memory_limit")
    finally:
        credentials.conn_pool.return_conn(connection)
    return True


@contextmanager
def locks_explained() -> Iterator[None]:
    """Say in a sentence which process has the file open.

    Raises:
        WarehouseLockedError: instead of what DuckDB raises; any other error goes on as it is.
    """
    try:
        yield
    except Exception as error:
        cause = find_cause(error, duckdb.IOException)
        locked = cause and (LOCKED_BY.search(str(cause)) or LOCKED.search(str(cause)))
        if not locked:
            raise
        file, process = locked["file"], locked.groupdict().get("process") or "another process"
        raise WarehouseLockedError(
            f"the DuckDB file {file}",
            process,
            f"The DuckDB file {file} is held open by {process}. DuckDB takes one process at a "
            "time: close that one, or wait for its run to end, and run again.",
        ) from error


def _open(pool: DuckDbConnectionPool) -> Any:
    with locks_explained():
        return pool.borrow_conn()


def _memory_limit(connection: duckdb.DuckDBPyConnection, columns: int) -> str:
    """Return what DuckDB may use for a merge: it takes most of the machine's memory otherwise.

    More makes a merge of a dozen columns no faster, however many rows it brings; thousands of
    columns need more. To delete rows all over a table, as a merge does, DuckDB 2.0 keeps eight
    bytes in memory for each of the table's rows. Rows of a megabyte each need more than that says:
    see `lift_memory_limit`.
    """
    [rows] = connection.execute(LARGEST_TABLE).fetchone() or (0,)
    return f"{80 + columns // 2 + 10 * rows // 1_000_000}MB"
