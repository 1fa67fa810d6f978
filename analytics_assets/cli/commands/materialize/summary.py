"""The summary of the command: a table, what failed, and what to look at next."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
from rich import box
from rich.table import Table
from rich.text import Text

from analytics_assets.cli.commands.materialize.outcome import (
    FAILED,
    AssetOutcome,
    Results,
    failures,
    final_evaluations,
    outcome_of,
    outcome_of_made,
)
from analytics_assets.cli.project import warehouses_shown
from analytics_assets.cli.terminal import echo, echo_table
from analytics_assets.config.resource import ResourceConfig
from analytics_assets.config.text.quantities import count, number

SHORTEST_NAME = 12  # characters of a line, in a narrow terminal
HEADINGS = ("asset", "partitions", "rows\nloaded", "rows in\ntable", "newest\ndata", "time")
STYLES = {"error": "red", "warning": "yellow"}
SEVERITIES = {dg.AssetCheckSeverity.ERROR: "error", dg.AssetCheckSeverity.WARN: "warning"}


@dataclass(frozen=True)
class Summary:
    """The outcome of the command, to be shown when all runs have ended.

    Args:
        results: the runs.
        resources: the resources that were to be loaded.
        made: other assets that were to be made.
        notes: sentences about the project, such as those about its schedules.
    """

    results: Results
    resources: Sequence[ResourceConfig]
    made: Sequence[dg.AssetKey] = ()
    notes: Sequence[str] = ()


def print_summary(summary: Summary) -> None:
    """Print the summary."""
    echo_table(outcome_table(summary))
    for severity, line in problems(summary.results):
        echo(f"{severity.capitalize()}: {line}", style=STYLES[severity])
    echo(checks_line(summary.results))
    for note in summary.notes:
        echo(note)
    if api_names := dict.fromkeys(resource.api_name for resource in summary.resources):
        echo(f"Warehouse: {warehouses_shown(api_names)}")
    echo(f"Next: {next_steps()}")


def outcome_table(summary: Summary) -> Table:
    """Return a table with the outcome of each asset over all runs."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for heading in HEADINGS:
        is_name = heading == "asset"
        table.add_column(
            heading,
            justify="left" if is_name else "right",
            no_wrap=not is_name,
            min_width=SHORTEST_NAME if is_name else None,
            overflow="fold",
            vertical="bottom" if is_name else "top",
        )
    for resource in summary.resources:
        _add(table, resource.full_name, outcome_of(summary.results, resource))
    for key in summary.made:
        _add(table, key.to_user_string(), outcome_of_made(summary.results, key))
    return table


def _add(table: Table, name: str, outcome: AssetOutcome) -> None:
    table.add_row(*map(Text, (name, *outcome)), style="red" if outcome == FAILED else None)


def problems(results: Results) -> Iterator[tuple[str, str]]:
    """Yield the severity and a sentence for each failed step and each failed check."""
    for result in results:
        for line in failures(result):
            yield "error", line
    for each in final_evaluations(results):
        if not each.passed:
            asset = each.asset_key.to_user_string()
            line = f"the check {each.check_name} of {asset} failed: {each.description}"
            yield SEVERITIES[each.severity], line


def checks_line(results: Results) -> str:
    """Return the numbers of checks that passed and failed."""
    checks = final_evaluations(results)
    failed = [SEVERITIES[each.severity] for each in checks if not each.passed]
    if not failed:
        return f"Checks: {'all ' if checks else ''}{number(len(checks))} passed"
    kinds = [count(failed.count(kind), kind) for kind in STYLES if kind in failed]
    passed = f"{number(len(checks) - len(failed))} of {number(len(checks))} passed"
    return f"Checks: {passed}, {number(len(failed))} failed ({', '.join(kinds)})"


def next_steps() -> str:
    """Return the commands with which to look at the outcome."""
    start = "make dev" if Path("Makefile").exists() else "dagster dev"
    if not any(Path(name).exists() for name in ("Makefile", "pyproject.toml", "workspace.yaml")):
        start += " -m analytics_assets.definitions"  # where a wheel is installed, nothing names it
    return (
        f"`{start}` shows lineage, history and checks in the browser; `analytics-assets report` "
        "writes a page about all tables."
    )
