"""The report as one HTML page, without a network and without a script."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, Undefined

from analytics_assets.cli.commands.report.table_report import Report, TableReport
from analytics_assets.config.text.quantities import count, duration, number
from analytics_assets.config.times.timestamps import parse_timestamp
from analytics_assets.orchestration.metadata.charts import rows_by_day, seconds_by_day
from analytics_assets.warehouse.queries.load_health import LOADED, Day

DAYS = 60  # of the charts
WEEK = timedelta(days=7)
KILOBYTE = 1000


def write_page(report: Report, file: Path) -> None:
    """Write the page; its size grows by some 15 kB with each table.

    Args:
        report: the state of all tables.
        file: the file.
    """
    with file.open("w", encoding="utf-8") as page:
        page.writelines(parts_of(report))


def parts_of(report: Report) -> Iterator[str]:
    """Yield the page in parts, so that it is never in memory as a whole.

    Args:
        report: the state of all tables.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        ago=partial(_ago, report.made),
        bytes=_if_known(_bytes),
        count=count,
        duration=_if_known(duration),
        moment=_if_known(_moment),
        number=_if_known(number),
    )
    charts = partial(_charts, today=report.made.date())
    week = _totals(
        day for table in report.tables for day in table.days if day.day > report.made.date() - WEEK
    )
    template = environment.get_template("page.html")
    style = environment.get_template("page.css").render()
    yield from template.generate(report=report, week=week, style=style, charts=charts)


def _charts(table: TableReport, today: date) -> Sequence[str]:
    """Return the charts of a table: its rows by day, and its load times."""
    first = today - timedelta(days=DAYS - 1)
    rows: Mapping[date, float]
    if table.rows:
        rows, title = table.rows, f"Rows of each day, by {table.day_column}"
    else:
        rows, title = _sums(table.days, "rows"), "Rows loaded on each day"
    failed = Counter[date]()
    for day in table.days:
        if day.outcome != LOADED:
            failed[day.day] += day.loads
    loads = [day for day in table.days if day.outcome == LOADED]
    number, total = _sums(loads, "loads"), _sums(loads, "seconds")
    seconds = {day: round(total[day] / number[day], 2) for day in number}
    crosses = " (✕: one failed)" if failed else ""
    drawn = [
        rows_by_day(rows, title, first, today) if any(rows.values()) else "",
        seconds_by_day(seconds, failed, f"Seconds of a load{crosses}", first, today)
        if table.days
        else "",
    ]
    return [svg for svg in drawn if svg]


def _sums(days: Sequence[Day], name: str) -> Mapping[date, float]:
    sums: dict[date, float] = {}
    for day in days:
        sums[day.day] = sums.get(day.day, 0) + getattr(day, name)
    return sums


def _totals(days: Iterator[Day]) -> Mapping[str, int]:
    totals = Counter[str]()
    for day in days:
        totals["loads"] += day.loads
        totals["failed"] += day.loads if day.outcome != LOADED else 0
        totals["rows"] += day.rows
    return totals


def _ago(now: datetime, moment: Any) -> str:
    """Return the age of a moment, or of a day in an ISO text."""
    parsed = parse_timestamp(moment)
    if parsed is None:
        return ""
    if isinstance(moment, str) and len(moment) == len("2026-01-31"):
        days = (now.date() - parsed.date()).days
        names = {0: "today", 1: "yesterday", -1: "tomorrow"}
        return names.get(days) or (f"{days} days ago" if days > 0 else f"in {-days} days")
    return f"{duration(now - parsed)} ago"


def _if_known(shown: Callable[[Any], str]) -> Callable[[Any], str]:
    """Return a filter that shows a value, and a dash where there is none."""
    return lambda value: "-" if value is None or isinstance(value, Undefined) else shown(value)


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _bytes(size: int) -> str:
    """Return a number of bytes in its largest unit."""
    value, units = float(size), ["bytes", "kB", "MB", "GB", "TB"]
    while value >= KILOBYTE and len(units) > 1:
        value /= KILOBYTE
        units.pop(0)
    return f"{value:.0f} {units[0]}" if units[0] == "bytes" else f"{value:.1f} {units[0]}"
