"""The table `loaded_partitions`: a row for each partition whose last load was complete.

By it a Dagster instance without a history knows what is in the warehouse. Rows of a day are no
proof: they may be half of those that the API has, or none may be all of them.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast

from dlt.common.data_types import TDataType
from dlt.common.destination import PreparedTableSchema
from dlt.common.schema.typing import C_DLT_ID, TColumnSchema, TTableSchemaColumns
from dlt.destinations.exceptions import DatabaseException
from dlt.destinations.job_client_impl import SqlJobClientBase

from analytics_assets.config.resource import LOADED_PARTITIONS
from analytics_assets.config.times.timestamps import parse_timestamp
from analytics_assets.warehouse.destinations.client import WarehouseClient
from analytics_assets.warehouse.destinations.delta.compat.client import DeltaClient
from analytics_assets.warehouse.destinations.row_changes import delete_rows
from analytics_assets.warehouse.queries.placeholders import placeholders

KEY = ("api", "resource", "partition_key")
COLUMNS: Mapping[str, TDataType] = {
    "api": "text",
    "resource": "text",
    "partition_key": "text",
    "timezone": "text",
    "loaded_at": "timestamp",
    "load_id": "text",
    "rows_in_table": "bigint",
    "rows_marked_deleted": "bigint",
    "newest_change": "text",
}
AT_ONCE = 200  # partitions in a statement


class LoadedPartition(NamedTuple):
    """A partition whose last load was complete.

    Args:
        key: its key in Dagster, such as `2026-01-31`.
        timezone: the time zone in which it begins and ends.
        loaded_at: the start of the load.
        load_id: dlt's id of the load; None if it wrote nothing.
        rows: its rows in the table after the load.
        rows_deleted: the rows of the load, of all its partitions, that were marked as deleted.
        newest_change: the newest change that the load has brought, as ISO text; None if unknown.
    """

    key: str
    timezone: str
    loaded_at: datetime
    load_id: str | None
    rows: int
    rows_deleted: int = 0
    newest_change: str | None = None


class LoadedPartitions:
    """The loaded partitions of a resource.

    Args:
        client: dlt's client of the destination, open.
        columns_of: returns the columns of a table, empty if there is no such table.
        api: the name of the API.
        resource: the name of the resource.
    """

    def __init__(
        self,
        client: WarehouseClient,
        columns_of: Callable[[str], TTableSchemaColumns],
        api: str,
        resource: str,
    ) -> None:
        self._client, self._sql = client, client.sql_client
        self._owner = (api, resource)
        self._exists = bool(columns_of(LOADED_PARTITIONS))

    def all(self) -> list[LoadedPartition]:
        """Return the partitions, ordered by their keys."""
        if not self._exists:
            return []
        names, key = ", ".join(map(self._column, COLUMNS)), self._column("partition_key")
        found = self._sql.execute_sql(
            f"SELECT {names} FROM {self._table} WHERE {self._of_owner} ORDER BY {key}", *self._owner
        )
        return [_partition(row[2:]) for row in found or ()]

    def is_empty(self) -> bool:
        """True if none was ever stored."""
        if not self._exists:
            return True
        query = f"SELECT 1 FROM {self._table} WHERE {self._of_owner} LIMIT 1"
        return not self._sql.execute_sql(query, *self._owner)

    def store(self, partitions: Sequence[LoadedPartition]) -> None:
        """Store partitions in place of earlier loads of them, in one transaction."""
        if not partitions:
            return
        if isinstance(self._client, DeltaClient):
            rows = [dict(zip(COLUMNS, (*self._owner, *each), strict=True)) for each in partitions]
            ids = [{C_DLT_ID: "/".join((*self._owner, each.key))} for each in partitions]
            columns = {name: {"name": name, "data_type": kind} for name, kind in COLUMNS.items()}
            columns[C_DLT_ID] = {"name": C_DLT_ID, "data_type": "text"}
            merged = [{**row, **own} for row, own in zip(rows, ids, strict=True)]
            self._client.put(LOADED_PARTITIONS, columns, merged)
            self._exists = True
            return
        self._create()
        key, names = self._column("partition_key"), ", ".join(map(self._column, COLUMNS))
        with self._sql.begin_transaction():
            for start in range(0, len(partitions), AT_ONCE):
                some = partitions[start : start + AT_ONCE]
                keys = [each.key for each in some]
                self._sql.execute_sql(
                    f"DELETE FROM {self._table} WHERE {self._of_owner} "
                    f"AND {key} IN ({placeholders(keys)})",
                    *(*self._owner, *keys),
                )
                row = f"({placeholders([*COLUMNS])})"
                self._sql.execute_sql(
                    f"INSERT INTO {self._table} ({names}) VALUES {', '.join(row for _ in some)}",
                    *(value for each in some for value in (*self._owner, *each)),
                )

    def delete(self) -> None:
        """Delete all of them, as if none had been loaded."""
        if self._exists:
            delete_rows(self._client, LOADED_PARTITIONS, self._of_owner, *self._owner)

    def _create(self) -> None:
        """Create the table; loads of other tables may do so at the same time."""
        if self._exists:
            return
        columns = [f"{self._column(name)} {self._type(name)}" for name in COLUMNS]
        if str(self._client.config.destination_type).endswith("postgres"):
            columns.append(f"PRIMARY KEY ({', '.join(map(self._column, KEY))})")
        if not self._sql.has_dataset():
            self._sql.create_dataset()
        try:
            self._sql.execute_sql(f"CREATE TABLE {self._table} ({', '.join(columns)})")
        except DatabaseException:
            if not self._client.get_storage_table(LOADED_PARTITIONS)[0]:
                raise
        self._exists = True

    def _type(self, name: str) -> str:
        column: TColumnSchema = {"name": name, "data_type": COLUMNS[name]}
        if name in KEY:
            column["precision"] = 300  # MySQL and others have no key of texts of any length
        table = cast(PreparedTableSchema, {"name": LOADED_PARTITIONS, "columns": {name: column}})
        assert isinstance(self._client, SqlJobClientBase), "Delta tables are not made by SQL"
        return self._client.type_mapper.to_destination_type(column, table)

    @property
    def _of_owner(self) -> str:
        return f"{self._column('api')} = %s AND {self._column('resource')} = %s"

    @property
    def _table(self) -> str:
        return self._sql.make_qualified_table_name(LOADED_PARTITIONS)

    def _column(self, name: str) -> str:
        return self._sql.escape_column_name(self._client.schema.naming.normalize_path(name))


def _partition(row: Sequence[Any]) -> LoadedPartition:
    key, timezone, loaded_at, load_id, rows, rows_deleted, newest_change = row
    moment = parse_timestamp(loaded_at)
    assert moment, "each row has one"
    return LoadedPartition(
        *(str(key), str(timezone), moment, load_id, int(rows), int(rows_deleted), newest_change)
    )
