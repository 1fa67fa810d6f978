"""DuckDB as the reader of Delta tables; imported by those alone who read some."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlglot
from dlt.destinations.impl.filesystem.sql_client import FilesystemSqlClient
from sqlglot import exp

from analytics_assets.warehouse.destinations.delta.compat.client import DeltaClient
from analytics_assets.warehouse.destinations.delta.table import rows_of


class DeltaSqlClient(FilesystemSqlClient):
    """DuckDB in memory, with a view of each Delta table that a query names.

    dlt 1.31.0 has DuckDB read them by its extension `delta`, which it downloads in the first query,
    and knows the tables of one pipeline's schema alone. Here `deltalake` reads them: each as its
    newest version was when the first query named it.
    """

    def open_connection(self) -> Any:
        """Connect to the database; dlt's method also has DuckDB sign in to the bucket."""
        if self._conn is None:
            self.remote_client.views.clear()  # they are those of one connection
            super(FilesystemSqlClient, self).open_connection()
            self.remote_client.register_bucket(self._conn)
        return self._conn

    @contextmanager
    def execute_query(self, query: Any, *args: Any, **kwargs: Any) -> Iterator[Any]:
        """Execute a query, and connect to the database before the first one."""
        self.open_connection()
        self._create_views_elsewhere(str(query).replace("%s", "?") if args else str(query))
        with super().execute_query(query, *args, **kwargs) as cursor:
            yield cursor

    def _create_views_elsewhere(self, query: str) -> None:
        """Make the views of a query's tables in other datasets of the bucket."""
        client = self.remote_client
        assert isinstance(client, DeltaClient), "it makes this one"
        for found in sqlglot.parse_one(query, read="duckdb").find_all(exp.Table):
            place = f"{found.db}.{found.name}"
            if found.db in ("", self.dataset_name) or place in client.views:
                continue
            if (table := client.delta_table(found.name, found.db)) is not None:
                client.views[place] = table
                schema, name = map(self.escape_column_name, (found.db, found.name))
                self._conn.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
                self._conn.execute(f"CREATE OR REPLACE VIEW {schema}.{name} AS {rows_of(table)}")

    def create_views_for_tables(self, tables: dict[str, str]) -> None:
        """Make the views of a query's tables."""
        client = self.remote_client
        assert isinstance(client, DeltaClient), "it makes this one"
        known, lost = set(client.views), dict[str, str]()
        for name, view in tables.items():
            if client.is_dlt_table(name):
                lost[name] = view
            elif name not in known and (table := client.delta_table(name)) is not None:
                client.views[name] = table
                qualified = self.make_qualified_table_name(view)
                self._conn.execute(f"CREATE OR REPLACE VIEW {qualified} AS {rows_of(table)}")
        super().create_views_for_tables(lost)
