"""Tables and columns that somebody has dropped in the warehouse: found, and made again.

dlt 1.31 trusts the schema that it has stored, and would never make them again.
"""

from collections.abc import Mapping, Sequence

from dlt.common.schema.typing import C_DLT_ID, TColumnSchema, TTableSchemaColumns
from dlt.common.schema.utils import (
    get_first_column_name_with_prop,
    get_nested_tables,
    has_table_seen_data,
)
from dlt.destinations.job_client_impl import SqlJobClientBase

from analytics_assets.config.errors import listed
from analytics_assets.warehouse.destinations.client import WarehouseClient
from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.evolution.strategy import end_of_current

# hints of the columns by which a merge finds the rows of before; `root_key` follows from others
IDENTIFYING = ("primary_key", "merge_key", "parent_key", "x-row-version")


class NoKeyColumnError(WarehouseError):
    """A table with rows lacks a column that identifies them."""


def loaded_tables(client: WarehouseClient) -> list[str]:
    """Return the tables of a client's schema for which loads have brought rows."""
    return [name for name, table in client.schema.tables.items() if has_table_seen_data(table)]


def stored_tables(client: WarehouseClient) -> Mapping[str, TTableSchemaColumns]:
    """Return the columns in the warehouse by loaded table, none of one that is gone.

    Args:
        client: dlt's client of the destination, with the schema that earlier loads have stored.
    """
    own = client.schema.dlt_table_names()
    return dict(
        client.get_storage_tables([each for each in loaded_tables(client) if each not in own])
    )


def dropped(
    client: WarehouseClient, stored: Mapping[str, TTableSchemaColumns]
) -> Mapping[str, Sequence[str]]:
    """Return what earlier loads have made, and the warehouse no longer has.

    Args:
        client: dlt's client of the destination, with the schema that those loads have stored.
        stored: the columns in the warehouse; see `stored_tables`.

    Returns:
        The columns by table; none for a table that is gone as a whole.
    """
    missing = {
        table: (bool(columns), missing_columns(client, table, columns))
        for table, columns in stored.items()
    }
    return {
        table: tuple(str(column["name"]) for column in columns) if exists else ()
        for table, (exists, columns) in missing.items()
        if columns
    }


def describe(found: Mapping[str, Sequence[str]]) -> str:
    """Return what was dropped as words.

    Example:
        >>> describe({"orders": (), "orders__tags": ("tag", "note")})
        'the table `orders`, the columns `tag`, `note` of `orders__tags`'
    """
    return ", ".join(
        f"the column{'s' if len(columns) > 1 else ''} {listed(columns)} of `{table}`"
        if columns
        else f"the table `{table}`"
        for table, columns in found.items()
    )


def restore_columns(client: SqlJobClientBase, stored: Mapping[str, TTableSchemaColumns]) -> None:
    """Make columns that tables lack, if dlt could not make them or if their values are known.

    They may be null in the table, as no warehouse makes others in a table with rows.

    Args:
        client: dlt's client of the destination, with the schema of the load.
        stored: the columns in the warehouse, by table.

    Raises:
        NoKeyColumnError: rows of the table cannot be told apart without the column.
    """
    for table in client.schema.tables:  # parents first
        for column in missing_columns(client, table, stored[table]) if table in stored else ():
            name = str(column["name"])
            refuse_unidentified(client, table, column)
            known = _known_values(client, table, column)
            if known is None and column.get("nullable", True):
                continue
            qualified = client.sql_client.make_qualified_table_name(table)
            name = client.sql_client.escape_column_name(name)
            kind = client.type_mapper.to_destination_type(column, client.prepare_load_table(table))
            client.sql_client.execute_sql(f"ALTER TABLE {qualified} ADD COLUMN {name} {kind}")
            if known is not None:
                client.sql_client.execute_sql(f"UPDATE {qualified} AS made SET {name} = {known}")


def _known_values(client: SqlJobClientBase, table: str, column: TColumnSchema) -> str | None:
    """Return SQL for a column's values in the rows of before, None if they are unknown."""
    if current := end_of_current(column):
        return current
    parent = client.schema.tables[table].get("parent")
    if not (column.get("root_key") and parent):
        return None
    schema, escape = client.schema, client.sql_client.escape_column_name
    row_id = escape(schema.naming.normalize_identifier(C_DLT_ID))
    root_key = get_first_column_name_with_prop(schema.tables[parent], "root_key")
    parent_key = get_first_column_name_with_prop(schema.tables[table], "parent_key")
    # a version of a row that came back has the id of the one before
    return (
        f"above.root FROM (SELECT {row_id} AS id, max({escape(root_key) if root_key else row_id}) "
        f"AS root FROM {client.sql_client.make_qualified_table_name(parent)} GROUP BY 1) AS above "
        f"WHERE above.id = made.{escape(str(parent_key))}"
    )


def delete_orphans(client: SqlJobClientBase, stored: Mapping[str, TTableSchemaColumns]) -> None:
    """Delete the rows of child tables whose parent table is gone: no later load would find them.

    Args:
        client: dlt's client of the destination, with the schema of the load.
        stored: the columns in the warehouse by table, none of tables that are gone.
    """
    for parent in set(loaded_tables(client)) - {*stored, *client.schema.dlt_table_names()}:
        for table in get_nested_tables(client.schema.tables, parent):
            if table["name"] in stored:
                name = client.sql_client.make_qualified_table_name(str(table["name"]))
                client.sql_client.execute_sql(f"DELETE FROM {name}")


def missing_columns(
    client: WarehouseClient, table: str, columns: TTableSchemaColumns
) -> list[TColumnSchema]:
    """Return the columns of a table in a client's schema that the stored table lacks."""
    is_case_sensitive = client.capabilities.generates_case_sensitive_identifiers()
    return client.schema.get_new_table_columns(table, columns, is_case_sensitive)


def refuse_unidentified(client: WarehouseClient, table: str, column: TColumnSchema) -> None:
    """Refuse a table with rows, but without a column that identifies them.

    Args:
        client: dlt's client of the destination, with the schema of the load.
        table: the table.
        column: a column that it lacks.

    Raises:
        NoKeyColumnError: rows of the table cannot be told apart without the column.
    """
    if _identifies_rows(client, table, column):
        _refuse_rows(client, table, str(column["name"]))


def _identifies_rows(client: WarehouseClient, table: str, column: TColumnSchema) -> bool:
    prepared = client.prepare_load_table(table)
    if prepared["write_disposition"] != "merge":
        return False
    if column.get("row_key"):
        return len(get_nested_tables(client.schema.tables, table)) > 1
    return any(column.get(hint) for hint in IDENTIFYING)


def _refuse_rows(client: WarehouseClient, table: str, column: str) -> None:
    qualified = client.sql_client.make_qualified_table_name(table)
    if client.sql_client.execute_sql(f"SELECT 1 FROM {qualified} LIMIT 1"):
        raise NoKeyColumnError(
            f"The table `{table}` has rows, but no column `{column}`, by which a load finds them: "
            "somebody dropped it, or it is new in the key. Restore the column, or drop the "
            f"table (DROP TABLE {qualified}) and load all rows again."
        )
