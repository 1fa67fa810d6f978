"""The report in a browser, on a screen, on a phone and on paper."""

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from analytics_assets.cli.commands.report.page import write_page
from analytics_assets.cli.commands.report.table_report import (
    CheckReport,
    RejectedReport,
    Report,
    ScheduleReport,
    TableReport,
)
from analytics_assets.warehouse.queries.load_health import Day
from analytics_assets_tests.e2e.ui.test_ui import SCREENSHOTS

NOW = datetime(2026, 6, 30, 7, 30, tzinfo=UTC)
TODAY = NOW.date()
SCREEN, PHONE = {"width": 1200, "height": 1100}, {"width": 390, "height": 800}
DAILY = [ScheduleReport("analytics_daily", "0 6 * * * (UTC)", True)]
FORBIDDEN = "traffic_sources was not loaded. The API answered 403: set `scope` to `analytics.read`."


def rows_of(day: date, usual: int) -> int:
    """A week's rhythm, and slow growth."""
    weekday = (0, 30, 45, 40, 20, -150, -190)[day.weekday()]
    return usual + usual * weekday // 400 + usual * (day - TODAY).days // 300


def made_up(name: str, usual: int, failed: int = 0, **values: Any) -> TableReport:
    """A table with sixty days of rows and loads, and failed loads at the end."""
    days = [TODAY - timedelta(days=back) for back in range(60)]
    rows = {day: rows_of(day, usual) for day in days[1 + failed :]}
    loads = [
        Day(day, "failed" if back < failed else "loaded", 1, usual, 0, rows_of(day, usual) / 4000)
        for back, day in enumerate(days)
    ]
    loaded = {
        "outcome": "loaded",
        "started_at": NOW - timedelta(days=failed, minutes=88),
        "seconds": usual / 4000,
        "seconds_waiting": usual / 9000,
        "rows_in_table": usual * 340,
        "rows_loaded": usual,
        "rows_received": usual,
        "newest_data": str(days[1 + failed]),
        "complete": True,
        "requests": usual // 100,
        "retries": 0,
        "bytes_received": usual * 141,
    }
    error = {"outcome": "failed", "started_at": NOW - timedelta(minutes=88), "error": FORBIDDEN}
    names = ("complete_read", "contract_drift", "rows_present", "primary_key", "columns_unchanged")
    checks = [CheckReport(check, True, "ERROR", "", NOW) for check in names]
    return TableReport(
        name=f"analytics/{name}",
        table=f"analytics.{name}",
        endpoint=f"/v1/{name}",
        url=f"https://dagster.example.com/assets/analytics/{name}",
        last=error if failed else loaded,
        last_loaded=loaded,
        days=loads,
        rows=rows,
        day_column="date",
        checks=[*values.pop("checks", ()), *checks],
        schedules=DAILY,
        **values,
    )


def example() -> Report:
    """A report of four tables, each in another state."""
    warning = CheckReport(
        *("no_rejected_rows", False, "WARN"),
        "12 rows are in `rejected_rows` and not in the table: `views` is a text (12 times).",
        NOW - timedelta(minutes=85),
    )
    late = CheckReport(
        *("newest_data", False, "ERROR", "The newest day is 2026-06-26, older than 36 hours."),
        NOW - timedelta(minutes=85),
    )
    row = '{"id": "pv-193", "page": "/pricing", "views": "n/a", "date": "2026-06-29"}'
    rejected = [RejectedReport("`views` is a text, not an integer", 12, NOW, row)]
    tables = [
        made_up("website_overview", 31_000, description="Sessions and visitors per day."),
        made_up("daily_active_users", 9_400, checks=[late]),
        made_up("traffic_sources", 62_000, failed=2, description="Sessions per source and day."),
        made_up("page_views", 124_000, checks=[warning], rejected=rejected),
    ]
    return Report(NOW, "postgres: analytics", tables, "https://dagster.example.com")


@pytest.fixture
def report(browser_page: Page, tmp_path: Path) -> Iterator[Page]:
    """The report in the browser, which has asked for no other file."""
    file, asked = tmp_path / "report.html", list[str]()
    write_page(example(), file)
    before = browser_page.viewport_size
    browser_page.set_viewport_size(SCREEN)  # type: ignore[arg-type]
    browser_page.on("request", lambda request: asked.append(request.url))
    browser_page.goto(file.as_uri())
    yield browser_page
    assert [url for url in asked if url.partition("#")[0] != file.as_uri()] == []
    if before:
        browser_page.set_viewport_size(before)


@pytest.mark.parametrize("size", [SCREEN, PHONE])
def test_nothing_is_wider_than_the_screen_and_charts_are_drawn(report: Page, size: Any) -> None:
    report.set_viewport_size(size)

    wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert report.evaluate(wider) == 0
    charts = report.locator("svg")
    assert charts.count() == 8
    box = charts.first.bounding_box()
    assert box
    assert box["width"] > 250
    if size == SCREEN and os.environ.get("UPDATE_SCREENSHOTS"):
        report.screenshot(path=SCREENSHOTS / "report.png")


def test_a_name_in_the_summary_leads_to_its_table(report: Page) -> None:
    report.get_by_role("link", name="analytics/page_views").click()

    assert report.url.endswith("#analytics-page_views")
    expect(report.get_by_role("heading", name="analytics/page_views")).to_be_in_viewport()


def test_it_prints_on_pages_that_cut_no_table(report: Page) -> None:
    report.emulate_media(media="print")
    try:
        assert report.locator("section").first.evaluate("e => getComputedStyle(e).breakInside") == (
            "avoid"
        )
        assert report.get_by_text("open in Dagster").first.is_hidden()
        assert report.pdf(prefer_css_page_size=True, print_background=True).startswith(b"%PDF")
    finally:
        report.emulate_media(media="screen")
