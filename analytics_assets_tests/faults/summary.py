"""The table of faults that is printed at the end of a test run."""

import json
from typing import Any

from _pytest.terminal import TerminalReporter

COLUMNS = ("fault", "outcome", "expected", "found", "wrong", "rejected", "requests")


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Print what came out of each fault, wherever its test ran."""
    lines = [
        (report.outcome, json.loads(value))
        for reports in terminalreporter.stats.values()
        for report in reports
        for name, value in getattr(report, "user_properties", [])
        if name == "fault" and report.when == "call"
    ]
    if not lines:
        return
    width = max(len(outcome["fault"]) for _, outcome in lines)
    terminalreporter.section("faults")
    terminalreporter.line(_line(width, "", dict(zip(COLUMNS, COLUMNS, strict=True))))
    for verdict, outcome in sorted(lines, key=lambda line: str(line[1]["fault"])):
        mark = "" if verdict == "passed" else "WRONG"
        terminalreporter.line(_line(width, mark, outcome), red=bool(mark))


def _line(width: int, mark: str, outcome: dict[str, Any]) -> str:
    name, result, *numbers = (outcome[column] for column in COLUMNS)
    return " ".join([f"{name:{width}} {result:7}", *(f"{number:>8}" for number in numbers), mark])
