"""Queries on the newest rows of a table: their number a day, and the rows themselves."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from analytics_assets.config.times.timestamps import as_date_or_time
from analytics_assets.contract.resource import Resource
from analytics_assets.warehouse.queries.derived_table import LOAD
from analytics_assets.warehouse.queries.tables import Tables

KINDS = ("date", "timestamp", "text")  # the types of a column whose days can be counted


def time_columns(tables: Tables, resource: Resource) -> tuple[str | None, str | None]:
    """Return the columns of a row's day and of its last change, None for those there are not.

    Args:
        tables: the open warehouse.
        resource: the resource, whose policy names both.
    """
    policy, columns = resource.policy, tables.columns(resource.table)
    day = tables.column_name(policy.date_column) if policy.date_column else None
    # dlt's column of a nested field, whose path has dots
    field = policy.newest["field"].replace(".", "__") if policy.newest else None
    changed = resource.contract.name_of(field) if field else None
    return day if day in columns else None, changed if changed in columns else None


def rows_by_day(
    tables: Tables, table: str, column: str, first: date, last: date
) -> dict[date, int]:
    """Count the rows of some days by a date or time column; times are those of UTC.

    Args:
        tables: the open warehouse.
        table: the table.
        column: a DATE or TIMESTAMP column, or text with ISO dates; other types have no days.
        first: the first day.
        last: the last day.

    Returns:
        The number of rows by day, without the days that have none.
    """
    kind, name = tables.columns(table)[column].get("data_type"), tables.escaped(column)
    if kind not in KINDS:
        return {}
    bounds: list[Any] = [first, last + timedelta(days=1)]
    day = f"CAST({name} AS DATE)"
    if kind == "timestamp":
        bounds = [datetime.fromisoformat(f"{bound}T00:00:00+00:00") for bound in bounds]
    elif kind == "text":
        bounds, day = [str(bound) for bound in bounds], f"substring({name}, 1, 10)"
    rest = f"WHERE {name} >= %s AND {name} < %s GROUP BY 1"
    counted = tables.select(f"{day}, count(*)", table, rest, *bounds)
    days = ((as_date_or_time(value), int(count)) for value, count in counted)
    return {day: count for day, count in days if day and first <= day <= last}


def newest_rows(
    tables: Tables, table: str, columns: Sequence[str], by: str | None, count: int
) -> list[dict[str, Any]]:
    """Return the rows with the greatest value of a column, the greatest first.

    Args:
        tables: the open warehouse.
        table: the table.
        columns: the columns of the rows.
        by: the column, without which a row is none of them; None for the rows of the last load.
        count: the number of rows, at most.
    """
    last = tables.escaped(by or LOAD)
    rest = f"WHERE {last} IS NOT NULL ORDER BY {last} DESC LIMIT {count:d}"
    names = ", ".join(map(tables.escaped, columns))
    return [dict(zip(columns, row, strict=True)) for row in tables.select(names, table, rest)]
