"""An alert as a mail, in a browser."""

import os

import dagster as dg
import pytest
from playwright.sync_api import Page, expect

from analytics_assets.config.api import Api
from analytics_assets_tests.e2e.ui.test_ui import SCREENSHOTS
from analytics_assets_tests.orchestration.automation.alerts.receivers import MailServer
from analytics_assets_tests.orchestration.automation.alerts.shop import Shop, shop_api

QUOTA = (
    "traffic_sources was not loaded. GET https://api.example.com/v1/traffic_sources: the API "
    "answered 403: the token has not the scope `analytics.read`. Set `scope` to it."
)
REJECTED = (
    "412 of 20,000 rows (2.1%) break the contract, more than `max_rejected_share` allows (1.0%): "
    "`views` is a text, not an integer (412 times).\n"
    "`analytics-assets rejected analytics/page_views` lists them."
)
WIDTH = 720  # pixels


@pytest.fixture
def api() -> Api:
    """An API with three tables."""
    return shop_api("traffic_sources", "page_views", "daily_active_users", name="analytics")


def test_a_mail_shows_each_problem_of_a_run_with_its_cause_and_remedy(
    browser_page: Page, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    with MailServer() as server, dg.instance_for_test() as instance:
        monkeypatch.setenv("ALERTS__URLS", server.receiver)
        monkeypatch.setenv("ALERTS__BASE_URL", "https://dagster.example.com")
        shop = Shop(instance, api)
        shop.send()
        shop.failures["analytics/traffic_sources"] = dg.Failure(QUOTA)
        shop.findings["analytics/page_views"] = dg.AssetCheckSeverity.ERROR, REJECTED
        shop.load()
        shop.send()
        assert len(server.mails) == 1
        html = server.part("html")
    before = browser_page.viewport_size
    browser_page.set_viewport_size({"width": WIDTH, "height": 100})
    try:
        browser_page.set_content(html)
        for text in ("analytics/traffic_sources", "analytics/page_views"):
            expect(browser_page.get_by_text(text).first).to_be_visible()
        expect(browser_page.get_by_text("has not the scope").first).to_be_visible()
        expect(browser_page.get_by_role("link").first).to_be_visible()
        assert browser_page.evaluate("document.documentElement.scrollWidth") <= WIDTH
        if os.environ.get("UPDATE_SCREENSHOTS"):
            browser_page.screenshot(path=SCREENSHOTS / "mail.png", full_page=True)
    finally:
        if before:
            browser_page.set_viewport_size(before)
