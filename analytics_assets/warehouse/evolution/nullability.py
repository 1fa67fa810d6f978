"""Columns that take nulls in the warehouse, whatever earlier loads have stored of them.

dlt 1.31 restores `nullable: False` of a column for ever: also once it is no part of the key, its
hint is removed from the entry, and the constraint or the table is gone from the warehouse.
"""

from dlt.common.schema.typing import DLT_NAME_PREFIX, TTableSchemaColumns
from dlt.destinations.job_client_impl import SqlJobClientBase

from analytics_assets.warehouse.evolution.dropped import loaded_tables


def follow_constraints(client: SqlJobClientBase) -> None:
    """Allow nulls in columns where the warehouse has no constraint; an entry forbids them anew.

    Args:
        client: dlt's client of the destination, with the schema as the warehouse has stored it;
            the schema is changed in place.
    """
    schema = client.schema
    own = schema.dlt_table_names()
    names = [name for name in loaded_tables(client) if name not in own]
    for table, stored in client.get_storage_tables(names):
        for name, column in schema.tables[table]["columns"].items():
            is_free = name not in stored or stored[name].get("nullable", True)
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
