"""Queries on the tables of a warehouse, and the deletion of rows that the API no longer has."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date, datetime
from typing import Any, NamedTuple

from dlt import Pipeline
from dlt.common.schema.typing import TTableSchemaColumns

from analytics_assets.config.resource import ResourceConfig
from analytics_assets.config.times.timestamps import parse_timestamp
from analytics_assets.warehouse.destinations.client import (
    WarehouseClient,
    as_warehouse_client,
    table_names,
    to_the_minute,
)
from analytics_assets.warehouse.destinations.delta.compat.client import DeltaClient
from analytics_assets.warehouse.destinations.row_changes import delete_rows
from analytics_assets.warehouse.driver_errors import warehouse_error
from analytics_assets.warehouse.errors import SpanUnknownError, WarehouseError
from analytics_assets.warehouse.queries.anti_join import absent
from analytics_assets.warehouse.queries.derived_table import LOAD, replace_table
from analytics_assets.warehouse.queries.load_health import LoadHealth
from analytics_assets.warehouse.queries.loaded_partitions import LoadedPartitions
from analytics_assets.warehouse.queries.placeholders import placeholders
from analytics_assets.warehouse.queries.rejections import Rejections
from analytics_assets.warehouse.queries.stored_state import stored_state
from analytics_assets.warehouse.settings import settings_error


class Span(NamedTuple):
    """The rows of a span of time.

    Args:
        column: the DATE or TIMESTAMP column of the rows' time.
        start: the start of the span; midnight where days begin.
        end: the first timestamp after it, likewise.
    """

    column: str
    start: datetime
    end: datetime


@contextmanager
def open_tables(pipeline: Pipeline) -> Iterator["Tables"]:
    """Connect to the destination of a pipeline.

    Raises:
        WarehouseError: it cannot be opened.
    """
    with ExitStack() as stack:
        try:
            client: Any = pipeline.destination_client()
            stack.enter_context(client)
        except Exception as error:  # each destination's driver has its own errors
            unknown = WarehouseError(f"The warehouse cannot be opened: {str(error).strip()}")
            known = settings_error(error, pipeline.destination.destination_type.rpartition(".")[2])
            raise known or warehouse_error(error) or unknown from error
        tables = Tables(as_warehouse_client(client))
        if tables.dialect == "postgres":
            # as dlt has DuckDB do; a time late in 9999 is in Python's year 10000 further east
            tables.execute("SET TIME ZONE 'UTC'")
        yield tables


class Tables:
    """The tables of an open warehouse, whose columns do not change meanwhile.

    Args:
        client: dlt's client of the destination.
    """

    def __init__(self, client: WarehouseClient) -> None:
        self._client = client
        self._columns: dict[str, TTableSchemaColumns] = {}

    def columns(self, table: str) -> TTableSchemaColumns:
        """Return the columns of a table in the destination, empty if there is no such table."""
        if table not in self._columns:
            _, self._columns[table] = self._client.get_storage_table(table)
        return self._columns[table]

    def state(self, pipeline: str) -> Mapping[str, Any]:
        """Return dlt's state of a pipeline, empty if it has loaded nothing."""
        return stored_state(self._client, pipeline)

    def children(self, table: str) -> list[str]:
        """Return the tables that dlt made of lists in the table's rows, parents first."""
        names = [name for name in table_names(self._client) if name.startswith(f"{table}__")]
        return sorted(names, key=lambda name: name.count("__"))

    def column_name(self, field: str) -> str:
        """Return dlt's column for a field of the API: `changed_at` for `changedAt`.

        The column of a field in an object has two underscores in its name: `period__day`.
        """
        return self._client.schema.naming.normalize_path(field)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Return the rows of a SELECT."""
        return [tuple(row) for row in self.execute(statement)]

    def execute(self, statement: str, *parameters: Any) -> Sequence[Sequence[Any]]:
        """Execute a statement, with the values of its placeholders, and return its rows."""
        return self._client.sql_client.execute_sql(statement, *parameters) or ()

    def replace(self, table: str, select: str) -> int:
        """Replace a table by the rows of a SELECT; see `replace_table`."""
        return replace_table(self._client, table, select)

    def row_count(self, table: str) -> int:
        """Count the rows of a table."""
        return int(self._value(f"SELECT count(*) FROM {self.qualified(table)}"))

    @property
    def dialect(self) -> str:
        """The name of the destination: `duckdb`, `postgres`, ..."""
        return str(self._client.config.destination_type).rpartition(".")[2]

    @property
    def load_ids(self) -> set[str] | None:
        """The ids of the dataset's loads if they are no table; None if they are one."""
        return self._client.load_ids() if isinstance(self._client, DeltaClient) else None

    @property
    def dataset(self) -> str:
        """The schema that holds the tables."""
        return self._client.sql_client.dataset_name

    @property
    def makes_indexes(self) -> bool:
        """True if loads may make indexes: in PostgreSQL, unless `create_indexes` of dlt is off."""
        return self.dialect == "postgres" and "unique" in self._client.active_hints

    def newest(self, table: str, column: str) -> datetime | None:
        """Return the newest value of a date or time column.

        Args:
            table: the table.
            column: a DATE or TIMESTAMP column, or text with ISO dates.

        Returns:
            The value in UTC, midnight for a date; None if there is none, or if it is no time.
        """
        return parse_timestamp(
            self._value(f"SELECT max({self.escaped(column)}) FROM {self.qualified(table)}")
        )

    def size(self, table: str, columns: Sequence[str]) -> tuple[int, Mapping[str, datetime | None]]:
        """Count the rows of a table and find its newest times, in one query.

        PostgreSQL reads an index for each of them, where there is one, and else the whole table.

        Args:
            table: the table.
            columns: date or time columns, as for `newest`.

        Returns:
            The number of rows, and the newest value by column.
        """
        name = self.qualified(table)
        values = ["count(*)", *(f"max({self.escaped(column)})" for column in columns)]
        queries = ", ".join(f"(SELECT {value} FROM {name})" for value in values)
        [[rows, *newest]] = self.execute(f"SELECT {queries}")
        return int(rows), dict(zip(columns, map(parse_timestamp, newest), strict=True))

    def rows_by_minute(
        self, table: str, span: Span, loads: Sequence[str] = ()
    ) -> list[tuple[Any, int]]:
        """Count the rows of a span of time by the values of a date or time column.

        Args:
            table: the table.
            span: its column may be text, too.
            loads: dlt's ids of the loads whose rows are counted; empty for all rows.

        Returns:
            Each date, minute or text, and the number of its rows. Texts are those of all rows.
        """
        value, bounds = self.escaped(span.column), self._bounds(table, span)
        conditions = [f"{value} >= %s AND {value} < %s"] if bounds else []
        conditions += [f"{LOAD} IN ({placeholders(loads)})"] if loads else []
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        if bounds and isinstance(bounds[0], datetime):
            value = to_the_minute(self._client, value)
        counted = self._client.sql_client.execute_sql(
            f"SELECT {value}, count(*) FROM {self.qualified(table)} {where} GROUP BY 1",
            *(*bounds, *loads),
        )
        return [(value, int(count)) for value, count in counted or ()]

    def rejections(self, resource: ResourceConfig) -> Rejections:
        """Return the rejected rows of a resource."""
        return Rejections(self._client, self.columns, resource.api_name, resource.name)

    def load_health(self, api: str) -> LoadHealth:
        """Return the loads of an API."""
        return LoadHealth(self._client, self.columns, api)

    def loaded_partitions(self, resource: ResourceConfig) -> LoadedPartitions:
        """Return the loaded partitions of a resource."""
        return LoadedPartitions(self._client, self.columns, resource.api_name, resource.name)

    def rows_of_loads(self, table: str, loads: Sequence[str], span: Span | None = None) -> int:
        """Count the rows that these loads wrote last, all or those of a span."""
        return self._count_of_loads("IN", table, loads, span)

    def rows_of_other_loads(
        self, table: str, loads: Sequence[str], span: Span | None = None
    ) -> int:
        """Count the rows that other loads wrote last, all or those of a span."""
        return self._count_of_loads("NOT IN", table, loads, span)

    def delete_rows_of_other_loads(
        self, table: str, loads: Sequence[str], span: Span | None = None
    ) -> None:
        """Delete the rows that other loads wrote last, and their rows in child tables.

        Args:
            table: the table.
            loads: dlt's ids of the loads.
            span: the limit of the deletion; None for the whole table.

        Raises:
            SpanUnknownError: the column of the span is neither a date nor a time.
        """
        children = self.children(table)
        family = [table, *children]
        where, values = self._of_loads("NOT IN", table, loads, span)
        with self._client.sql_client.begin_transaction():
            delete_rows(self._client, table, where, *values)
            for child in children:
                # the name does not identify the parent: a list in an object is named after both
                without_parent = " AND ".join(
                    absent("_dlt_parent_id", self.qualified(parent), "_dlt_id")
                    for parent in family
                    if parent != child
                )
                delete_rows(self._client, child, without_parent)

    def _count_of_loads(
        self, operator: str, table: str, loads: Sequence[str], span: Span | None
    ) -> int:
        where, values = self._of_loads(operator, table, loads, span)
        return int(self.select("count(*)", table, f"WHERE {where}", *values)[0][0])

    def _of_loads(
        self, operator: str, table: str, loads: Sequence[str], span: Span | None
    ) -> tuple[str, Sequence[Any]]:
        """Return the condition for the rows of some loads or of others, and its values."""
        rows = f"{LOAD} {operator} ({placeholders(loads)})"
        if span is None:
            return rows, loads
        column, bounds = self.escaped(span.column), self._bounds(table, span)
        if not bounds:
            raise SpanUnknownError(
                f"The column `{span.column}` of `{table}` is neither a date nor a time, so "
                "the rows of a span of time cannot be selected."
            )
        return f"{rows} AND {column} >= %s AND {column} < %s", (*loads, *bounds)

    def _bounds(self, table: str, span: Span) -> tuple[date, ...]:
        """Return a span's start and end in its column's type, empty if that is no time."""
        column = self.columns(table)[self.column_name(span.column)]
        bounds = {
            "date": (span.start.date(), span.end.date()),
            "timestamp": (span.start, span.end),
        }
        return bounds.get(str(column.get("data_type")), ())

    def select(self, values: str, table: str, rest: str, *parameters: Any) -> list[Sequence[Any]]:
        """Return the rows of a query on one table.

        Args:
            values: the values to select, as SQL.
            table: the table.
            rest: the rest of the query behind the table's name, as SQL.
            *parameters: the values of its placeholders.
        """
        return list(
            self.execute(f"SELECT {values} FROM {self.qualified(table)} {rest}", *parameters)
        )

    def _value(self, query: str, *parameters: Any) -> Any:
        rows = self.execute(query, *parameters)
        return rows[0][0] if rows else None

    def qualified(self, table: str) -> str:
        """Return the name of a table as it stands in a query."""
        return self._client.sql_client.make_qualified_table_name(table)

    def escaped(self, name: str) -> str:
        """Return the column of a field as it stands in a query."""
        return self._client.sql_client.escape_column_name(self.column_name(name))
