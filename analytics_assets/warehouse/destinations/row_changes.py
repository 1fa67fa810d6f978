"""Changes of rows that a condition selects: by SQL, or in one commit of a Delta table."""

from collections.abc import Iterable, Mapping
from typing import Any

from dlt.common.schema.typing import C_DLT_ID

from analytics_assets.warehouse.destinations.client import WarehouseClient
from analytics_assets.warehouse.destinations.delta.compat.client import DeltaClient


def delete_rows(client: WarehouseClient, table: str, where: str, *values: Any) -> None:
    """Delete rows of a table.

    Args:
        client: dlt's client of the destination, open.
        table: the table.
        where: the condition for the rows, as SQL.
        *values: the values of its placeholders.
    """
    if isinstance(client, DeltaClient):
        client.delete(table, _ids(client, table, where, values))
        return
    name = client.sql_client.make_qualified_table_name(table)
    client.sql_client.execute_sql(f"DELETE FROM {name} WHERE {where}", *values)


def set_texts(
    client: WarehouseClient, table: str, texts: Mapping[str, str], where: str, *values: Any
) -> None:
    """Set texts in rows of a table.

    Args:
        client: dlt's client of the destination, open.
        table: the table.
        texts: the texts by column.
        where: the condition for the rows, as SQL.
        *values: the values of its placeholders.
    """
    if isinstance(client, DeltaClient):
        client.change(table, _ids(client, table, where, values), texts)
        return
    sql = client.sql_client
    assigned = ", ".join(f"{sql.escape_column_name(name)} = %s" for name in texts)
    sql.execute_sql(
        f"UPDATE {sql.make_qualified_table_name(table)} SET {assigned} WHERE {where}",
        *(*texts.values(), *values),
    )


def _ids(client: DeltaClient, table: str, where: str, values: Iterable[Any]) -> list[str]:
    sql = client.sql_client
    found = sql.execute_sql(
        f"SELECT {sql.escape_column_name(C_DLT_ID)} FROM {sql.make_qualified_table_name(table)} "
        f"WHERE {where}",
        *values,
    )
    return [str(row_id) for [row_id] in found or ()]
