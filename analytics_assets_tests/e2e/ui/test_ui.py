"""The Dagster UI as a new user finds it.

UPDATE_SCREENSHOTS=1 takes the pictures of the README and of docs/ again.
"""

import json
import os
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from analytics_assets.config.load import Partitioned
from analytics_assets.defs.analytics.api import API
from analytics_assets.sandbox import sandbox_rows
from analytics_assets_tests.conftest import ROOT
from analytics_assets_tests.e2e.ui.conftest import PATIENCE

SCREENSHOTS = ROOT / "docs" / "images"
GROUPS = (f"web_api_{API.name}", API.name, "example_mart")
EXPANDED = quote(",".join(f"global@global:{group}" for group in GROUPS))
LOAD_HEALTH, MART = "load_health", "daily_traffic"
CHECKS = (
    "columns_unchanged",
    "complete_read",
    "contract_drift",
    "lost_partitions",
    "missing_partitions",
    "newest_data",
    "newest_partition",
    "no_rejected_rows",
    "partition_rows",
    "primary_key",
    "rows_in_window",
    "rows_present",
)
PARTITIONED = [
    name for name in API.resources if isinstance(API.resources[name].policy.load, Partitioned)
]


@pytest.fixture(scope="session")
def page(browser_page: Page, dagster_url: str) -> Page:
    """The UI after a new user has opened the lineage and clicked on Materialize all, and on All."""
    expect.set_options(timeout=PATIENCE * 1000)
    browser_page.goto(f"{dagster_url}/asset-groups?expanded={EXPANDED}")
    for resource in API.resources:
        titles = browser_page.get_by_text(resource, exact=True).filter(visible=True)
        expect(titles).to_have_count(2)  # the endpoint and the table
    assert browser_page.get_by_text("Materialized", exact=True).count() == 0
    for asset in (LOAD_HEALTH, MART):
        expect(browser_page.get_by_text(asset, exact=True).filter(visible=True)).to_have_count(1)
    everything = f"Materialize all ({len(API.resources) + 2})…"
    browser_page.get_by_role("button", name=everything).click()
    browser_page.get_by_role("dialog").get_by_text("All", exact=True).click()
    launch_backfill(browser_page)
    return browser_page


def launch_backfill(page: Page) -> None:
    """Click until the UI requests the backfill: it may redraw the button under the mouse."""
    button = page.get_by_role("button", name="Launch backfill")
    for _ in range(4):
        try:
            with page.expect_request(
                re.compile("op=LaunchPartitionBackfill"), timeout=30_000
            ) as sent:
                button.click()
        except PlaywrightTimeoutError:
            continue
        assert sent.value.response(), "to leave the page before the answer would cancel it"
        return
    raise AssertionError(f"No backfill was requested: {page.get_by_role('dialog').inner_text()}")


def wait_for_freshness(page: Page) -> None:
    """Reload the page until Dagster's daemon, which evaluates it at intervals, reports it."""
    passing = page.get_by_text("Passing", exact=True)
    for _ in range(60):
        try:
            passing.first.wait_for(timeout=10_000)
        except PlaywrightTimeoutError:
            page.reload()
        else:
            return
    raise AssertionError("Dagster never reported the asset as fresh")


def picture(page: Page, name: str, height: int = 900) -> None:
    """Take a picture of the upper part of a page for docs/ if UPDATE_SCREENSHOTS is set."""
    if os.environ.get("UPDATE_SCREENSHOTS"):
        page.wait_for_timeout(2000)
        clip = {"x": 0, "y": 0, "width": 1440, "height": height}
        page.screenshot(path=SCREENSHOTS / f"{name}.png", clip=clip)  # type: ignore[arg-type]


def count_of(page: Page, state: str) -> int:
    """Return the number of partitions in a state on the page of an asset."""
    counted = page.get_by_text(re.compile(rf"^{state} \(\d+\)$"))
    return int(re.sub(r"\D", "", counted.first.inner_text()))


def test_a_backfill_shows_its_finished_days_while_others_are_in_progress(
    page: Page, dagster_url: str
) -> None:
    page.goto(f"{dagster_url}/assets/analytics/traffic_sources?view=partitions")
    for _ in range(300):
        page.get_by_text(re.compile(r"^Materialized \(\d+\)$")).wait_for()
        page.wait_for_timeout(1000)  # the counts begin with 0
        [days] = re.findall(r"(\d+) Partitions Selected", page.locator("body").inner_text())
        done, in_progress = (count_of(page, state) for state in ("Materialized", "Materializing"))
        if done and in_progress:
            break
        assert done < int(days), "the backfill has ended, and its progress was never shown"
        page.reload()
    picture(page, "backfill")
    expect(page.get_by_text(f"Materialized ({days})")).to_be_visible()


def test_materialize_all_turns_every_table_and_every_check_green(
    page: Page, dagster_url: str
) -> None:
    page.goto(f"{dagster_url}/asset-groups?expanded={EXPANDED}")
    for text, tables in (
        ("100% filled", len(PARTITIONED)),
        ("Materialized", len(API.resources) - len(PARTITIONED) + 2),
        ("Observed", len(API.resources)),
    ):
        expect(page.get_by_text(text, exact=True).filter(visible=True)).to_have_count(tables)
    checks = page.get_by_text(re.compile(r"^(\d+) / \1 Passed$"))
    # those of tables and endpoints, and of the mart
    expect(checks.filter(visible=True)).to_have_count(2 * len(API.resources) + 1)
    picture(page, "lineage")


