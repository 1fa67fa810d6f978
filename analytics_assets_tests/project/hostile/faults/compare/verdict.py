"""Verdicts on outcomes, and the table of them as Markdown."""

import platform
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version

from analytics_assets_tests.project.hostile.faults.case import LOADED, Case
from analytics_assets_tests.project.hostile.faults.machine.kills import Kill
from analytics_assets_tests.project.hostile.faults.trial import Outcome

COMMAND = "python -m analytics_assets_tests.project.hostile.faults.compare"
PACKAGES = ("dlt", "dagster", "dagster-dlt", "duckdb", "requests")
WRONG = "GREEN BUT WRONG"

Line = tuple[str, str, str]
"""The name of a case, and the verdicts on stock dlt and on this project."""


def verdict(tried: Case | Kill, outcome: Outcome) -> str:
    """Return the outcome in words."""
    if outcome.next_run is None:
        return _loaded(tried, outcome)
    ended = "killed" if isinstance(tried, Kill) else "failed"
    if outcome.wrong:
        kept = f"TABLE CHANGED: {outcome.found} of {outcome.expected} rows"
    else:
        kept = "table complete" if isinstance(tried, Kill) and tried.arrived else "table as before"
    again = outcome.next_run
    if again.outcome != LOADED:
        return f"{ended}, {kept}, NEXT RUN FAILED TOO"
    if again.wrong:
        return f"{ended}, {kept}, NEXT RUN WRONG: {again.found} of {again.expected} rows"
    return f"{ended}, {kept}"


def _loaded(tried: Case | Kill, outcome: Outcome) -> str:
    bad = len(tried.rejected) if isinstance(tried, Case) else 0
    if not outcome.wrong and outcome.rejected == bad:
        return f"loaded, equal, {bad} rejected" if bad else "loaded, equal"
    if bad and outcome.found == outcome.expected + bad and outcome.wrong == bad:
        return "loaded, the bad row too"
    if not outcome.wrong:
        return f"{WRONG}: {bad - outcome.rejected} rows are nowhere"
    return f"{WRONG}: {outcome.wrong} rows missing, old or too many"


def rendered(parts: Sequence[tuple[str, Sequence[Line]]]) -> str:
    """Write the tables as Markdown."""
    versions = ", ".join(f"{package} {version(package)}" for package in PACKAGES)
    lines = [
        "# What comes out of each fault",
        "",
        f"Made by `{COMMAND}` with Python {platform.python_version()}, {versions}, on DuckDB.",
        "",
        "A table with 240 rows is loaded again when the API has 250, some of them restated, and",
        "something goes wrong on the way. If the load fails, another one follows without the",
        "fault; unless said otherwise it makes the table equal to the API's rows.",
        "",
        "| | stock dlt | this project |",
        "| --- | --- | --- |",
        *_counted([line for _, lines in parts for line in lines]),
    ]
    for title, rows in parts:
        lines += ["", f"## {title}", "", "| fault | stock dlt | this project |"]
        lines += ["| --- | --- | --- |"]
        lines += [f"| {name} | {_shown(stock)} | {_shown(own)} |" for name, stock, own in rows]
    return "\n".join([*lines, ""])


def _counted(lines: Sequence[Line]) -> list[str]:
    names = ("good", "green but wrong", "otherwise wrong")
    stock, own = (Counter(_kind(line[side]) for line in lines) for side in (1, 2))
    return [f"| {name} | {stock[name]} | {own[name]} |" for name in names]


def _kind(text: str) -> str:
    if text.startswith(WRONG):
        return "green but wrong"
    return "good" if text == text.lower() else "otherwise wrong"


def _shown(text: str) -> str:
    return text if _kind(text) == "good" else f"**{text}**"
