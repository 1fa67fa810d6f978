"""The connection of a process to the shared store."""

import logging
import os
import re
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from socket import gethostname
from threading import RLock
from typing import Any
from uuid import uuid4

from analytics_assets.config.errors import AnalyticsAssetsError, SettingsError
from analytics_assets.extract.http.shared_store.schema import CREATE, SCHEMA
from analytics_assets.redaction.redactor import redact

logger = logging.getLogger(__name__)
Row = tuple[Any, ...]

NAMESPACE = zlib.crc32(SCHEMA.encode() + b" shared store") >> 1  # of PostgreSQL's advisory locks
LONGEST_NAME = 63  # bytes of an application's name that PostgreSQL keeps
# seconds, and a number of probes, after which a server that is gone is found out
NETWORK = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}
# Statements behind it see what the last holder of the lock has written, whatever the isolation
# that the server is set to. A commit may be lost in a crash of the server: the next statement of
# the process makes it good.
LOCK = """
SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
SELECT set_config('synchronous_commit', 'off', true), set_config('lock_timeout', '5s', true),
    pg_advisory_xact_lock(%(lock_space)s, %(lock_key)s);
"""
POLL_SECONDS = 0.1  # between two tries to take a lock
# a server that says this will say it again
FINAL = re.compile(r"authentication failed|no password supplied|does not exist|pg_hba\.conf")


class SharedStoreError(AnalyticsAssetsError):
    """The shared store cannot be used."""


class StoreUnavailableError(SharedStoreError):
    """The shared store cannot be reached now; it may be later."""


class SharedStore:
    """Runs statements in the shared store, each in a transaction of its own.

    Nothing is kept in a session, so that a pooler such as PgBouncer may lend it to others after
    each transaction. Safe to use from several threads.

    Args:
        url: the database.

    Attributes:
        process: the name of this process in the tables; no other one ever has it.
        holder: the same, for people.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = RLock()
        self._connection: Any = None
        self.process = uuid4().hex
        self.holder = f"process {os.getpid()} on {gethostname()}"

    def run(
        self,
        statement: str,
        parameters: Mapping[str, Any] | None = None,
        lock: str = "",
        creates: bool = True,
    ) -> list[Row]:
        """Run a statement, or several of them in one transaction.

        It makes the tables where they are missing, and connects anew where the connection has
        ended; the statement is repeated then, and must allow for it.

        Args:
            statement: the SQL, with its parameters by name.
            parameters: their values.
            lock: the name of what one process at a time may read and write; empty for nothing.
            creates: False to return no row where the tables are missing.

        Returns:
            The rows of the last statement.

        Raises:
            StoreUnavailableError: the store cannot be reached.
            SharedStoreError: it refuses the statement.
        """
        import psycopg2  # only a process with a shared store has it

        values = {**(parameters or {}), "lock_space": NAMESPACE, "lock_key": _key(lock)}
        statement = f"{LOCK if lock else ''}{statement}"
        with self._lock:
            was_connected = self._connection is not None
            try:
                return self._run(statement, values)
            except (psycopg2.errors.UndefinedTable, psycopg2.errors.InvalidSchemaName):
                if not creates:
                    return []
                self._create()
            except psycopg2.Error as error:
                if not (was_connected and self._has_ended(error)):
                    raise self._error_of(error) from None
                self.close()
            try:
                return self._run(statement, values)
            except psycopg2.Error as error:
                raise self._error_of(error) from None

    @contextmanager
    def held(self, name: str, max_wait: float) -> Iterator[None]:
        """Keep other processes out of a block with the same name.

        The lock is that of a transaction on a connection of its own, which a pooler leaves to it,
        and ends with the process.

        Raises:
            StoreUnavailableError: another process is in it for longer than `max_wait` seconds, or
                the store cannot be reached.
        """
        import psycopg2

        try:
            connection = self._connect()
        except psycopg2.Error as error:
            raise self._error_of(error) from None
        try:
            connection.autocommit = False
            ends = time.monotonic() + max_wait
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
                while not self._try_lock(cursor, name):
                    if time.monotonic() > ends:
                        raise StoreUnavailableError("another process renews the same token")
                    time.sleep(POLL_SECONDS)
            yield
        except psycopg2.Error as error:
            raise StoreUnavailableError(f"the shared store has ended: {_text(error)}") from None
        finally:
            connection.close()

    def _try_lock(self, cursor: Any, name: str) -> bool:
        values = {"space": NAMESPACE, "key": _key(name)}
        cursor.execute("SELECT pg_try_advisory_xact_lock(%(space)s, %(key)s)", values)
        return bool(cursor.fetchone()[0])

    def close(self) -> None:
        """Close the connection; the next statement opens another one."""
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()

    def _run(self, statement: str, parameters: Mapping[str, Any]) -> list[Row]:
        if self._connection is None:
            self._connection = self._connect()
        with self._connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return list(cursor.fetchall())

    def _connect(self) -> Any:
        import psycopg2

        name = f"{SCHEMA}: {self.holder}".encode()[:LONGEST_NAME].decode(errors="ignore")
        connection = psycopg2.connect(self._url, application_name=name, **NETWORK)
        connection.autocommit = True
        return connection

    def _has_ended(self, error: Any) -> bool:
        """Return True if an error says that the connection is gone, and not what a server says."""
        return error.pgcode is None or self._connection is None or bool(self._connection.closed)

    def _create(self) -> None:
        import psycopg2

        try:
            self._run(LOCK + CREATE, {"lock_space": NAMESPACE, "lock_key": 0})
        except psycopg2.errors.InsufficientPrivilege as error:
            raise SharedStoreError(
                f"the shared store has no schema `{SCHEMA}`, and its user may not make it "
                f"({_text(error)}): grant CREATE on the database to the user of "
                "`shared_store.url`, by default of `destination.postgres.credentials`"
            ) from None
        except psycopg2.Error as error:
            raise self._error_of(error) from None

    def _error_of(self, error: Exception) -> SharedStoreError:
        import psycopg2

        has_ended = self._has_ended(error)
        if has_ended:
            self.close()
        is_passing = has_ended or isinstance(error, psycopg2.OperationalError)
        if is_passing and not FINAL.search(str(error)):
            return StoreUnavailableError(f"the shared store cannot be reached: {_text(error)}")
        if isinstance(error, psycopg2.errors.InsufficientPrivilege):
            return SharedStoreError(
                f"the shared store refuses ({_text(error)}): grant USAGE on the schema `{SCHEMA}` "
                "and ALL on its tables to the user of `shared_store.url`, by default of "
                "`destination.postgres.credentials`"
            )
        return SharedStoreError(
            f"the shared store refuses ({_text(error)}): check the setting `shared_store.url`, by "
            "default `destination.postgres.credentials`"
        )


def _key(lock: str) -> int:
    return zlib.crc32(lock.encode()) >> 1  # PostgreSQL's half of a key is a signed integer


def _text(error: Exception) -> str:
    """Return what PostgreSQL says, on one line and without secrets."""
    return redact(" ".join(str(error).split())).rstrip(".")


def require_driver() -> None:
    """Raise an error if the driver of the shared store is missing.

    Raises:
        SettingsError: it is not installed.
    """
    if find_spec("psycopg2") is None:
        raise SettingsError(
            "The setting `shared_store.url` needs a driver, which is not installed: run "
            "pip install 'analytics_assets[postgres]'."
        )
