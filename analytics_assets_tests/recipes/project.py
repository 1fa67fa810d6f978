"""A project of the test's own: a recipe copied into its `defs/`, the commands, and the tables."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
from click.testing import CliRunner, Result

from analytics_assets import definitions as loaded
from analytics_assets import defs
from analytics_assets.cli.commands.check import command as check_command
from analytics_assets.cli.commands.materialize import command as materialize_command
from analytics_assets.cli.main import main
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.orchestration.project import COMMAND_LINE_JOB, load_apis
from analytics_assets.orchestration.runs.tags import range_tags
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.cli.command_line import check_on_that_day, due_on_that_day
from analytics_assets_tests.recipes.server import TODAY, Row, VendorServer
from analytics_assets_tests.support.loading import failures_of, table_values

NAME = "shop"  # of the copied API


class Project:
    """A recipe as a user's API `shop`, on the day `TODAY`.

    Args:
        vendor: the recipe.
        server: the vendor's server, which runs.
        folder: an empty folder.
        monkeypatch: that of the test.
    """

    def __init__(
        self, vendor: str, server: VendorServer, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self._folder = folder
        self._monkeypatch = monkeypatch
        own = folder / "defs"
        own.mkdir()
        monkeypatch.setattr(defs, "__path__", [str(own)])
        monkeypatch.setattr(defs, "__file__", str(own / "__init__.py"))  # for Dagster
        done = self.run("new", NAME, "--recipe", vendor)
        assert done.exit_code == 0, done.output
        point_at(server, own / NAME / "api.py")
        settings = {
            **server.settings(),
            "SANDBOX__ENABLED": "false",
            "SANDBOX__TODAY": TODAY.isoformat(),  # the clock of the commands
        }
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(materialize_command, "due_runs", due_on_that_day)
        monkeypatch.setattr(materialize_command, "open_instance", self._open_instance)
        monkeypatch.setattr(check_command, "check_resource", check_on_that_day)
        # the record of loads, for people, has tests of its own
        monkeypatch.setattr(materialize_command._Runs, "_record", lambda *_: None)
        # loaded once, as by a code location; each command of a shell would do it again
        self._definitions = loaded.definitions()
        monkeypatch.setattr(loaded, "definitions", lambda: self._definitions)
        monkeypatch.setattr(check_command, "definitions", lambda: self._definitions)
        self._resources = load_apis(defs)[NAME].resources
        self.begin("first")

    def begin(self, warehouse: str) -> None:
        """Begin with an empty warehouse and without a history of loads."""
        file = str(self._folder / f"{warehouse}.duckdb")
        self._monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", file)
        self._kept_open = duckdb.connect(file)  # loads are a quarter faster where it is open
        self._instance = dg.DagsterInstance.ephemeral(settings={"telemetry": {"enabled": False}})

    def run(self, *arguments: str) -> Result:
        """Run a command of `analytics-assets`; the API is the only one of the project."""
        return CliRunner().invoke(main, arguments)

    def load_day(self, day: str, resources: Sequence[str]) -> dict[str, str]:
        """Load one partition of some resources, as a run of the UI does.

        Returns:
            The reasons of those that failed, by the step.
        """
        done = self._definitions.resolve_job_def(COMMAND_LINE_JOB).execute_in_process(
            instance=self._instance,
            asset_selection=[asset_key(self._resources[name]) for name in resources],
            raise_on_error=False,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            tags=dict(range_tags([day])),
        )
        return failures_of(done)

    def table(self, name: str, key: Sequence[str]) -> list[Row]:
        """Return the rows of a table, comparable, without dlt's own columns."""
        pipeline = Warehouse.from_settings(NAME).pipeline("test_reader")
        return comparable(table_values(pipeline, name, order=key[0]), key)

    @contextmanager
    def _open_instance(self) -> Iterator[dg.DagsterInstance]:
        yield self._instance


def point_at(server: VendorServer, file: Path) -> None:
    """Replace the vendor's addresses in a copied recipe by those of a server."""
    text = file.read_text()
    for literal, path in server.hosts.items():
        text = text.replace(literal, f"{server.url}{path}")
    file.write_text(text)
    for module in [name for name in sys.modules if name.startswith(f"{defs.__name__}.{NAME}")]:
        del sys.modules[module]


def comparable(rows: Sequence[Row], key: Sequence[str]) -> list[Row]:
    """Return rows without nulls, in JSON's types, ordered by their key."""
    plain = [
        {name: as_cell(value) for name, value in row.items() if value is not None} for row in rows
    ]
    return sorted(plain, key=lambda row: [str(row.get(name)) for name in key])


def as_cell(value: Any) -> Any:
    """Return a time in UTC as text, a boolean as no number, and everything else as it is."""
    if isinstance(value, bool):
        return repr(value)
    if isinstance(value, datetime):
        return (value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
    return value.isoformat() if isinstance(value, date) else value
