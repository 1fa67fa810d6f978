"""The command `report`, on loads of the embedded API."""

from pathlib import Path

import pytest

from analytics_assets.defs.analytics.api import API
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.cli.commands.report.test_page import shown
from analytics_assets_tests.cli.conftest import Invoke
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.loading import change
from analytics_assets_tests.support.sandbox import Sandbox

PATH = "/v1/page_views"


def reported(invoke: Invoke, *arguments: str, file: str = "report.html") -> str:
    """Return the text of the page that the command writes."""
    done = invoke("report", *arguments)
    assert done.exit_code == 0, done.output
    return shown(Path(file).read_text("utf-8"))


def test_before_the_first_load_the_page_says_so(
    invoke: Invoke, duckdb_warehouse: Warehouse
) -> None:
    words = reported(invoke, "--output", "empty.html", file="empty.html")

    assert "Nothing was loaded yet." in words
    assert words.count("○ never loaded") == 1 + 2 * len(API.resources)


def test_a_load_and_a_later_one_that_failed_are_on_the_page(
    invoke: Invoke,
    connected: Sandbox,
    duckdb_warehouse: Warehouse,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ALERTS__BASE_URL", "https://dagster.example.com/")
    assert invoke("materialize", "page_views", "traffic_sources").exit_code == 0
    connected.faults.add(Fault(path=PATH, status=404, times=None))
    assert invoke("materialize", "page_views").exit_code == 1
    done = invoke("report", "analytics")

    assert "4 tables: 1 failed, 2 never loaded, 1 late" in " ".join(done.stdout.split())
    text = Path("report.html").read_text("utf-8")
    words = shown(text)
    assert f"{duckdb_warehouse.duckdb_file}, dataset analytics" in words
    assert "The last load failed" in words
    assert "the API answered 404" in words
    assert "rows loaded 270 of 270 received" in words
    assert "✕ failed newest_data" in words  # its data end on a day long past
    assert "partitions 2025-07-02 to 2025-07-31" in words
    assert "analytics_daily_2, 30 6 * * * (UTC) : off" in words
    assert 'href="https://dagster.example.com/assets/analytics/page_views"' in text


def test_loads_that_load_health_does_not_have_yet_are_on_the_page(
    invoke: Invoke, duckdb_warehouse: Warehouse
) -> None:
    assert invoke("materialize", "page_views").exit_code == 0
    change(duckdb_warehouse, "load_health", "DROP TABLE {table}")

    assert "rows loaded 270 of 270 received" in reported(invoke)
