"""Tries every attack, and writes what came of it to README.md.

Run as `python -m analytics_assets_tests.project.hostile`. Faults have a table of their own, beside
stock dlt: see `faults/README.md`.
"""

import sys
from collections import defaultdict
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TITLE = """# What comes out of each attack

Made by `python -m analytics_assets_tests.project.hostile`, which runs the tests of this folder: an
API, a token endpoint, a document or a process does its worst, and the sentence holds nevertheless.
The numbers are those of the variants that were tried. Broken answers, odd values and kills are in
[faults](faults/README.md).
"""
HEAD = ("", "| it holds that | variants |", "| --- | --- |")


class Outcomes:
    """Counts the variants of each attack, by the folder and the name of its test."""

    def __init__(self) -> None:
        self.tried: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self.held: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a test after its call, or where its set-up fails."""
        if report.when != "call" and report.passed:
            return
        path, _, test = report.nodeid.partition("::")
        folder = Path(path).parent.name
        name = test.partition("[")[0].removeprefix("test_").replace("_", " ")
        self.tried[folder][name] += report.when != "teardown"
        self.held[folder][name] += report.passed

    def rendered(self) -> str:
        """Return the tables."""
        lines = [TITLE]
        for folder, names in sorted(self.tried.items()):
            lines += [
                f"## {folder.capitalize()}",
                "",
                "| it holds that | variants |",
                "| --- | --- |",
            ]
            for name, tried in names.items():
                held = self.held[folder][name]
                lines.append(f"| {name} | {tried if held == tried else f'**{held} of {tried}**'} |")
            lines.append("")
        return "\n".join(lines)


if __name__ == "__main__":
    outcomes = Outcomes()
    ignored = f"--ignore={HERE / 'faults'}"
    options = ["-m", "", "-q", "-p", "no:cacheprovider"]  # those of processes, too
    status = pytest.main([str(HERE), ignored, *options], plugins=[outcomes])
    (HERE / "README.md").write_text(outcomes.rendered())
    sys.exit(status)
