"""Every recipe, copied as a user's API, against a server that behaves as its vendor's does."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from analytics_assets_tests.conftest import ROOT
from analytics_assets_tests.recipes.project import Project
from analytics_assets_tests.recipes.scenarios import Scenarios
from analytics_assets_tests.recipes.server import server_of, vendors

HERE = Path(__file__).parent
UPDATING = "UPDATE_RECIPES"  # set while README.md is written


def test_every_recipe_has_a_server_a_page_and_a_line() -> None:
    folder = ROOT / "analytics_assets" / "recipes"
    recipes = {file.parent.name for file in folder.glob("*/api.py")}

    assert recipes == set(vendors())
    assert {file.parent.name for file in folder.glob("*/README.md")} == recipes
    listed = re.findall(r"^\| \[`(\w+)`\]", (ROOT / "docs" / "recipes.md").read_text(), re.M)
    assert set(listed) == recipes


@pytest.mark.parametrize("vendor", vendors())
def test_every_recipe_loads_the_vendors_rows_in_each_scenario(
    vendor: str,
    clean_place: Path,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    with server_of(vendor) as server:
        project = Project(vendor, server, clean_place, monkeypatch)
        done = Scenarios(vendor, server, project).outcome()

    record_property("line", done.line)
    assert not done.problems, "\n".join(f"{name}: {each}" for name, each in done.problems.items())
    if UPDATING not in os.environ:
        assert done.line in (HERE / "README.md").read_text().splitlines()
