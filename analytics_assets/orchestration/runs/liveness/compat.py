"""Leases in the run storage of Dagster, in its table of keys and values.

Dagster 1.13 has public functions for a key that is known (`get_cursor_values`), which neither list
keys nor remove them, nor change a value only as long as it is the expected one.
"""

from collections.abc import Collection, Mapping
from typing import Any

import dagster as dg

PREFIX = "analytics_assets/lease/"


class LeaseTable:
    """The leases that are stored beside the runs of an instance.

    Args:
        instance: the instance.
    """

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._storage: Any = instance.run_storage
        # an ephemeral instance is known to its process alone; Dagster+ has no table of its own
        self.exists = not instance.is_ephemeral and hasattr(self._storage, "connect")
        ref = instance.get_ref() if instance.is_persistent else None
        self.place = str(ref.run_storage_data) if ref else str(id(self._storage))

    def read(self) -> Mapping[str, str]:
        """Return the values of all leases by their keys."""
        table = _table()
        query = table.select().where(table.c.key.startswith(PREFIX, autoescape=True))
        return {row.key: row.value for row in self._fetched(query)} if self.exists else {}

    def held(self, keys: Collection[str], holder: str) -> set[str]:
        """Return those of some leases whose value begins with a holder.

        Args:
            keys: the leases.
            holder: the beginning of the value.
        """
        table = _table()
        query = table.select().where(table.c.key.in_(keys) & table.c.value.startswith(holder))
        return {row.key for row in self._fetched(query)}

    def write(self, key: str, value: str) -> None:
        """Store a lease, whoever had it before."""
        self._storage.set_cursor_values({key: value})

    def renew(self, keys: Collection[str], holder: str, value: str) -> int:
        """Store the next value of leases, in one statement; return the number of those held still.

        Args:
            keys: the leases.
            holder: the beginning of the value that they must have.
            value: the next one.
        """
        table = _table()
        wanted = table.c.key.in_(keys) & table.c.value.startswith(holder)
        return self._changed(table.update().where(wanted).values(value=value))

    def swap(self, key: str, before: str, after: str) -> bool:
        """Store a value in place of another one; return False if that one is not there any more."""
        table = _table()
        wanted = (table.c.key == key) & (table.c.value == before)
        return self._changed(table.update().where(wanted).values(value=after)) == 1

    def remove(self, keys: Collection[str], holder: str = "") -> None:
        """Remove leases.

        Args:
            keys: the leases.
            holder: the beginning of the value that they must have.
        """
        table = _table()
        self._changed(
            table.delete().where(table.c.key.in_(keys) & table.c.value.startswith(holder))
        )

    def _fetched(self, query: Any) -> list[Any]:
        with self._storage.connect() as connection:
            return list(connection.execute(query).fetchall())

    def _changed(self, statement: Any) -> int:
        with self._storage.connect() as connection:
            return int(connection.execute(statement).rowcount)


def _table() -> Any:
    from dagster._core.storage.runs.schema import KeyValueStoreTable

    return KeyValueStoreTable
