"""A code location that does not load: the UI's dialog begins with file, line and cause."""

from pathlib import Path

from playwright.sync_api import Page, expect

from analytics_assets_tests.e2e.ui.conftest import PATIENCE, served
from analytics_assets_tests.support.project import copy_project

RIGHT, WRONG = '"schedule": "30 6 * * *"', '"schedule": "30 6 * *"'


def test_the_dialog_of_a_code_location_shows_the_cause_without_scrolling(
    browser_page: Page, tmp_path: Path
) -> None:
    api = copy_project(tmp_path / "project") / "api.py"
    text = api.read_text().replace(RIGHT, WRONG)
    api.write_text(text)
    line = text[: text.index(WRONG)].count("\n") + 1
    expect.set_options(timeout=PATIENCE * 1000)

    home = tmp_path / "home"
    home.mkdir()
    with served(tmp_path / "project", home) as url:
        browser_page.goto(f"{url}/deployment/locations")
        browser_page.get_by_text("View error").first.click()
        dialog = browser_page.get_by_role("dialog")

        cause = dialog.get_by_text(f"analytics/api.py, line {line}: policy of `page_views`: `sched")
        expect(cause).to_be_visible()
        expect(cause).to_be_in_viewport()
        assert "caused by" not in dialog.inner_text()
