"""Unique columns of merged tables in PostgreSQL: indexed after the first rows, not with each.

dlt makes a column with the hint `unique`, such as `_dlt_id`, unique as it creates a table, also
that of rows that wait for their merge. Ids are random: to index those of 10 million rows one by one
takes 50 s, twice; to index them all at once takes 6 s.
"""

from collections.abc import Iterable

from dlt.destinations.job_client_impl import SqlJobClientBase

from analytics_assets.warehouse.queries.tables import Tables

# the statement that drops each index, or constraint, by which a column alone is unique
DROP_UNIQUE = """
SELECT CASE WHEN owned.conname IS NULL THEN format('DROP INDEX %%s', CAST(indexrelid AS regclass))
ELSE format('ALTER TABLE %%s DROP CONSTRAINT %%I', CAST(indrelid AS regclass), owned.conname) END
FROM pg_index
JOIN pg_attribute AS part ON part.attrelid = indrelid AND part.attnum = indkey[0]
LEFT JOIN pg_constraint AS owned ON owned.conindid = indexrelid AND owned.contype = 'u'
WHERE indrelid = CAST(%s AS regclass) AND part.attname = %s
AND indisunique AND NOT indisprimary AND indnkeyatts = 1 AND indpred IS NULL
"""


def is_deferred(client: SqlJobClientBase, table: str) -> bool:
    """Test if the unique columns of a table are indexed after the first rows only.

    Args:
        client: dlt's client of the destination, with the schema of the load.
        table: the table.
    """
    is_merged = client.prepare_load_table(table)["write_disposition"] == "merge"
    return is_merged and Tables(client).dialect == "postgres"


def has_unique(client: SqlJobClientBase, table: str) -> bool:
    """Test if PostgreSQL indexes the unique columns of a table with each row.

    Args:
        client: dlt's client of the destination, with the schema of the load.
        table: the table.
    """
    return any(drop_unique(client, table, column) for column in _unique_columns(client, table))


def unique_indexes(client: SqlJobClientBase, tables: Iterable[str]) -> list[str]:
    """Return the statements that make columns unique after the first rows of their tables.

    Those who read a table meanwhile do not wait, and a row that is there twice fails the merge.

    Args:
        client: dlt's client of the destination, with the schema of the load.
        tables: the tables of a merge, in whose transaction no row is written yet.
    """
    if "unique" not in client.active_hints:  # by dlt's setting `create_indexes`
        return []
    return [
        f"CREATE UNIQUE INDEX ON {client.sql_client.make_qualified_table_name(table)} "
        f"({client.sql_client.escape_column_name(column)})"
        for table in tables
        if is_deferred(client, table) and not _has_rows(client, table)
        for column in _unique_columns(client, table)
        if not drop_unique(client, table, column)
    ]


def drop_unique(client: SqlJobClientBase, table: str, column: str) -> list[str]:
    """Return the statements after which PostgreSQL no longer keeps a column unique by itself.

    Args:
        client: dlt's client of the destination.
        table: the table.
        column: the column.
    """
    qualified = client.sql_client.make_qualified_table_name(table)
    found = client.sql_client.execute_sql(DROP_UNIQUE, qualified, column)
    return [str(statement) for [statement] in found or ()]


def _unique_columns(client: SqlJobClientBase, table: str) -> list[str]:
    columns = client.schema.get_table_columns(table)
    return [name for name, column in columns.items() if column.get("unique")]


def _has_rows(client: SqlJobClientBase, table: str) -> bool:
    qualified = client.sql_client.make_qualified_table_name(table)
    return bool(client.sql_client.execute_sql(f"SELECT 1 FROM {qualified} LIMIT 1"))
