"""States of tables, as values."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from analytics_assets.cli.commands.report.page import parts_of
from analytics_assets.cli.commands.report.table_report import CheckReport, Report, TableReport
from analytics_assets.warehouse.queries.load_health import Day

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
TODAY = date(2026, 1, 31)


def load(outcome: str = "loaded", **values: Any) -> dict[str, Any]:
    """A row of `load_health`, three hours old."""
    row = {
        "outcome": outcome,
        "started_at": NOW - timedelta(hours=3),
        "seconds": 3.5,
        "seconds_waiting": 1.25,
        "rows_loaded": 1200,
        "rows_received": 1203,
        "rows_in_table": 48_000,
        "newest_data": "2026-01-30",
        "first_partition": None,
        "last_partition": None,
        "complete": True,
        "requests": 12,
        "retries": 0,
        "bytes_received": 123_456,
        "unknown_fields": None,
        "absent_fields": None,
        "error": None,
    }
    return {**row, **values}


def table(name: str = "shop/orders", **values: Any) -> TableReport:
    """A table that was loaded, with one check that passed."""
    last = values.pop("last", load())
    return TableReport(
        **{
            "name": name,
            "table": name.replace("/", "."),
            "last": last,
            "last_loaded": last if last and last["outcome"] == "loaded" else None,
            "days": [Day(TODAY, "loaded", 1, 1200, 0, 3.5)],
            "checks": [check("rows_present", passed=True)],
            **values,
        }
    )


def check(name: str, passed: bool = False, severity: str = "ERROR", text: str = "") -> CheckReport:
    """A result of a check."""
    return CheckReport(name, passed, severity, text, NOW - timedelta(hours=2))


def page(*tables: TableReport, **values: Any) -> str:
    """The page of some tables."""
    return "".join(parts_of(Report(NOW, "warehouse.duckdb: shop", tables, **values)))
