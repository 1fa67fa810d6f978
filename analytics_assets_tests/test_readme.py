"""The README: its commands are those that CI runs, its tables are complete, its links lead on."""

import ast
import re
import subprocess
import sys
from dataclasses import fields
from datetime import date
from pathlib import Path

import duckdb

from analytics_assets.config.load import Partitioned
from analytics_assets.config.policy import Policy
from analytics_assets.config.settings import LocationSettings, OAuth2Settings
from analytics_assets.config.window import Window
from analytics_assets.extract.http.limits.settings import LimitSettings
from analytics_assets.extract.paging.verified_read import ReadingSettings
from analytics_assets.warehouse.settings import WarehouseSettings
from analytics_assets_tests.conftest import ROOT

README = (ROOT / "README.md").read_text()


def section(title: str) -> str:
    """Return the part of the README under a heading."""
    return README.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_every_command_is_run_by_ci_or_a_test() -> None:
    commands = [line.split("#")[0].strip() for line in re.findall(r"^\$ (.*)$", README, re.M)]
    run_by_ci = set((ROOT / ".ci" / "run").read_text().splitlines())
    # what `make dev` starts is what the tests of the UI look at; test_cli*.py run the others
    by_tests = ("check", "contract")
    tested = {"make dev", *(f".venv/bin/analytics-assets {name}" for name in by_tests)}
    assert set(commands) <= run_by_ci | tested
    assert set(commands) >= {"make materialize", "make test"}


def test_every_policy_and_every_setting_is_in_a_table() -> None:
    policies = set(re.findall(r"`(\w+)`", section("Add a resource")))
    assert {known.name for known in fields(Policy)} <= policies
    settings = set(re.findall(r"`([\w.]+)`", section("Settings")))
    reading = {**ReadingSettings.get_resolvable_fields(), **LimitSettings.get_resolvable_fields()}
    assert {f"reading.{name}" for name in reading} <= settings
    for spec in (OAuth2Settings, LocationSettings, WarehouseSettings):
        assert set(spec.get_resolvable_fields()) <= settings


def test_defaults_of_policies_are_told_as_they_are() -> None:
    table = section("Add a resource")
    default = Policy()
    assert f'`"{default.schedule}"`, `"{default.timezone}"`' in table
    assert f"`timedelta(hours={default.freshness.total_seconds() / 3600:.0f})`" in table
    assert f'`"{default.date_column}"`' in table


def test_the_example_entry_is_python() -> None:
    example = re.findall(r"```python\n(.*?)```", section("Add a resource"), re.S)[0]
    assert ast.literal_eval(example.strip().rstrip(","))["name"] == "conversions"


def test_the_example_of_partitions_is_one() -> None:
    [example] = re.findall(r'```python\n("load": .*?)```', README, re.S)
    names = {"Partitioned": Partitioned, "Window": Window, "date": date}
    assert isinstance(eval("{" + example + "}", names)["load"], Partitioned)


def test_the_look_into_the_warehouse_shows_its_rows(tmp_path: Path) -> None:
    [code] = re.findall(r'`\.venv/bin/python -c "(.*?)"`', README)
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as warehouse:
        warehouse.sql("CREATE SCHEMA analytics")
        warehouse.sql("CREATE TABLE analytics.page_views AS SELECT 'Madrid' AS page")
    look = [sys.executable, "-c", code]
    shown = subprocess.run(look, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert "Madrid" in shown


def test_links_into_the_repository_lead_somewhere() -> None:
    targets = re.findall(r"\]\((?!https?://)([^)#]+)\)", README)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []
