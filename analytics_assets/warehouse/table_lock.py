"""A lock on a table that one load at a time holds, whichever instance of Dagster it belongs to.

The pools of Dagster queue the runs of one instance. They do not know the runs of another one, nor
a process that goes on after its run was given up; and where Dagster keeps its history in SQLite,
two processes that claim a place in the same moment may both get it.
"""

import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from socket import gethostname
from typing import Any

from dlt.destinations.sql_client import SqlClientBase
from filelock import FileLock, Timeout

from analytics_assets.warehouse.lock_wait import Patience, WarehouseLockedError

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


def holder_called(run: str | None) -> str:
    """Say who holds a lock, to those who wait for it.

    Args:
        run: the id of the Dagster run, if it is one.
    """
    process = f"process {os.getpid()} on {gethostname()}"
    return f"run {run} ({process})" if run else process


@contextmanager
def locked_by_file(file: Path, held: str, holder: str, patience: Patience) -> Iterator[None]:
    """Hold a lock file, which the system lets go of when the process ends in any way.

    Args:
        file: the lock file; it stays, as a file that is deleted would lock nobody out.
        held: what it stands for.
        holder: who holds it from now on.
        patience: how long to wait for another holder.

    Raises:
        WarehouseLockedError: another one still holds it.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(file, thread_local=False)
    patience.wait_for(partial(_take_file, lock, file, held))
    try:
        file.write_text(holder)
        yield
    finally:
        lock.release()


@contextmanager
def locked_in_postgres(
    client: SqlClientBase[Any], held: str, holder: str, patience: Patience
) -> Iterator[None]:
    """Hold an advisory lock of the database for as long as this connection lives.

    A lock of the session would stay behind in a pooler such as PgBouncer, which gives the session
    to others; one of a transaction does not. The transaction reads nothing afterwards, so that it
    keeps no old rows alive.

    Args:
        client: an open connection that is used for nothing else.
        held: what the lock stands for.
        holder: who holds it from now on.
        patience: how long to wait for another holder.

    Raises:
        WarehouseLockedError: another one still holds it.
    """
    client.execute_sql("BEGIN")
    client.execute_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
    client.execute_sql(
        "SELECT set_config('application_name', %s, true)", holder.encode()[:LONGEST_NAME].decode()
    )
    for name, value in PROBES.items():
        client.execute_sql(f"SET LOCAL {name} = {value}")
    patience.wait_for(partial(_take_in_postgres, client, held))
    yield  # closing the connection lets go of the lock


def _take_file(lock: FileLock, file: Path, held: str) -> None:
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise _locked(held, file.read_text() or "another process") from None


def _take_in_postgres(client: SqlClientBase[Any], held: str) -> None:
    key = (NAMESPACE, zlib.crc32(held.encode()) >> 1)
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