def test_the_first_page_shows_the_runs_of_the_first_load(page: Page, dagster_url: str) -> None:
    page.goto(f"{dagster_url}/overview/activity/timeline?groupBy=automation")
    expect(page.get_by_text("No runs or scheduled ticks")).to_have_count(0)
    picture(page, "home", height=320)


def test_the_asset_page_shows_description_columns_owner_freshness_and_source(
    page: Page, dagster_url: str
) -> None:
    page.goto(f"{dagster_url}/assets/analytics/page_views")
    expect(page.get_by_text("Views per page and day.")).to_be_visible()
    for text in ("analytics_id", "access", "agent", "updated_at", "non-nullable"):
        expect(page.get_by_text(text, exact=True).first).to_be_visible()
    expect(page.get_by_text("analytics.page_views", exact=True).first).to_be_visible()
    expect(page.get_by_text("At 06:30 AM UTC").first).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("in editor"))).to_be_visible()
    wait_for_freshness(page)
    picture(page, "asset")


def test_the_events_of_an_asset_show_the_metadata_of_the_load(page: Page, dagster_url: str) -> None:
    page.goto(f"{dagster_url}/assets/analytics/traffic_sources?view=events")
    for name in ("rows loaded", "newest data", "duration (seconds)", "completeness", "details"):
        expect(page.get_by_text(name, exact=True).first).to_be_visible()
    for name in ("rows received", "requests", "retries", "load id"):
        expect(page.get_by_text(re.compile(f'"{name}": ')).first).to_be_visible()


def test_charts_and_the_newest_rows_stand_in_place_and_a_larger_chart_behind_a_link(
    page: Page, dagster_url: str
) -> None:
    page.goto(f"{dagster_url}/assets/analytics/page_views?view=events")
    for name in ("rows a day", "seconds of the last loads", "newest rows"):
        expect(page.get_by_text(name, exact=True).first).to_be_visible()
    charts = page.locator("img[src^='data:image/svg+xml']")
    expect(charts).to_have_count(2)
    assert all(chart.evaluate("image => image.naturalWidth") for chart in charts.all())
    expect(page.get_by_role("columnheader", name="project", exact=True)).to_be_visible()
    picture(page, "load")
    page.get_by_text("[Show Markdown]").first.click()
    large = page.get_by_role("dialog").locator("img")
    expect(large).to_be_visible()
    assert large.evaluate("image => image.naturalWidth") > 600


def test_a_partition_has_its_own_rows_and_not_those_of_its_window(
    page: Page, dagster_url: str
) -> None:
    page.goto(f"{dagster_url}/assets/analytics/traffic_sources?view=partitions")
    days = page.get_by_text(re.compile(r"^\d{4}-\d\d-\d\d$")).filter(visible=True)
    days.nth(4).click()  # behind the first and the last one of the bar above the list
    rows = page.get_by_role("row")
    own = rows.filter(has_text="dagster/partition_row_count").first
    expect(own).to_contain_text("15")
    picture(page, "partitions")
    expect(rows.filter(has_text="rows loaded").first).to_contain_text("15")
    expect(page.get_by_text("dagster/row_count", exact=True)).to_have_count(0)


def test_the_checks_of_an_asset_show_their_results(page: Page, dagster_url: str) -> None:
    page.goto(f"{dagster_url}/assets/analytics/traffic_sources?view=checks")
    for name in CHECKS:
        expect(page.get_by_text(name, exact=True).first).to_be_visible()
    page.get_by_text("primary_key", exact=True).first.click()
    expect(page.get_by_text("0 rows without a key, 0 keys more than once.")).to_be_visible()


def test_the_launchpad_sets_a_start_for_one_run(page: Page, dagster_url: str) -> None:
    resource, start = "daily_active_users", datetime.now(UTC).date() - timedelta(days=10)
    changed = [
        row
        for row in sandbox_rows(resource, datetime.now(UTC).date())
        if row["updated_at"] >= start.isoformat()
    ]
    page.goto(f"{dagster_url}/assets/analytics/{resource}")
    materialize = page.get_by_role("button", name="Materialize").first
    materialize.locator("xpath=following::button[1]").click()
    page.get_by_text("Open launchpad").click()
    editor, dialog = page.locator(".CodeMirror").first, page.get_by_role("dialog")
    expect(editor).to_contain_text("full_refresh: false")
    config = {"ops": {f"analytics__{resource}": {"config": {"start": start.isoformat()}}}}
    editor.evaluate("(element, text) => element.CodeMirror.setValue(text)", json.dumps(config))
    expect(dialog.get_by_text("No errors")).to_be_visible()
    with page.context.expect_event(  # the run may be launched in a tab of its own
        "response", lambda answer: "op=LaunchPipelineExecution" in answer.url
    ) as answers:
        dialog.get_by_role("button", name="Materialize").click()
    run = answers.value.json()["data"]["launchPipelineExecution"]["run"]["id"]
    page.goto(f"{dagster_url}/runs/{run}")
    expect(page.get_by_text("Success", exact=True).first).to_be_visible()
    page.goto(f"{dagster_url}/assets/analytics/{resource}?view=events")
    loaded = page.get_by_role("row").filter(has_text="rows loaded").first
    expect(loaded).to_contain_text(str(len(changed)))


def test_schedules_and_sensors_are_listed(page: Page, dagster_url: str) -> None:
    page.goto(f"{dagster_url}/automation")
    for name in (
        "analytics_daily",
        "analytics_daily_2",
        "analytics_new_data",
        "housekeeping",
    ):
        expect(page.get_by_text(name, exact=True).first).to_be_visible()
