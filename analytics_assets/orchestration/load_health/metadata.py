"""Metadata of `load_health`: numbers that the Dagster UI plots, and a chart by week."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import dagster as dg

from analytics_assets.orchestration.metadata import names
from analytics_assets.orchestration.metadata.charts import weeks
from analytics_assets.orchestration.metadata.sparkline import image
from analytics_assets.warehouse.queries.load_health import LOADED, Day
from analytics_assets.warehouse.queries.tables import Tables

WEEKS = 13  # a quarter
WEEK = timedelta(days=7)
HOUR, MINUTE = 3600, 60


def health_metadata(tables: Tables, api: str, now: datetime) -> dict[str, Any]:
    """Return the metadata of the table.

    Args:
        tables: the open warehouse.
        api: the API.
        now: the moment.
    """
    health, today = tables.load_health(api), now.date()
    days = health.days(_monday(today) - (WEEKS - 1) * WEEK)
    recent = [day for day in days if day.day > today - WEEK]
    metadata: dict[str, Any] = {
        "loads in 7 days": sum(day.loads for day in recent),
        "failed loads in 7 days": sum(day.loads for day in recent if day.outcome != LOADED),
        "rows loaded in 7 days": sum(day.rows for day in recent),
        "rows rejected in 7 days": sum(day.rejected for day in recent),
        "seconds of loads in 7 days": round(sum(day.seconds for day in recent), 1),
    }
    if days:
        metadata["by week"] = dg.MetadataValue.md(_by_week(days, today))
    return {**metadata, names.ROW_COUNT: health.count()}


def _by_week(days: Sequence[Day], today: date) -> str:
    """Return a picture of the weeks in Markdown, which the UI shows behind *Show Markdown*."""
    totals: dict[str, Counter[date]] = {name: Counter() for name in ("loads", "rows", "seconds")}
    failed = Counter[date]()
    for day in days:
        week = _monday(day.day)
        totals["loads"][week] += day.loads
        totals["rows"][week] += day.rows
        totals["seconds"][week] += day.seconds  # type: ignore[assignment]  # counts floats, too
        if day.outcome != LOADED:
            failed[week] += day.loads
    unit = _unit(max(totals["seconds"].values(), default=0))
    panels: Mapping[str, Mapping[date, float]] = {
        "Loads a week": _whole(totals["loads"], today),
        "Rows loaded": _whole(totals["rows"], today),
        f"{unit[0]} of loading": {
            week: round(seconds / unit[1], 2)
            for week, seconds in _whole(totals["seconds"], today).items()
        },
    }
    return image(weeks(panels, failed), "Loads, rows and duration by week")


def _whole(counts: Mapping[date, float], today: date) -> dict[date, float]:
    """Return the numbers of all weeks of the chart, those without a load included."""
    mondays = [_monday(today) - back * WEEK for back in range(WEEKS)]
    return {monday: counts.get(monday, 0) for monday in mondays}


def _unit(seconds: float) -> tuple[str, int]:
    if seconds >= 2 * HOUR:
        return "Hours", HOUR
    return ("Minutes", MINUTE) if seconds >= 2 * MINUTE else ("Seconds", 1)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
