"""The table of outcomes, in narrow terminals and in files."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from analytics_assets.cli import terminal
from analytics_assets.cli.commands.materialize import summary
from analytics_assets.cli.commands.materialize.outcome import AssetOutcome
from analytics_assets.cli.commands.materialize.summary import Summary, next_steps, outcome_table


class Screen(StringIO):
    """The output of a terminal."""

    def isatty(self) -> bool:
        return True


def printed(monkeypatch: pytest.MonkeyPatch, output: StringIO, width: int, name: str) -> list[str]:
    """Return the lines of a table with one row."""
    monkeypatch.setattr(terminal, "console", lambda: Console(file=output, width=width))
    monkeypatch.setenv("TERM", "xterm")
    table = outcome_table(Summary(results=[], resources=[]))
    summary._add(table, name, AssetOutcome("-", "1,234,567", "2,345,678", "2026-11-28", "1.2 s"))
    terminal.echo_table(table)
    return output.getvalue().splitlines()


def test_a_narrow_terminal_cuts_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = printed(monkeypatch, Screen(), 40, "analytics/page_views")
    [row] = [line for line in lines if "analytics" in line]
    assert [*row.split()[-5:]] == ["1,234,567", "2,345,678", "2026-11-28", "1.2", "s"]


def test_a_file_has_whole_names(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"analytics/{'long_' * 20}name"
    assert any(name in line for line in printed(monkeypatch, StringIO(), 80, name))


@pytest.mark.parametrize(
    ("file", "command"),
    [
        ("Makefile", "`make dev`"),
        ("pyproject.toml", "`dagster dev`"),
        ("README.md", "`dagster dev -m analytics_assets.definitions`"),
    ],
)
def test_the_next_command_works_in_its_folder(clean_place: Path, file: str, command: str) -> None:
    (clean_place / file).touch()
    assert next_steps().startswith(command)
