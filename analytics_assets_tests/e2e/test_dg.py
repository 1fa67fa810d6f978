"""Dagster's command line `dg` finds the definitions by `[tool.dg]` in `pyproject.toml`."""

import json
import subprocess
import sys
from pathlib import Path

from analytics_assets.defs.analytics.api import API
from analytics_assets_tests.conftest import ROOT


def dg(*arguments: str) -> str:
    """Run `dg` in the project's folder and return its output."""
    program = Path(sys.executable).with_name("dg")
    done = subprocess.run(
        [program, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_dg_list_defs_lists_the_asset_of_every_resource() -> None:
    assets = json.loads(dg("list", "defs", "--json"))["assets"]
    keys = {asset["asset_key"] for asset in assets}
    assert keys >= {f"{API.name}/{name}" for name in API.resources}


def test_dg_check_defs_loads_all_definitions() -> None:
    assert "All definitions loaded successfully" in dg("check", "defs")
