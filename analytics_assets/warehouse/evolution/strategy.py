"""The strategy of a load: that of its entry, whatever earlier loads have stored."""

from collections.abc import Mapping
from typing import Any

from dlt import Schema
from dlt.common.schema.typing import (
    C_DLT_ID,
    MERGE_DISPOSITION_HINTS,
    TTableSchema,
    TTableSchemaColumns,
)
from dlt.common.schema.utils import get_first_column_name_with_prop, get_nested_tables
from dlt.destinations.job_client_impl import SqlJobClientBase

from analytics_assets.config.times.timestamps import parse_timestamp
from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.evolution.uniqueness import drop_unique

TABLE_HINTS = (*MERGE_DISPOSITION_HINTS.values(), "x-boundary-timestamp")
COLUMN_HINTS = ("hard_delete", "dedup_sort")
# of the column by which `scd2` tells versions apart; otherwise it identifies a row
ROW_VERSION, ROW_ID = "x-row-version", {"row_key": True, "unique": True}


class StoredHistoryError(WarehouseError):
    """A table holds old versions of rows, which a merge by key would lose."""


def forget_strategies(schema: Schema) -> None:
    """Remove the strategies of earlier loads from a schema; the entry gives its own anew.

    dlt 1.31 applies a stored strategy for ever: an entry that said `scd2` once and "merge" now
    still keeps each version of a row, and one that marked a column as `hard_delete` still deletes.

    Args:
        schema: the schema as the warehouse has stored it; changed in place.
    """
    row_id = schema.naming.normalize_identifier(C_DLT_ID)
    for table in schema.tables.values():
        hints: dict[str, Any] = table  # type: ignore[assignment]  # hints have names of dlt's
        for hint in TABLE_HINTS:
            hints.pop(hint, None)
        for column in table["columns"].values():
            own: dict[str, Any] = column  # type: ignore[assignment]  # as above
            for hint in COLUMN_HINTS:
                own.pop(hint, None)
            if own.pop(ROW_VERSION, None):
                own.pop("row_key", None)
                own.pop("unique", None)
                own.update(ROW_ID if own["name"] == row_id else {})


def refuse_history(client: SqlJobClientBase, stored: Mapping[str, TTableSchemaColumns]) -> None:
    """Refuse a merge by key into a table with the old versions that `scd2` keeps.

    It would delete those of the keys that it brings, and leave the others beside current rows.

    Args:
        client: dlt's client of the destination, with the schema of the load.
        stored: the columns in the warehouse, by table.

    Raises:
        StoredHistoryError: the table holds old versions of rows.
    """
    for name, columns in stored.items():
        table, prepared = client.schema.tables[name], client.prepare_load_table(name)
        is_merged = prepared["write_disposition"] == "merge"
        end = get_first_column_name_with_prop(table, "x-valid-to")
        if not (is_merged and end in columns) or prepared.get("x-merge-strategy") == "scd2":
            continue
        qualified = client.sql_client.make_qualified_table_name(name)
        ended = _ended(client, table, str(end))
        [[count]] = client.sql_client.execute_sql(
            f"SELECT count(*) FROM {qualified} WHERE {ended}"
        ) or [[0]]
        if count:
            statements = [f"DELETE FROM {qualified} WHERE {ended}", *_orphans(client, name)]
            raise StoredHistoryError(
                f"The table `{name}` holds {count} old versions of rows, which the strategy `scd2` "
                'has kept; a merge by key would lose or double rows. Keep `"strategy": '
                '"scd2"` in the entry, or load into another table (`table_name`), or delete the '
                f"old versions: {'; '.join(statements)}"
            )


def allow_versions(client: SqlJobClientBase, stored: Mapping[str, TTableSchemaColumns]) -> None:
    """Allow versions of rows with the same content in tables, as `scd2` makes them.

    A merge by key has made the column unique that holds a hash of the content from now on: a row
    that is gone and comes back unchanged would be refused. DuckDB has no such limit.

    Args:
        client: dlt's client of the destination, with the schema of the load.
        stored: the columns in the warehouse, by table.
    """
    for name in stored if str(client.config.destination_type).endswith("postgres") else ():
        version = get_first_column_name_with_prop(client.schema.tables[name], ROW_VERSION)
        if version and client.prepare_load_table(name).get("x-merge-strategy") == "scd2":
            for statement in drop_unique(client, name, version):
                client.sql_client.execute_sql(statement)


def end_of_current(column: Mapping[str, Any]) -> str | None:
    """Return SQL for the end of versions that are current, None where they have none.

    Args:
        column: the column of dlt with the ends of versions.
    """
    moment = parse_timestamp(column.get("x-active-record-timestamp"))
    return f"CAST('{moment.isoformat()}' AS TIMESTAMP WITH TIME ZONE)" if moment else None


def _ended(client: SqlJobClientBase, table: TTableSchema, end: str) -> str:
    """Return the condition for versions that are no longer current."""
    column, current = (
        client.sql_client.escape_column_name(end),
        end_of_current(table["columns"][end]),
    )
    return f"{column} <> {current}" if current else f"{column} IS NOT NULL"


def orphans_of_upsert(client: SqlJobClientBase, name: str) -> list[str]:
    """Return the statements that end a merge by `upsert`; none for other strategies.

    dlt 1.31 makes the ids of such rows from their keys, also of rows that another strategy had
    loaded, and finds child rows by the new ids alone: those of the former ids would stay for ever.

    Args:
        client: dlt's client of the destination, with the schema of the load.
        name: the table of the merge.
    """
    is_upsert = client.prepare_load_table(name).get("x-merge-strategy") == "upsert"
    return _orphans(client, name) if is_upsert else []


def _orphans(client: SqlJobClientBase, name: str) -> list[str]:
    """Return statements that delete the rows of child tables without a row of the table."""
    root = client.sql_client.make_qualified_table_name(name)
    return [
        f"DELETE FROM {client.sql_client.make_qualified_table_name(str(child['name']))} "
        f"WHERE NOT EXISTS (SELECT 1 FROM {root} AS kept WHERE kept._dlt_id = _dlt_root_id)"
        for child in get_nested_tables(client.schema.tables, name)[1:]
    ]
