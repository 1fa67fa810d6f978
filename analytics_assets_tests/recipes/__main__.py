"""Runs every scenario of every recipe, and writes the table of them to README.md.

Run as `python -m analytics_assets_tests.recipes`.
"""

import os
import sys
from pathlib import Path

import pytest

from analytics_assets_tests.recipes.scenarios import SCENARIOS
from analytics_assets_tests.recipes.test_recipes import UPDATING

HERE = Path(__file__).parent
TITLE = """# Recipes and scenarios

Made by `python -m analytics_assets_tests.recipes`. Each recipe is copied as the API `shop` of a
user's project. A server on this machine stands in for the vendor: it signs in, cuts pages, and
answers for windows, empty days and used-up quotas as the vendor's public documentation says. The
rows in the warehouse are compared with those of the vendor, cell by cell, after each scenario, and
the table shows how many there were.

| scenario | what is done |
| --- | --- |
"""


class Lines:
    """Keeps the line of each recipe."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the line that a test has recorded."""
        if report.when == "call":
            self.found += [str(value) for name, value in report.user_properties if name == "line"]

    def rendered(self) -> str:
        """Return the page."""
        told = [f"| {name} | {each.__doc__} |" for name, each in SCENARIOS.items()]
        head = ["", f"| recipe | {' | '.join(SCENARIOS)} |", f"|{' --- |' * (len(SCENARIOS) + 1)}"]
        return TITLE + "\n".join([*told, *head, *sorted(self.found), ""])


if __name__ == "__main__":
    lines = Lines()
    options = ["-q", "-p", "no:cacheprovider", str(HERE / "test_recipes.py")]
    os.environ[UPDATING] = "1"
    status = pytest.main(options, plugins=[lines])
    (HERE / "README.md").write_text(lines.rendered())
    sys.exit(status)
