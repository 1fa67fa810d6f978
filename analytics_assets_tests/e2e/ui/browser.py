"""The browser of the UI's tests: an installed one, or else one that is downloaded.

`python -m analytics_assets_tests.e2e.ui.browser` installs one if there is none.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox",  # the tests may run as root, and open nothing but their own pages
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class NoBrowserError(RuntimeError):
    """There is no browser, and none could be installed; the message names what to install."""


def find_browser() -> str | None:
    """Return the path of a Chromium or Chrome, Playwright's own included, or None."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


def provide_browser() -> str:
    """Return a browser's path, installing one first if there is none.

    Raises:
        NoBrowserError: none could be installed.
    """
    installers = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if shutil.which("apt-get") and os.geteuid() == 0:
        installers.insert(0, ["sh", "-c", "apt-get update -q && apt-get install -qy chromium"])
    for installer in [[], *installers]:
        if installer:
            subprocess.run(installer, check=False, stdout=sys.stderr)
        if path := find_browser():
            return path
    raise NoBrowserError(
        "The tests of the UI need a browser, and none could be installed: install Chromium "
        "(on Debian: apt-get install chromium) or Google Chrome, and run `make test` again."
    )


if __name__ == "__main__":
    try:
        print(provide_browser())  # noqa: T201
    except NoBrowserError as error:
        sys.exit(str(error))
