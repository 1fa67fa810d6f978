"""Dagster's command line `dg` finds the definitions by `[tool.dg]` in `pyproject.toml`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from analytics_assets.defs.analytics.api import API
from analytics_assets_tests.conftest import ROOT
from analytics_assets_tests.support.project import copy_project


def dg(*arguments: str, folder: Path = ROOT) -> str:
    """Run `dg` in a project's folder and return its output."""
    program = Path(sys.executable).with_name("dg")
    done = subprocess.run(
        [program, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_dg_list_defs_lists_the_asset_of_every_resource() -> None:
    assets = json.loads(dg("list", "defs", "--json"))["assets"]
    keys = {asset["asset_key"] for asset in assets}
    assert keys >= {f"{API.name}/{name}" for name in API.resources}


def test_dg_check_defs_loads_all_definitions() -> None:
    assert "All definitions loaded successfully" in dg("check", "defs")


def test_dg_scaffolds_an_api_in_yaml_that_loads_and_finds_a_wrong_attribute(
    tmp_path: Path,
) -> None:
    copy_project(tmp_path)
    components = json.loads(dg("list", "components", "--json", folder=tmp_path))["items"]
    assert "analytics_assets.RestApi" in [each["key"] for each in components]

    dg("scaffold", "defs", "analytics_assets.RestApi", "shop", folder=tmp_path)

    assets = json.loads(dg("list", "defs", "--json", folder=tmp_path))["assets"]
    assert "shop/orders" in {asset["asset_key"] for asset in assets}
    assert "validated successfully" in dg("check", "yaml", folder=tmp_path)
    file = tmp_path / "analytics_assets" / "defs" / "shop" / "defs.yaml"
    file.write_text(file.read_text().replace("  client:", "  clients:"))
    with pytest.raises(AssertionError, match=r"defs.yaml:5 - .* attributes.clients"):
        dg("check", "yaml", folder=tmp_path)
