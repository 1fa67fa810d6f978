"""A running `dagster dev`, as `make dev` starts it, and a browser on its pages."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Page, sync_playwright

from analytics_assets_tests.conftest import ROOT, SETTINGS
from analytics_assets_tests.e2e.ui.browser import FLAGS, provide_browser
from analytics_assets_tests.support.deployment import free_port
from analytics_assets_tests.support.project import copy_project

PATIENCE = 300  # seconds that an event may take on a busy machine
DAYS = 18  # of the partitioned resources


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the project: a copy with few days in three windows, for a quick backfill.

    The screenshots show the project itself.
    """
    if os.environ.get("UPDATE_SCREENSHOTS"):
        return ROOT
    folder = tmp_path_factory.mktemp("project")
    copy_few_days(folder)
    return folder


def copy_few_days(folder: Path, *changes: tuple[str, str]) -> None:
    """Copy the project, with few days in three windows.

    Args:
        folder: the folder of the copy.
        changes: texts of `api.py`, each with another one in its place.
    """
    api = copy_project(folder) / "api.py"
    start = datetime.now(UTC).date() - timedelta(days=DAYS)
    text = api.read_text()
    for old, new in (
        ("start=date(2025, 7, 2)", f"start=date({start.year}, {start.month}, {start.day})"),
        ("longest_window=92", f"longest_window={DAYS // 3}"),
        *changes,
    ):
        assert old in text
        text = text.replace(old, new)
    api.write_text(text)


@pytest.fixture(scope="session")
def dagster_url(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A UI with an empty history, on data up to yesterday."""
    with served(project, tmp_path_factory.mktemp("dagster_home")) as url:
        yield url


@contextmanager
def served(project: Path, home: Path) -> Iterator[str]:
    """Run `dagster dev` inside the context, and give its address.

    Args:
        project: the folder of the project, or of a copy.
        home: an empty folder for the history, the warehouse and the log.
    """
    (home / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text())
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    environment |= {
        "DAGSTER_HOME": str(home),
        "PYTHONPATH": str(project),
        "PIPELINES_DIR": str(home / "pipelines"),
        "DESTINATION__DUCKDB__CREDENTIALS": str(home / "warehouse.duckdb"),
        "RUNTIME__DLTHUB_TELEMETRY": "false",
    }
    workspace = ["-w", str(ROOT / "workspace.yaml")]
    address = ["--host", "127.0.0.1", "--port", str(port)]
    with (home / "log.txt").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "dagster", "dev", *workspace, *address],
            cwd=home,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
            # dagster dev ends its own processes with this signal, which a shell lets jobs in the
            # background ignore
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_served(url, server, home / "log.txt")
        yield url
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(PATIENCE)


@pytest.fixture(scope="session")
def browser_page() -> Iterator[Page]:
    """A page in a headless browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=provide_browser(), args=list(FLAGS))
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(PATIENCE * 1000)
        yield page
        browser.close()


def _wait_until_served(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if requests.get(f"{url}/server_info", timeout=5).ok:
                return
        except requests.RequestException:
            time.sleep(0.2)
    raise AssertionError(f"dagster dev did not come up:\n{log.read_text()}")
