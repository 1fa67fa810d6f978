"""The rows of a load for a Delta table, read from its Parquet files by DuckDB.

dlt 1.31 merges into Delta by `upsert` alone: two rows of a load with one key are both inserted, and
so is a row that is marked as deleted. Here rows follow the rules of `delete-insert`, as in other
warehouses.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dlt.common.schema.typing import C_DLT_ID, TTableSchema
from dlt.common.schema.utils import (
    get_columns_names_with_prop,
    get_dedup_sort_tuple,
    get_first_column_name_with_prop,
)

from analytics_assets.warehouse.destinations.delta.table import DELETED, quoted, sql_type
from analytics_assets.warehouse.parquet_files import files_of_one_type, parquet_files

TARGET = "target"  # the name by which a query reads the table


def staged_rows(table: TTableSchema, files: Iterable[str]) -> str:
    """Return SQL for the rows of files, in the types of the table.

    Args:
        table: the table of the load.
        files: its Parquet files.
    """
    columns: Mapping[str, Any] = table["columns"]
    rows = []
    for present, paths in files_of_one_type(files):
        values = ", ".join(
            f"CAST({quoted(name) if name in present else 'NULL'} AS {sql_type(column)}) "
            f"AS {quoted(name)}"
            for name, column in columns.items()
        )
        rows.append(f"SELECT {values} FROM {parquet_files(paths)}")
    return " UNION ALL ".join(rows)


def changes(table: TTableSchema, files: Iterable[str], *, exists: bool) -> str:
    """Return SQL for the changes that a merge makes in a Delta table.

    Args:
        table: the table of the load.
        files: its Parquet files.
        exists: True if there is a table, which the query reads as `target`.
    """
    keys = [get_columns_names_with_prop(table, kind) for kind in ("primary_key", "merge_key")]
    staged, columns = staged_rows(table, files), ", ".join(map(quoted, table["columns"]))
    rows, conditions = "SELECT * FROM staged", _kept(table)
    if keys[0] and not dict(table).get("x-stage-data-deduplicated"):
        order = get_dedup_sort_tuple(table)
        by = f" ORDER BY {quoted(order[0])} {order[1].upper()}" if order else ""
        partition = ", ".join(map(quoted, keys[0]))
        rows += f" QUALIFY row_number() OVER (PARTITION BY {partition}{by}) = 1"
    matched = _matched(keys) if exists else None
    if matched and dict(table).get("x-merge-strategy") == "insert-only":
        conditions.append(f"NOT EXISTS (SELECT 1 FROM {TARGET} AS stored WHERE {matched})")
        matched = None
    mark = f", false AS {DELETED}" if exists else ""
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    query = (
        f"WITH staged AS ({staged}), loaded AS ({rows}), new AS (SELECT * FROM loaded{where}) "
        f"SELECT {columns}{mark} FROM new"
    )
    if not matched:
        return query
    row_id = quoted(C_DLT_ID)
    nulls = ", ".join(row_id if each == C_DLT_ID else "NULL" for each in table["columns"])
    # an attempt whose commit was not confirmed has stored rows with the ids of the new ones
    return (
        f"{query} UNION ALL SELECT {nulls}, true FROM {TARGET} AS stored WHERE EXISTS "
        f"(SELECT 1 FROM staged AS loaded WHERE {matched}) AND {row_id} NOT IN "
        f"(SELECT {row_id} FROM new)"
    )


def _matched(keys: Sequence[Sequence[str]]) -> str | None:
    """Return the condition for a stored row that a loaded one replaces; None if none does."""
    each = [
        " AND ".join(f"loaded.{quoted(name)} = stored.{quoted(name)}" for name in key)
        for key in keys
        if key
    ]
    return " OR ".join(f"({key})" for key in each) or None


def _kept(table: TTableSchema) -> list[str]:
    """Return the condition for rows that are not marked as deleted, if there are such marks."""
    name = get_first_column_name_with_prop(table, "hard_delete")
    if name is None:
        return []
    is_mark = table["columns"][name].get("data_type") == "bool"
    other = f" OR NOT {quoted(name)}" if is_mark else ""
    return [f"({quoted(name)} IS NULL{other})"]
