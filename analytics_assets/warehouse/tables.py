"""The tables of a warehouse, looked at and cleared of rows that are gone."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from dlt.common.schema.typing import TTableSchemaColumns
from dlt.destinations.job_client_impl import SqlJobClientBase

from analytics_assets.config.errors import AnalyticsAssetsError
from analytics_assets.config.timestamps import parse_timestamp

LOAD = "_dlt_load_id"  # dlt's column that says which load brought a row last


class SpanUnknownError(AnalyticsAssetsError):
    """A column does not tell which rows lie in a span of time."""


class Span(NamedTuple):
    """The rows of a span of time.

    Args:
        column: the DATE or TIMESTAMP column that says when a row happened.
        start: the first moment of the span; midnight where days begin.
        end: the first moment behind it, likewise.
    """

    column: str
    start: datetime
    end: datetime


class Tables:
    """The tables of an open warehouse.

    Args:
        client: dlt's client of the destination.
    """

    def __init__(self, client: SqlJobClientBase) -> None:
        self._client = client

    def columns(self, table: str) -> TTableSchemaColumns:
        """Return the columns that a table really has, empty if there is no such table."""
        exists, columns = self._client.get_storage_table(table)
        return columns if exists else {}

    def column_name(self, field: str) -> str:
        """Return the column that dlt makes of a field: `changed_at` of `changedAt`.

        That of a field in an object has two underscores between their names: `period__day`.
        """
        return self._client.schema.naming.normalize_path(field)

    def row_count(self, table: str) -> int:
        """Count the rows of a table."""
        return int(self._value(f"SELECT count(*) FROM {self._qualified(table)}"))

    def newest(self, table: str, column: str) -> datetime | None:
        """Return the newest value of a date or time column.

        Args:
            table: the table.
            column: a DATE or TIMESTAMP column, or text with ISO dates.

        Returns:
            The value in UTC, midnight for a date; None if there is none, or if it is no time.
        """
        return parse_timestamp(
            self._value(f"SELECT max({self._column(column)}) FROM {self._qualified(table)}")
        )

    def rows_by_minute(
        self, table: str, column: str, start: datetime, end: datetime
    ) -> list[tuple[Any, int]]:
        """Count the rows of a span of time by what a date or time column says.

        Args:
            table: the table.
            column: a DATE or TIMESTAMP column, or text.
            start: the first moment of the span; midnight where days begin.
            end: the first moment behind it, likewise.

        Returns:
            Each date, minute or text, and how many rows have it. Texts are those of all rows.
        """
        moment, bounds = self._column(column), self._bounds(table, Span(column, start, end))
        where = f"WHERE {moment} >= %s AND {moment} < %s" if bounds else ""
        if bounds and isinstance(bounds[0], datetime):
            # not by the day: days of which time zone, the session decides
            moment = f"date_trunc('minute', {moment})"
        counted = self._client.sql_client.execute_sql(
            f"SELECT {moment}, count(*) FROM {self._qualified(table)} {where} GROUP BY 1",
            *bounds,
        )
        return [(value, int(count)) for value, count in counted or ()]

    def duplicated_keys(self, table: str, key: Sequence[str]) -> int:
        """Count the key values that more than one row has."""
        columns = ", ".join(self._column(column) for column in key)
        return int(
            self._value(
                f"SELECT count(*) FROM (SELECT {columns} FROM {self._qualified(table)} "
                f"GROUP BY {columns} HAVING count(*) > 1) AS duplicated"
            )
        )

    def rows_without_key(self, table: str, key: Sequence[str]) -> int:
        """Count the rows in which a part of the key is null."""
        nulls = " OR ".join(f"{self._column(column)} IS NULL" for column in key)
        return int(self._value(f"SELECT count(*) FROM {self._qualified(table)} WHERE {nulls}"))

    def rejections(self, table: str, resource: str, loads: Sequence[str]) -> dict[str, int]:
        """Count the rows of a resource that some loads rejected, by reason, the commonest first."""
        rows = self._client.sql_client.execute_sql(
            f"SELECT reason, count(*) AS times FROM {self._qualified(table)} "
            f"WHERE resource = %s AND {LOAD} IN ({_places(loads)}) GROUP BY reason "
            "ORDER BY times DESC, reason",
            resource,
            *loads,
        )
        return {str(reason): int(times) for reason, times in rows or ()}

    def rows_of_loads(self, table: str, loads: Sequence[str], span: Span | None = None) -> int:
        """Count the rows that these loads have brought or brought again, or those of a span."""
        rows, values = self._of_loads("IN", table, loads, span)
        return int(self._value(f"SELECT count(*) {rows}", *values))

    def rows_of_other_loads(
        self, table: str, loads: Sequence[str], span: Span | None = None
    ) -> int:
        """Count the rows that none of these loads has brought or brought again."""
        rows, values = self._of_loads("NOT IN", table, loads, span)
        return int(self._value(f"SELECT count(*) {rows}", *values))

    def delete_rows_of_other_loads(
        self, table: str, loads: Sequence[str], span: Span | None = None
    ) -> None:
        """Delete the rows that none of these loads has brought or brought again.

        The rows of child tables that belonged to them go along.

        Args:
            table: the table.
            loads: dlt's ids of the loads.
            span: to which the deletion is limited.

        Raises:
            SpanUnknownError: the column of the span is neither a date nor a time.
        """
        client, children = self._client.sql_client, self._children(table)
        family = [table, *children]
        rows, values = self._of_loads("NOT IN", table, loads, span)
        with client.begin_transaction():
            client.execute_sql(f"DELETE {rows}", *values)
            for child in children:
                # names do not say which is the parent: a list in an object is named after both
                without_parent = " AND ".join(
                    f"_dlt_parent_id NOT IN (SELECT _dlt_id FROM {self._qualified(parent)})"
                    for parent in family
                    if parent != child
                )
                client.execute_sql(f"DELETE FROM {self._qualified(child)} WHERE {without_parent}")

    def _children(self, table: str) -> list[str]:
        """Find the tables that dlt made of lists in the table's rows, parents before children."""
        found = self._client.sql_client.execute_sql(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = %s",
            self._client.sql_client.dataset_name,
        )
        names = [str(name) for (name,) in found or () if str(name).startswith(f"{table}__")]
        return sorted(names, key=lambda name: name.count("__"))

    def _of_loads(
        self, operator: str, table: str, loads: Sequence[str], span: Span | None
    ) -> tuple[str, Sequence[Any]]:
        """Return the end of a query for rows of some loads or of others, and its values."""
        rows = f"FROM {self._qualified(table)} WHERE {LOAD} {operator} ({_places(loads)})"
        if span is None:
            return rows, loads
        moment, bounds = self._column(span.column), self._bounds(table, span)
        if not bounds:
            raise SpanUnknownError(
                f"The column `{span.column}` of `{table}` is neither a date nor a time, so that "
                "its rows of a span of time are not known."
            )
        return f"{rows} AND {moment} >= %s AND {moment} < %s", (*loads, *bounds)

    def _bounds(self, table: str, span: Span) -> tuple[date, ...]:
        """Return a span's start and end as its column has them, empty if it holds no time."""
        column = self.columns(table)[self.column_name(span.column)]
        bounds = {
            "date": (span.start.date(), span.end.date()),
            "timestamp": (span.start, span.end),
        }
        return bounds.get(str(column.get("data_type")), ())

    def _value(self, query: str, *parameters: Any) -> Any:
        rows = self._client.sql_client.execute_sql(query, *parameters)
        return rows[0][0] if rows else None

    def _qualified(self, table: str) -> str:
        return self._client.sql_client.make_qualified_table_name(table)

    def _column(self, name: str) -> str:
        return self._client.sql_client.escape_column_name(self.column_name(name))


def _places(values: Sequence[str]) -> str:
    return ", ".join("%s" for _ in values)
