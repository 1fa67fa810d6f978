"""Runs every scenario of every recipe, and writes the table of them to README.md.

Run as `python -m analytics_assets_tests.recipes`, or with the names of some recipes, whose lines
alone are replaced.
"""

import os
import sys
from pathlib import Path

import pytest

from analytics_assets_tests.recipes.scenarios import SCENARIOS
from analytics_assets_tests.recipes.server import vendors
from analytics_assets_tests.recipes.test_recipes import UPDATING

HERE = Path(__file__).parent
PAGE = HERE / "README.md"
TITLE = """# Recipes and scenarios

Made by `python -m analytics_assets_tests.recipes`. `analytics-assets new shop --recipe ...` copies
each recipe into a project, and the commands load it from a server on this machine, which stands in
for the vendor: it signs in, cuts pages, and answers for windows, empty days and used-up quotas as
the vendor's public documentation says. After each scenario the rows in the warehouse are compared
with those of the vendor, cell by cell; the table shows how many there were. Of reports that differ
in names alone, one goes through all scenarios, and the others through the first two. `none`: the
recipe loads no table by days.

| scenario | what is done |
| --- | --- |
"""


class Lines:
    """Keeps the line of each recipe."""

    def __init__(self) -> None:
        lines = PAGE.read_text().splitlines() if PAGE.exists() else []
        known = vendors()
        self.found = {name: line for line in lines if (name := vendor_in(line)) in known}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the line that a test has recorded."""
        for name, value in report.user_properties if report.when == "call" else ():
            if name == "line":
                self.found[vendor_in(str(value))] = str(value)

    def rendered(self) -> str:
        """Return the page."""
        told = [f"| {name} | {each.__doc__} |" for name, each in SCENARIOS.items()]
        head = ["", f"| recipe | {' | '.join(SCENARIOS)} |", f"|{' --- |' * (len(SCENARIOS) + 1)}"]
        return TITLE + "\n".join(
            [*told, *head, *(line for _, line in sorted(self.found.items())), ""]
        )


def vendor_in(line: str) -> str:
    """Return the recipe of a line of the table."""
    return line.split(" | ")[0].strip("| `")


if __name__ == "__main__":
    lines = Lines()
    chosen = " or ".join(f"[{name}]" for name in sys.argv[1:])
    options = ["-q", "-p", "no:cacheprovider", "-m", "e2e", "-k", chosen]
    os.environ[UPDATING] = "1"
    status = pytest.main([*options, str(HERE / "test_recipes.py")], plugins=[lines])
    PAGE.write_text(lines.rendered())
    sys.exit(status)
