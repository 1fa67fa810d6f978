"""The command line within the process, on the day of the embedded API's clock."""

import logging
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from analytics_assets import defs
from analytics_assets.cli.commands.check import command as check_command
from analytics_assets.cli.commands.materialize import command
from analytics_assets.cli.main import main
from analytics_assets_tests.cli.command_line import check_on_that_day, due_on_that_day
from analytics_assets_tests.conftest import ROOT

Invoke = Callable[..., Result]


@pytest.fixture
def invoke(clean_place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Invoke]:
    """Run a command in a folder with `dagster.yaml` as shipped, which has the history."""
    (clean_place / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text())
    monkeypatch.setattr(command, "due_runs", due_on_that_day)
    monkeypatch.setattr(check_command, "check_resource", check_on_that_day)
    level = logging.getLogger("dlt").level
    yield lambda *arguments: CliRunner().invoke(main, arguments)
    logging.getLogger("dlt").setLevel(level)  # `materialize` changes it


@pytest.fixture
def api_file(clean_place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file `api.py` of the analytics API, alone in a `defs/` that a test may change."""
    folder = clean_place / "defs" / "edited"
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "analytics_assets" / "defs" / "analytics", folder, ignore=ignore)
    monkeypatch.setattr(defs, "__path__", [str(folder.parent)])
    yield folder / "api.py"
    for name in [name for name in sys.modules if name.startswith(f"{defs.__name__}.edited")]:
        del sys.modules[name]
