"""A lock on a table that one load at a time holds, whichever instance of Dagster it belongs to.

The pools of Dagster queue the runs of one instance. They do not know the runs of another one, nor
a process that outlives its run; and where Dagster keeps its history in SQLite, two processes that
claim a slot in the same moment may both get it.

A load holds the lock from its first request until its table is pruned, although DuckDB locks its
file, too, while it is open: of two loads of a table that read at the same time, the one that began
earlier could end later, put older rows over newer ones behind the cursor of the other, and prune
the rows that only the other has read.
"""

import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from socket import gethostname
from typing import Any, Protocol

from dlt.destinations.exceptions import DatabaseException
from filelock import FileLock, Timeout

from analytics_assets.warehouse.errors import WarehouseError, WarehouseLockedError
from analytics_assets.warehouse.locks.lock_wait import LockWait

LONGEST_NAME = 63  # bytes of an application's name that PostgreSQL keeps
NAMESPACE = zlib.crc32(b"analytics_assets") >> 1  # PostgreSQL's half of a key is a signed integer
# the server finds out within two minutes that the holder's machine is gone; else it takes hours
PROBES = {"tcp_keepalives_idle": 60, "tcp_keepalives_interval": 10, "tcp_keepalives_count": 6}
HOLDER = """
SELECT activity.application_name FROM pg_locks AS locks
JOIN pg_stat_activity AS activity USING (pid)
WHERE locks.locktype = 'advisory' AND locks.granted AND locks.objsubid = 2
AND locks.classid = %s AND locks.objid = %s
AND locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class LockClient(Protocol):
    """A connection to PostgreSQL: a client of dlt, or that of the shared store."""

    def execute_sql(self, sql: Any, *args: Any) -> Sequence[Sequence[Any]] | None:
        """Execute a statement, with the values of its placeholders, and return its rows."""


def holder_name(run: str | None) -> str:
    """Return the name of this process as the holder of a lock, for processes that wait.

    Args:
        run: the id of the Dagster run, if there is one.
    """
    process = f"process {os.getpid()} on {gethostname()}"
    return f"run {run} ({process})" if run else process


@contextmanager
def file_lock(file: Path, held: str, holder: str, wait: LockWait) -> Iterator[None]:
    """Lock a file, which the system unlocks when the process ends in any way.

    Args:
        file: the lock file; it stays, as a deleted file would not exclude other processes.
        held: the table, or the file, in messages.
        holder: the name of this process.
        wait: the wait for another holder.

    Raises:
        WarehouseLockedError: another process still holds it.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(file, thread_local=False)
    wait.acquire(partial(_lock_file, lock, file, held))
    try:
        file.write_text(holder)
        yield
    finally:
        lock.release()


@contextmanager
def advisory_lock(
    client: LockClient, held: str, holder: str, wait: LockWait, place: str = ""
) -> Iterator[Callable[[], None]]:
    """Take an advisory lock of PostgreSQL, which the end of this connection frees.

    Yields a function that raises an error if the lock was lost with the connection.

    A lock of the session would stay behind in a pooler such as PgBouncer, which gives the session
    to others; one of a transaction does not. The transaction reads nothing afterwards, so that it
    keeps no old rows alive.

    Args:
        client: an open connection that is used for nothing else.
        held: the table, or the file, in messages.
        holder: the name of this process.
        wait: the wait for another holder.
        place: the warehouse of the table, if that is not the database of the lock.

    Raises:
        WarehouseLockedError: another session still holds it.
        WarehouseError: the lock was lost.
    """
    client.execute_sql("BEGIN")
    client.execute_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
    client.execute_sql(
        "SELECT set_config('application_name', %s, true)", holder.encode()[:LONGEST_NAME].decode()
    )
    for name, value in PROBES.items():
        client.execute_sql(f"SET LOCAL {name} = {value}")
    wait.acquire(partial(_lock_in_postgres, client, held, place))
    yield partial(_refuse_lost, client, held)  # closing the connection frees the lock


def _refuse_lost(client: LockClient, held: str) -> None:
    try:
        client.execute_sql("SELECT 1")
    except DatabaseException as error:
        raise WarehouseError(
            f"The connection that locks {held} was lost while the rows were read, and another load "
            "may have changed it meanwhile. Nothing was written; run again."
        ) from error


def _lock_file(lock: FileLock, file: Path, held: str) -> None:
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise _locked(held, file.read_text() or "another process") from None


def _lock_in_postgres(client: LockClient, held: str, place: str) -> None:
    key = (NAMESPACE, zlib.crc32(f"{place}{held}".encode()) >> 1)
    taken = client.execute_sql("SELECT pg_try_advisory_xact_lock(%s, %s)", *key)
    if taken and taken[0][0]:
        return
    holders = client.execute_sql(HOLDER, *key)
    raise _locked(held, str(holders[0][0]) if holders else "another session")


def _locked(held: str, holder: str) -> WarehouseLockedError:
    return WarehouseLockedError(
        held,
        holder,
        f"{held[0].upper()}{held[1:]} is being loaded by {holder}. It takes one load at a time: "
        "wait for that one to end, or end it, and run again.",
    )
