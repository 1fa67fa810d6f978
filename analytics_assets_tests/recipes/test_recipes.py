"""Every recipe, copied as a user's API, against a server that behaves as its vendor's does."""

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from analytics_assets_tests.conftest import ROOT
from analytics_assets_tests.recipes.project import Project
from analytics_assets_tests.recipes.scenarios import Outcome, Scenarios
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


def outcome_of(
    vendor: str, place: Path, monkeypatch: pytest.MonkeyPatch, names: Sequence[str] = ()
) -> Outcome:
    """Run scenarios of a recipe, and require that all are right."""
    with server_of(vendor) as server:
        project = Project(vendor, server, place, monkeypatch)
        done = Scenarios(vendor, server, project).outcome(names)
    assert not done.problems, "\n".join(f"{name}: {each}" for name, each in done.problems.items())
    return done


def known_lines() -> list[str]:
    """Return the lines of the table in README.md."""
    return (HERE / "README.md").read_text().splitlines()


@pytest.mark.parametrize("vendor", vendors())
def test_a_recipe_passes_its_check_and_loads_all_rows_of_the_vendor(
    vendor: str, clean_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = outcome_of(vendor, clean_place, monkeypatch, ("check", "full"))

    assert any(line.startswith(done.line) for line in known_lines())


@pytest.mark.e2e
@pytest.mark.parametrize("vendor", vendors())
def test_every_recipe_loads_the_vendors_rows_in_each_scenario(
    vendor: str,
    clean_place: Path,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    done = outcome_of(vendor, clean_place, monkeypatch)

    record_property("line", done.line)
    if UPDATING not in os.environ:
        assert done.line in known_lines()
