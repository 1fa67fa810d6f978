"""The DuckDB file: its path, its memory limit, and its lock by another process."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dlt

from analytics_assets.config.errors import find_cause
from analytics_assets.config.settings.look_up import DEFAULT_DUCKDB_FILE
from analytics_assets.config.settings.resolution import resolved
from analytics_assets.warehouse.compat import DuckDbFile, pooled_connection
from analytics_assets.warehouse.driver_errors import translated_errors
from analytics_assets.warehouse.locks.lock_wait import LockWait

if TYPE_CHECKING:  # only a process that opens the file needs the driver
    from duckdb import DuckDBPyConnection

CREDENTIALS = "destination.duckdb.credentials"
STARTED = time.time()  # another process of this number, in another container, was earlier
LARGEST_TABLE = "SELECT coalesce(max(estimated_size), 0) FROM duckdb_tables()"


def duckdb_credentials() -> DuckDbFile:
    """Resolve dlt's own credentials; without any, dlt would make a file per pipeline.

    The path of a file is no secret: it may stand in `config.toml`, which dlt forbids for
    credentials.
    """
    path: Any = None if dlt.secrets.get(CREDENTIALS) else dlt.config.get(CREDENTIALS)
    given: str | None = path if isinstance(path, str) and "://" not in path else None
    credentials = resolved(DuckDbFile(), ("destination", "duckdb"), given)
    credentials.database = credentials.database or DEFAULT_DUCKDB_FILE
    # to keep the order, DuckDB needs more memory, and with a limit works in one thread only
    credentials.global_config = {
        "preserve_insertion_order": False,
        **(credentials.global_config or {}),
    }
    return credentials


def path_of(credentials: DuckDbFile) -> Path:
    """Return the absolute path of a file."""
    return Path(str(credentials.database)).absolute()


@contextmanager
def held_open(credentials: DuckDbFile, wait: LockWait) -> Iterator[None]:
    """Keep the file open, so that no other process can open it meanwhile.

    To open it takes DuckDB 10 ms; a connection to a file that this process has open, 0.02 ms.

    Args:
        credentials: those of the file.
        wait: the wait for another process that has it open.

    Raises:
        WarehouseLockedError: another process still has it open.
    """
    with ExitStack() as stack:
        wait.acquire(lambda: stack.enter_context(_opened(credentials)))
        _remove_spilled(path_of(credentials))
        yield


def _remove_spilled(database: Path) -> None:
    """Remove what killed processes had no memory for; only this process has the file open.

    DuckDB 2.0 does so itself once a later process has too little memory as well.
    """
    for file in Path(f"{database}.tmp").glob("duckdb_temp_*"):
        with suppress(OSError):  # it is another user's
            is_own = f"_{os.getpid()}_" in file.name and file.stat().st_mtime >= STARTED
            if not is_own:
                file.unlink()


@contextmanager
def memory_limited(
    credentials: DuckDbFile, columns: int | None, threads: int | None = None
) -> Iterator[None]:
    """Limit DuckDB's memory inside the context, while the file is held open.

    Args:
        credentials: those of the file; a limit among its settings stays.
        columns: the number of columns of the load's table; None for no limit.
        threads: the most threads, as each needs memory of its own; None for all cores.
    """
    if not columns or "memory_limit" in (credentials.global_config or {}):
        yield
        return
    with _opened(credentials) as connection:
        connection.execute(f"SET GLOBAL memory_limit = '{_memory_limit(connection, columns)}'")
        if threads:
            connection.execute(f"SET GLOBAL threads = {threads:d}")
        try:
            yield
        finally:
            connection.execute("RESET GLOBAL memory_limit")
            connection.execute("RESET GLOBAL threads")


def reset_memory_limit(error: Exception) -> bool:
    """Reset DuckDB's memory limit if it is the cause of an error, while the file is held open.

    Args:
        error: the error of a load.

    Returns:
        True if there is more memory now, so that another attempt makes sense. A limit from the
        settings stays.
    """
    import duckdb

    cause = find_cause(error, duckdb.Error)  # out of memory, or a commit that failed for want of it
    if not cause or "memory_limit" not in str(cause):
        return False
    credentials = duckdb_credentials()
    if "memory_limit" in (credentials.global_config or {}):
        return False
    with _opened(credentials) as connection:
        connection.execute("RESET GLOBAL memory_limit")
    return True


@contextmanager
def _opened(credentials: DuckDbFile) -> Iterator["DuckDBPyConnection"]:
    with ExitStack() as stack:
        with translated_errors(path_of(credentials)):
            connection = stack.enter_context(pooled_connection(credentials))
        yield connection


def _memory_limit(connection: "DuckDBPyConnection", columns: int) -> str:
    """Return a limit for a merge, as DuckDB takes most of the machine's memory otherwise.

    More makes a merge of a dozen columns no faster, however many rows it brings; thousands of
    columns need more. To delete rows all over a table, as a merge does, DuckDB 2.0 keeps eight
    bytes in memory for each of the table's rows. Rows of a megabyte each need more than that: see
    `reset_memory_limit`.
    """
    [rows] = connection.execute(LARGEST_TABLE).fetchone() or (0,)
    return f"{80 + columns // 2 + 10 * rows // 1_000_000}MB"
