"""Absent rows in statements of dlt, in a form that PostgreSQL finds by a join.

dlt 1.31 selects them by `column NOT IN (SELECT column FROM table)`. As soon as the second table
exceeds `work_mem`, PostgreSQL compares each row with each of that table: an `upsert` of 160,000
rows with two children each does not end.
"""

import re

NOT_IN = re.compile(r'("[^"]+") NOT IN \(SELECT \1 FROM ([^()]+)\)')


def absent(column: str, others: str, other: str) -> str:
    """Return the condition for rows whose value is in no row of a table.

    The table may have a column of the same name, which its alias keeps apart.

    Args:
        column: the column of the rows, without nulls.
        others: the table, and a condition for its rows if there is one.
        other: the column of the table.
    """
    table = f"(SELECT {other} AS _dlt_other FROM {others}) AS _dlt_others"
    return f"NOT EXISTS (SELECT 1 FROM {table} WHERE _dlt_other = {column})"


def with_anti_joins(statement: str) -> str:
    """Replace each `NOT IN` of a statement of a merge; its columns are without nulls.

    Args:
        statement: a statement of dlt for DuckDB or PostgreSQL.
    """
    return NOT_IN.sub(lambda found: absent(found[1], found[2], found[1]), statement)
