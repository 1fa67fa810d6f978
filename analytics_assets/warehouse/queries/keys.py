"""Queries on the primary keys of a table: of all its rows, or of those that some loads wrote."""

from collections.abc import Sequence

from analytics_assets.warehouse.queries.derived_table import LOAD
from analytics_assets.warehouse.queries.placeholders import placeholders
from analytics_assets.warehouse.queries.tables import Tables


def rows_without_key(
    tables: Tables, table: str, key: Sequence[str], loads: Sequence[str] = ()
) -> int:
    """Count the rows with a null in their key.

    Args:
        tables: the open warehouse.
        table: the table.
        key: the columns of the key.
        loads: dlt's ids of the loads whose rows are counted; empty for all rows.
    """
    nulls = " OR ".join(f"{tables.escaped(column)} IS NULL" for column in key)
    of_loads = f" AND {LOAD} IN ({placeholders(loads)})" if loads else ""
    [[rows]] = tables.select("count(*)", table, f"WHERE ({nulls}){of_loads}", *loads)
    return int(rows)


def duplicated_keys(
    tables: Tables, table: str, key: Sequence[str], loads: Sequence[str] = ()
) -> int:
    """Count the keys of more than one row.

    Args:
        tables: the open warehouse.
        table: the table.
        key: the columns of the key.
        loads: dlt's ids of loads: only keys of their rows are counted, also where the other row is
            older; the others are not read, if the table has an index on its key. Empty for all
            keys, which takes long in a large table, and in DuckDB as much memory as it may use.
    """
    columns = ", ".join(map(tables.escaped, key))
    name, where = tables.qualified(table), ""
    if loads:
        equal = " AND ".join(f"loaded.{each} = stored.{each}" for each in map(tables.escaped, key))
        where = (
            f"WHERE EXISTS (SELECT 1 FROM {name} AS loaded "
            f"WHERE loaded.{LOAD} IN ({placeholders(loads)}) AND {equal}) "
        )
    [[keys]] = tables.execute(
        f"SELECT count(*) FROM (SELECT {columns} FROM {name} AS stored {where}"
        f"GROUP BY {columns} HAVING count(*) > 1) AS duplicated",
        *loads,
    )
    return int(keys)
