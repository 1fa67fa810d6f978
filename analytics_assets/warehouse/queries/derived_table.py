"""A table that is made of the rows of others by a SELECT."""

from typing import Any

from dlt.destinations.exceptions import DatabaseUndefinedRelation
from dlt.destinations.sql_client import SqlClientBase

from analytics_assets.warehouse.destinations.client import WarehouseClient
from analytics_assets.warehouse.destinations.delta.compat.client import DeltaClient
from analytics_assets.warehouse.errors import WarehouseError

LOAD = "_dlt_load_id"  # dlt's column with the id of the load that last wrote a row
# dialects without CREATE OR REPLACE TABLE, in which a transaction replaces the rows; as long as its
# columns do not change, the table stays, with the rights on it and the views that others made of it
IN_A_TRANSACTION = ("postgres", "redshift")


def replace_table(client: WarehouseClient, table: str, select: str) -> int:
    """Replace a table of the client's dataset by the rows of a SELECT.

    Args:
        client: dlt's client of the destination, open.
        table: the table; made if there is none, and so is the dataset.
        select: the SELECT.

    Returns:
        The number of its rows.

    Raises:
        WarehouseError: the table is one that dlt loads, or the SELECT reads one that is not there.
    """
    sql, select = client.sql_client, select.strip().rstrip(";")
    name = sql.make_qualified_table_name(table)
    if not isinstance(client, DeltaClient) and not sql.has_dataset():
        sql.create_dataset()
    _, columns = client.get_storage_table(table)
    if LOAD in columns:
        raise WarehouseError(
            f"The table {name} holds rows that were loaded from an API, and no query replaces "
            "them: give the table of the query another name, or another dataset."
        )
    try:
        if isinstance(client, DeltaClient):
            client.replace(table, select)
        elif sql.capabilities.sqlglot_dialect in IN_A_TRANSACTION:
            with sql.begin_transaction():
                if columns and _types(sql, name) == _types(sql, f"({select}\n) AS new_rows"):
                    sql.execute_sql(f"DELETE FROM {name}")
                    sql.execute_sql(f"INSERT INTO {name} {select}")
                else:
                    sql.execute_sql(f"DROP TABLE IF EXISTS {name}")
                    sql.execute_sql(f"CREATE TABLE {name} AS {select}")
        else:
            sql.execute_sql(f"CREATE OR REPLACE TABLE {name} AS {select}")
    except DatabaseUndefinedRelation as error:
        said = str(error).strip().partition("\n")[0].rstrip(" .!")
        raise WarehouseError(
            f"The table {name} cannot be made, as its query reads one that is not there: {said}. "
            "Load that table first, or correct the query."
        ) from error
    counted: Any = sql.execute_sql(f"SELECT count(*) FROM {name}")
    return int(counted[0][0])


def _types(sql: SqlClientBase[Any], rows: str) -> list[tuple[Any, ...]]:
    """Return the names and types of columns, as the driver describes them."""
    with sql.execute_query(f"SELECT * FROM {rows} LIMIT 0") as cursor:
        return [tuple(column[:2]) for column in cursor.native_cursor.description]
