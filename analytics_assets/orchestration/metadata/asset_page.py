"""Metadata that the page of an asset shows as pictures and rows: charts, and the newest rows."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import dropwhile
from typing import Any, TypeVar

import dagster as dg
from dlt.destinations.exceptions import DatabaseException

from analytics_assets.config.load import Partitioned
from analytics_assets.config.text.quantities import count
from analytics_assets.config.times.timestamps import parse_timestamp
from analytics_assets.contract.resource import Resource
from analytics_assets.orchestration.metadata.bar_chart import bar_chart
from analytics_assets.orchestration.metadata.names import (
    DURATION,
    LARGER,
    LAST_ROWS,
    LAST_SECONDS,
    NEWEST_DATA,
    PREVIEW,
    ROWS_A,
    ROWS_LOADED,
    ROWS_OF_LAST_LOADS,
    SECONDS_OF_LAST_LOADS,
)
from analytics_assets.orchestration.metadata.preview import preview
from analytics_assets.orchestration.metadata.sparkline import image, sparkline
from analytics_assets.warehouse.queries.newest_rows import rows_by_day
from analytics_assets.warehouse.queries.tables import Tables

PERIODS = 60  # days, weeks or months of a chart
LOADS = 30  # of a chart
FIRST_YEAR = 1900  # of data; an earlier one is no date of a row

T = TypeVar("T")


def page_metadata(
    tables: Tables,
    resource: Resource,
    load: Mapping[str, Any],
    before: Mapping[str, Any],
    *,
    embedded: bool,
    log: logging.Logger,
) -> dict[str, Any]:
    """Return the charts and the newest rows of a table; nothing where they have nothing to show.

    Args:
        tables: the open warehouse.
        resource: the resource.
        load: the metadata of the load so far.
        before: the metadata of the load before it.
        embedded: True for the embedded API.
        log: for a warning if the destination cannot answer a query: the load is whole.
    """

    def tried(query: Callable[[], T | None]) -> T | None:
        try:
            return query()
        except DatabaseException as error:
            log.warning(f"The page of `{resource.table}` has no chart or no preview: {error}")
            return None

    rows = [*_series(before.get(LAST_ROWS)), float(load[ROWS_LOADED])][-LOADS:]
    seconds = [*_series(before.get(LAST_SECONDS)), float(load[DURATION])][-LOADS:]
    small, large = tried(lambda: _rows_a_period(tables, resource, load)) or ({}, {})
    text = f"{_span(seconds)} seconds, {_loads(seconds)}"
    metadata: dict[str, Any] = {
        **(small or _rows_of_loads(rows)),
        SECONDS_OF_LAST_LOADS: dg.MetadataValue.md(sparkline(seconds, LOADS, text)),
        PREVIEW: tried(lambda: preview(tables, resource, embedded=embedded)),
        **large,
    }
    shown = {name: value for name, value in metadata.items() if value is not None}
    return {**shown, LAST_ROWS: _line(rows), LAST_SECONDS: _line(seconds)}


def _rows_a_period(
    tables: Tables, resource: Resource, load: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Return the small and the large chart of rows by day, or by the period of partitions.

    None without a date column, or without a row in the time of a chart.
    """
    reads, newest = resource.policy.load, parse_timestamp(load.get(NEWEST_DATA))
    if newest is None or newest.year < FIRST_YEAR:
        return None
    by = reads.by if isinstance(reads, Partitioned) else "day"
    starts = _periods(by, newest.date(), datetime.now(UTC).date())
    column = tables.column_name(str(resource.policy.date_column))
    end = starts[-1] + timedelta(days=0 if by == "day" else 30)
    counts = dict.fromkeys(starts, 0)
    for day, rows in rows_by_day(tables, resource.table, column, starts[0], end).items():
        if _start(by, day) in counts:
            counts[_start(by, day)] += rows
    values = list(counts.values())
    if not any(values):
        return None
    span = f"{starts[0]} to {starts[-1]}"
    empty = list(dropwhile(lambda value: not value, values)).count(0)
    without = f", none in {count(empty, by)}" if empty else ""
    text = f"{_rows([value for value in values if value])} a {by}{without}  \n{span}"
    labels = [str(start) for start in starts]
    large = bar_chart(f"Rows of {resource.full_name} a {by}", labels, values)
    return (
        {f"{ROWS_A} {by}": dg.MetadataValue.md(sparkline(values, PERIODS, text))},
        {f"{ROWS_A} {by}, {LARGER}": dg.MetadataValue.md(image(large))},
    )


def _series(text: object) -> list[float]:
    """Return the numbers of a text such as "1.5 3"; the page shows a list with a line for each."""
    return [float(number) for number in str(text or "").split()]


def _line(values: Sequence[float]) -> str:
    return " ".join(f"{value:.10g}" for value in values)


def _rows_of_loads(rows: Sequence[float]) -> dict[str, Any]:
    text = f"{_rows(rows)} a load, {_loads(rows)}"
    return {ROWS_OF_LAST_LOADS: dg.MetadataValue.md(sparkline(rows, LOADS, text))}


def _periods(by: str, newest: date, today: date) -> list[date]:
    """Return the starts of the last 60 periods, the oldest first.

    They end with the last one that is over, or with the newest row's if that is later, so that
    missing days show; with the newest row's also where none of the last 60 has rows.
    """
    over = _start(by, _start(by, today) - timedelta(days=1))
    ends = [over, max(over, _start(by, min(newest, today))), _start(by, newest)]
    starts = _before(by, ends[1])
    return starts if newest >= starts[0] else _before(by, ends[2])


def _before(by: str, last: date) -> list[date]:
    starts = [last]
    while len(starts) < PERIODS:
        starts.append(_start(by, starts[-1] - timedelta(days=1)))
    return starts[::-1]


def _start(by: str, day: date) -> date:
    """Return the first day of a day's period."""
    if by == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if by == "month" else day


def _rows(values: Sequence[float]) -> str:
    return f"{_span(values)} {'row' if max(values) == 1 else 'rows'}"


def _span(values: Sequence[float]) -> str:
    least, most = f"{min(values):,.10g}", f"{max(values):,.10g}"
    return least if least == most else f"{least} to {most}"


def _loads(values: Sequence[float]) -> str:
    return f"the last {len(values)} loads" if len(values) > 1 else "one load"
