"""Columns that take nulls in the warehouse, whatever earlier loads have stored of them.

dlt 1.31 restores `nullable: False` of a column for ever: also once it is no part of the key, its
hint is removed from the entry, and the constraint or the table is gone from the warehouse.
"""

from collections.abc import Mapping

from dlt import Schema
from dlt.common.schema.typing import DLT_NAME_PREFIX, TTableSchemaColumns


def follow_constraints(schema: Schema, stored: Mapping[str, TTableSchemaColumns]) -> None:
    """Allow nulls where no constraint in the warehouse forbids them; an entry forbids them anew.

    Args:
        schema: the schema as the warehouse has stored it; changed in place.
        stored: the columns in the warehouse, by table.
    """
    for table, columns in stored.items():
        for name, column in schema.tables[table]["columns"].items():
            is_free = name not in columns or columns[name].get("nullable", True)
            if is_free and not name.startswith(DLT_NAME_PREFIX):
                column["nullable"] = True


def is_too_strict(columns: TTableSchemaColumns, stored: TTableSchemaColumns) -> bool:
    """Test if a table refuses nulls that a load may write.

    Args:
        columns: the columns of the load.
        stored: those of the table.
    """
    return any(
        columns[name].get("nullable", True) and not stored[name].get("nullable", True)
        for name in columns.keys() & stored.keys()
    )
