"""Tables that a test makes by SQL, without a load."""

from collections.abc import Iterator
from contextlib import contextmanager

from analytics_assets.warehouse.queries.tables import Tables
from analytics_assets.warehouse.warehouse import Warehouse


@contextmanager
def opened_with(warehouse: Warehouse, **tables: tuple[str, str]) -> Iterator[Tables]:
    """Open a warehouse with some tables, given as columns and rows in SQL."""
    with warehouse.pipeline("writer").sql_client() as client:
        client.create_dataset()
        for table, (columns, rows) in tables.items():
            name = client.make_qualified_table_name(table)
            client.execute_sql(f"CREATE TABLE {name} ({columns})")
            if rows:
                client.execute_sql(f"INSERT INTO {name} VALUES {rows}")
    with warehouse.open() as opened:
        yield opened
