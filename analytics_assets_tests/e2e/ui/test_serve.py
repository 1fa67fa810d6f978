"""`make serve` in a browser: ticks, a backfill, a killed run, and the end."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from analytics_assets_tests.conftest import ROOT, SETTINGS
from analytics_assets_tests.e2e.ui.conftest import DAYS, PATIENCE, copy_few_days
from analytics_assets_tests.e2e.ui.test_ui import launch_backfill
from analytics_assets_tests.support.deployment import free_port, wait_until
from analytics_assets_tests.support.postgres import let_others_in, programs
from deploy.serve.deployment import RUN

EVERY_MINUTE = "analytics_every_few_minutes"


class Serving:
    """`make serve` in a copy of the project, with a schedule that ticks each minute.

    Args:
        folder: an empty folder that other users may enter, as PostgreSQL refuses to run as root.
    """

    def __init__(self, folder: Path) -> None:
        self._log = folder / "log"
        each_minute = '"daily_active_users": {"schedule": "* * * * *",\n'
        copy_few_days(folder, ('"daily_active_users": {\n', each_minute))
        ports = [str(free_port()) for _ in range(2)]
        self.url = f"http://127.0.0.1:{ports[0]}"
        environment = {name: value for name, value in os.environ.items() if name not in SETTINGS}
        environment |= {
            "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}",
            "DESTINATION_TYPE": "postgres",
            "SANDBOX__ENABLED": "true",
        }
        with self._log.open("w") as log:
            self.process = psutil.Popen(
                [sys.executable, "-m", "deploy.serve", "--port", ports[0], "--code-port", ports[1]],
                cwd=folder,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_until(lambda: self.said("up: ") or not self._is_alive(), "make serve", PATIENCE)
        assert self._is_alive(), self._log.read_text()

    def said(self, text: str) -> list[str]:
        """Return the lines of its own that have a text."""
        lines = self._log.read_text().splitlines()
        return [line for line in lines if line.startswith("serve ") and text in line]

    def _is_alive(self) -> bool:
        return self.process.poll() is None

    def runs(self) -> list[psutil.Process]:
        """Return the processes of runs."""
        found = []
        for process in self.process.children(recursive=True):
            try:
                if RUN in process.cmdline():
                    found.append(process)
            except psutil.NoSuchProcess:
                continue
        return found

    def end(self) -> int:
        """Send SIGTERM, and return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return int(self.process.wait(PATIENCE))


@pytest.fixture(scope="module")
def serving() -> Iterator[Serving]:
    """`make serve` until the end of the module; none of its processes is left."""
    with tempfile.TemporaryDirectory(prefix="analytics_assets-serve-") as folder:
        if os.geteuid() == 0:
            let_others_in(Path(folder) / "data")
            let_others_in(programs())
        running = Serving(Path(folder))
        try:
            yield running
        finally:
            left = running.process.children(recursive=True) if running.process.is_running() else []
            for process in [*left, running.process]:
                try:
                    process.kill()
                except psutil.NoSuchProcess:
                    continue


@pytest.fixture
def page(browser_page: Page, serving: Serving) -> Page:
    """A page in a browser, while `make serve` runs."""
    expect.set_options(timeout=PATIENCE * 1000)
    return browser_page


def switch_on(page: Page, name: str) -> None:
    """Click on the switch of a schedule or a sensor on the page *Automation*."""
    row = page.get_by_text(name, exact=True).first.locator("xpath=ancestor::div[@data-index]")
    boxes = row.get_by_role("checkbox")
    expect(boxes).to_have_count(2)  # the first one selects the row
    for _ in range(10):  # the UI may redraw the switch under the mouse
        try:
            # to leave the page before the answer would cancel it
            with page.expect_response(re.compile("op=Start"), timeout=10_000):
                boxes.last.locator("xpath=..").click()
        except PlaywrightTimeoutError:
            continue
        return
    raise AssertionError(f"{name} could not be switched on")


def test_a_backfill_ends_with_all_partitions_though_a_run_was_killed(
    page: Page, serving: Serving
) -> None:
    page.goto(f"{serving.url}/assets/analytics/traffic_sources")
    page.get_by_role("button", name="Materialize").first.click()
    page.get_by_role("dialog").get_by_text("All", exact=True).click()
    launch_backfill(page)
    [first, *_] = wait_until(serving.runs, "a run of the backfill")
    first.kill()
    page.goto(f"{serving.url}/automation")
    for name in (EVERY_MINUTE, "analytics_new_data"):
        switch_on(page, name)
    page.goto(f"{serving.url}/assets/analytics/traffic_sources?view=partitions")
    expect(page.get_by_text(f"Materialized ({DAYS})")).to_be_visible()
    page.goto(f"{serving.url}/runs")
    page.get_by_text("Show runs within backfills").click()
    expect(page.get_by_text("Failure", exact=True)).to_have_count(1)


@pytest.mark.parametrize(
    ("kind", "name"), [("schedules", EVERY_MINUTE), ("sensors", "analytics_new_data")]
)
def test_a_tick_requests_a_run_that_loads(
    page: Page, serving: Serving, kind: str, name: str
) -> None:
    page.goto(f"{serving.url}/locations/__repository__@analytics_assets/{kind}/{name}")
    requested = page.get_by_role("row").filter(
        has_text=re.compile(r"\d+ runs? requested|Requested")
    )
    expect(requested.first).to_be_visible()
    page.goto(f"{serving.url}/runs?q[0]=tag:requested_by={name}&q[1]=status:SUCCESS")
    expect(page.get_by_text("Success", exact=True).first).to_be_visible()


def test_the_end_waits_for_what_runs_and_leaves_no_process(serving: Serving) -> None:
    processes = serving.process.children(recursive=True)
    assert serving.end() == 0
    assert serving.said("stopped")
    assert not [each for each in processes if each.is_running() and each.status() != "zombie"]
