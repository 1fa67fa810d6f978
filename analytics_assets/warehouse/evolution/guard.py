"""The tables of a warehouse held against what a load writes, before its first row."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from dlt.common.schema.typing import TColumnSchema, TTableSchemaColumns
from dlt.common.schema.utils import is_nested_table
from dlt.destinations.job_client_impl import SqlJobClientBase

from analytics_assets.warehouse.destinations.client import WarehouseClient
from analytics_assets.warehouse.errors import StoredTypeError
from analytics_assets.warehouse.evolution.column_type import ColumnType
from analytics_assets.warehouse.evolution.dropped import (
    delete_orphans,
    missing_columns,
    restore_columns,
)
from analytics_assets.warehouse.evolution.nullability import is_too_strict
from analytics_assets.warehouse.evolution.statements import widened
from analytics_assets.warehouse.evolution.strategy import allow_versions, refuse_history
from analytics_assets.warehouse.evolution.uniqueness import has_unique, is_deferred
from analytics_assets.warehouse.evolution.widening import can_widen, holds
from analytics_assets.warehouse.queries.tables import Tables

UTC = "SET LOCAL TIME ZONE 'UTC'"
Stored = Mapping[str, TTableSchemaColumns]
Rule = Callable[[SqlJobClientBase, Stored], None]


class Difference(NamedTuple):
    """A column that a load writes in another type than the table has.

    Args:
        name: the column.
        stored: its type in the warehouse.
        new: its type in the load.
        column: the column as the load writes it.
    """

    name: str
    stored: ColumnType
    new: ColumnType
    column: TColumnSchema


def guard(client: SqlJobClientBase, tables: Iterable[str]) -> None:
    """Compare tables with what a load writes, before any of its rows is written.

    Each of `RULES` is applied. dlt calls it for the dataset, and then for the one in which rows
    wait for their merge.

    Args:
        client: dlt's client of the destination, with the schema of the load.
        tables: the tables that the load writes.

    Raises:
        WarehouseError: the load cannot be written into them.
    """
    own = set(client.schema.dlt_table_names())
    names = [name for name in tables if name not in own and name in client.schema.tables]
    stored = {name: columns for name, columns in client.get_storage_tables(names) if columns}
    rules = STAGING_RULES if client.sql_client.is_staging_dataset_active else RULES
    for rule in rules:
        rule(client, stored)


def merge_statements(client: SqlJobClientBase, tables: Iterable[str]) -> list[str]:
    """Return the statements that begin the transaction of a merge.

    Args:
        client: dlt's client of the destination, with the schema of the load.
        tables: the tables of the merge.
    """
    stored = client.get_storage_tables(list(tables))
    alterations = [
        each for table, columns in stored for each in _alterations(client, table, columns) if each
    ]
    # a column without time zone, made by hand, takes the time of the session's zone
    return [*([UTC] if Tables(client).dialect == "postgres" else []), *alterations]


def widen_columns(client: SqlJobClientBase, stored: Stored) -> None:
    """Widen the columns of tables that are not merged; refuse what cannot be widened.

    Those of merged tables are widened in the transaction of the merge, by `merge_statements`.

    Raises:
        StoredTypeError: values would be altered in a column.
    """
    for table, columns in stored.items():
        statements = list(_alterations(client, table, columns))
        if client.prepare_load_table(table)["write_disposition"] != "merge":
            for statement in statements:
                client.sql_client.execute_sql(statement)


def drop_unfit(client: SqlJobClientBase, stored: Stored) -> None:
    """Drop tables of waiting rows that do not take those of this load; dlt makes them again."""
    unfit = [
        table
        for table, columns in stored.items()
        if is_too_strict(client.schema.get_table_columns(table), columns)
        or missing_columns(client, table, columns)
        or any(differences(client, table, columns))
        or (is_deferred(client, table) and has_unique(client, table))
    ]
    if unfit:
        client.drop_tables(*unfit)


RULES: tuple[Rule, ...] = (
    refuse_history,
    allow_versions,
    delete_orphans,
    restore_columns,
    widen_columns,
)
STAGING_RULES: tuple[Rule, ...] = (drop_unfit,)


def differences(
    client: WarehouseClient, table: str, stored: TTableSchemaColumns
) -> Iterator[Difference]:
    """Yield the columns of a table that a load writes in another type.

    Args:
        client: dlt's client of the destination, with the schema of the load.
        table: the table.
        stored: its columns in the warehouse.
    """
    for name, column in client.schema.get_table_columns(table).items():
        new, old = ColumnType.of(column), ColumnType.of(stored.get(name, {}))
        if old and new and not holds(old, new):
            yield Difference(name, old, new, column)


def _alterations(
    client: SqlJobClientBase, table: str, stored: TTableSchemaColumns
) -> Iterator[str]:
    """Yield the statements that widen the columns of a table for a load."""
    tables, qualified = Tables(client), client.sql_client.make_qualified_table_name(table)
    for name, old, new, column in differences(client, table, stored):
        if not can_widen(tables, table, name, old, new):
            is_child = is_nested_table(client.schema.get_table(table))
            raise StoredTypeError(table, name, old, new, is_child=is_child)
        sql_type = client.type_mapper.to_destination_type(column, client.prepare_load_table(table))
        escaped = client.sql_client.escape_column_name(name)
        value = widened(tables.dialect, escaped, old.kind, new.kind, sql_type)
        yield f"ALTER TABLE {qualified} ALTER COLUMN {escaped} TYPE {sql_type} USING {value}"
