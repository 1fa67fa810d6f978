"""dbt, datacontract-cli and Dagster's OpenLineage plugin, in `.venv-export`, which make sets up."""

import os
import subprocess
import sys
from pathlib import Path

from analytics_assets_tests.conftest import ROOT

PLACES = [folder / ".venv-export" for folder in (ROOT, Path(sys.prefix).parent)]
TOOLS = next((place for place in PLACES if place.exists()), PLACES[0])
OPENLINEAGE = TOOLS / "openlineage"
KEY_TWICE = (
    "UPDATE {table} SET id = (SELECT max(id) FROM {table}) WHERE id = (SELECT min(id) FROM {table})"
)


def run(program: str, *arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a program of `.venv-export`, without this project on its path."""
    file = TOOLS / "bin" / program
    assert file.exists(), f"{file} is not there: run `make .venv-export/installed`"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [file, *arguments],
        cwd=cwd,
        env={**environment, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "COLUMNS": "300"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def export(*arguments: str | Path) -> None:
    """Run `analytics-assets export` with the settings of the test."""
    command = [sys.executable, "-m", "analytics_assets.cli.main", "export", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
