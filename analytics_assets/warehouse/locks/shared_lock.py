"""A lock on a table of a warehouse without locks, held in the shared store for all machines."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

from dlt.destinations.exceptions import DatabaseTransientException

from analytics_assets.config.settings.shared_store import resolve_shared_store
from analytics_assets.warehouse.locks.lock_wait import LockWait
from analytics_assets.warehouse.locks.table_lock import advisory_lock


@contextmanager
def shared_lock(place: str, held: str, holder: str, wait: LockWait) -> Iterator[Callable[[], None]]:
    """Take the lock of a table in the shared store, if there is one.

    Yields a function that raises an error if the lock was lost with the connection.

    Args:
        place: the warehouse of the table.
        held: the table in messages.
        holder: the name of this process.
        wait: the wait for another holder.

    Raises:
        WarehouseLockedError: another process still holds it.
        WarehouseError: the lock was lost, or the store cannot be reached.
        SettingsError: the setting `shared_store.url` is no database.
    """
    url = resolve_shared_store().url
    if url is None:
        yield lambda: None
        return
    import psycopg2  # only a process with a shared store has it

    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True  # the lock begins a transaction itself
        with advisory_lock(_Store(connection), held, holder, wait, place) as refuse_lost:
            yield refuse_lost


class _Store:
    """A connection to the shared store, with the method of dlt's clients that a lock needs."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def execute_sql(self, sql: Any, *values: Any) -> Sequence[Sequence[Any]] | None:
        import psycopg2

        try:
            with self._connection.cursor() as cursor:
                cursor.execute(sql, values or None)
                return cursor.fetchall() if cursor.description else None
        except psycopg2.Error as error:
            raise DatabaseTransientException(error) from error
