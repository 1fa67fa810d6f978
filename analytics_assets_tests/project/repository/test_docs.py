"""README and docs/: commands are run by CI, tables are complete, examples work, links resolve."""

import ast
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
from dlt.common.configuration.specs import BaseConfiguration

import analytics_assets
from analytics_assets.cli.commands.check.origins import known_settings
from analytics_assets.config.api import Api
from analytics_assets.config.load import Incremental, Partitioned
from analytics_assets.config.policy import Policy
from analytics_assets.config.settings.client import SandboxSettings
from analytics_assets.config.times.window import Window
from analytics_assets.config.validation.paginator import OWN_OPTIONS
from analytics_assets.definitions import definitions
from analytics_assets.orchestration.assets.run_config import LoadConfig
from analytics_assets.orchestration.checks.definitions import CHECKS
from analytics_assets_tests.conftest import ROOT

DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
README = (ROOT / "README.md").read_text()
CLI = ".venv/bin/analytics-assets"
# commands that tests of the command line and of the UI run in a project of their own
RUN_BY_TESTS = {
    "make dev",
    "make serve",
    ".venv/bin/celery -A analytics_assets.orchestration.runs.executor.celery.worker worker"
    " -Q dagster --concurrency 4",
    "DAGSTER_POSTGRES_URL=postgresql://user:password@host:5432/dagster make serve",
    "DESTINATION_TYPE=postgres SANDBOX__ENABLED=true make serve",
    f"{CLI} alert",
    f"{CLI} alert --test",
    f"{CLI} check",
    f"{CLI} check --settings",
    f"{CLI} check shop",
    f"{CLI} check shop/orders --probe",
    f"{CLI} contract",
    f"{CLI} contract --check",
    f"{CLI} export dbt --output models/sources.yml",
    f"{CLI} export odcs --output contracts",
    f"{CLI} materialize",
    f"{CLI} materialize shop",
    f"{CLI} new shop --openapi https://shop.example.com/openapi.json",
    f"{CLI} new web --recipe plausible",
    f"{CLI} preview",
    f"{CLI} materialize shop --from 2026-01",
    f"{CLI} materialize shop/orders --from 2026-01-01 --to 2026-01-31",
    f"{CLI} preview shop/orders",
    f"{CLI} preview shop/orders --json",
    f"{CLI} new shop --recipe stripe",
    f"{CLI} rejected",
    f"{CLI} rejected shop/orders --rows",
    f"{CLI} rejected shop/orders --retry",
    f"{CLI} rejected shop/orders --dismiss",
    f"{CLI} report",
    f"{CLI} state import state.json",
    f"{CLI} state import state.json --dry-run",
    f"{CLI} report shop --output /srv/www/shop.html",
}
RUN_BY_OTHER_TARGETS = {"make lint"}  # by `make test`
# defaults that no value describes
IN_WORDS = (
    "UTC",
    "the embedded API",
    "today",
    ".dlt/pipelines",
    "the API's name",
    "where nothing is set",
    "16 in each process",
    "the warehouse, if PostgreSQL",
)
LONGEST_README = 130  # lines


def part(page: str, title: str) -> str:
    """Return the part of a page in docs/ below a heading, up to the next one of its level."""
    [level] = re.findall(rf"^(#+) {re.escape(title)}$", text := (DOCS / page).read_text(), re.M)
    below = text.split(f"\n{level} {title}\n")[1]
    return re.split(rf"^#{{1,{len(level)}}} ", below, maxsplit=1, flags=re.M)[0]


def documented(page: str, title: str) -> set[str]:
    """Return the names in the first column of the tables below a heading."""
    rows = re.findall(r"^\| (`.*?) \|", part(page, title), re.M)
    return {name for row in rows for name in re.findall(r"`([\w.]+)`", row)}


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= LONGEST_README


def test_every_command_is_run_by_ci_or_a_test() -> None:
    commands = {
        line.split(" #")[0].strip()
        for page in PAGES
        for line in re.findall(r"^\$ (.*)$", page.read_text(), re.M)
    }
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    run_by_ci = {line.removeprefix("run ") for line in lines if line.startswith("run ")}
    assert commands - run_by_ci - RUN_BY_TESTS - RUN_BY_OTHER_TARGETS == set()
    assert commands >= {"make materialize", "make test", "make test-e2e"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_resolve(page: Path) -> None:
    broken = []
    for link in re.findall(r"\]\((?!https?://)([^)]+)\)", page.read_text()):
        target, _, anchor = link.partition("#")
        file = (page.parent / target) if target else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(link)
    assert broken == []


def anchors(page: Path) -> Iterator[str]:
    """Yield the anchors of a page's headings, as GitHub forms them."""
    for heading in re.findall(r"^#+ (.*)$", page.read_text(), re.M):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_every_page_is_linked() -> None:
    linked = {
        (page.parent / target).resolve()
        for page in PAGES
        for target in re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text())
    }
    assert [page for page in PAGES[1:] if page not in linked] == []


@pytest.mark.parametrize(
    ("title", "described"),
    [
        ("`Api`", Api),
        ("Policies", Policy),
        ("`Incremental`", Incremental),
        ("`Partitioned`", Partitioned),
        ("`Window`", Window),
    ],
    ids=str,
)
def test_the_tables_of_configuration_name_every_field_and_no_other(
    title: str, described: Any
) -> None:
    table = part("configuration.md", title).split("\n###")[0]
    rows = re.findall(r"^\| (`.*?) \|", table, re.M)
    names = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert names == {field.name for field in fields(described)}


def test_the_options_of_every_paginator_are_documented() -> None:
    table = part("configuration.md", "`paginator`").split("\n###")[0]

    assert re.findall(r"^\| `(\w+)` \|", table, re.M) == list(OWN_OPTIONS)


@pytest.fixture(scope="module")
def settings() -> dict[str, Any]:
    """The package's settings with their defaults."""
    found = {}
    for module in pkgutil.walk_packages(analytics_assets.__path__, "analytics_assets."):
        for name, spec in vars(import_module(module.name)).items():
            is_spec = isinstance(spec, type) and issubclass(spec, BaseConfiguration)
            if is_spec and name.endswith("Settings"):
                section = "sandbox" if spec is SandboxSettings else spec.__section__
                prefix = f"{section}." if section else ""
                for field in spec.get_resolvable_fields():
                    found[prefix + field] = getattr(spec(), field)
    return found


def test_the_tables_of_settings_name_every_setting(settings: dict[str, Any]) -> None:
    credentials = {f"destination.{name}.credentials" for name in ("duckdb", "postgres")}
    assert documented("configuration.md", "Settings") == set(settings) | credentials


def test_check_knows_every_setting(settings: dict[str, Any]) -> None:
    assert set(settings) <= set(known_settings())


def test_the_defaults_of_policies_and_settings_are_correct() -> None:
    policies = part("configuration.md", "Policies")
    default = Policy()
    assert f'| `"{default.schedule}"` |' in policies
    assert f'| `"{default.timezone}"` |' in policies
    assert f"| `timedelta(hours={default.freshness.total_seconds() / 3600:.0f})` |" in policies
    assert f'| `"{default.date_column}"` |' in policies


def test_the_defaults_of_settings_are_correct(settings: dict[str, Any]) -> None:
    rows = re.findall(r"^\| (`.*?`) \| ([^|]*)\|", part("configuration.md", "Settings"), re.M)
    shown = {row[0].strip("`"): row[1].strip(" `") for row in rows if row[1].strip()}
    for name, default in settings.items():
        if name in shown and shown[name] not in IN_WORDS:
            assert shown[name] == ("none" if default is None else str(default).lower()), name


def test_every_check_and_every_field_of_the_launchpad_is_documented() -> None:
    assert documented("troubleshooting.md", "Checks") == set(CHECKS)
    config = part("loading.md", "Incremental")
    assert all(f"| `{name}: " in config for name in LoadConfig.model_fields)


def test_every_quoted_message_is_one_of_the_package() -> None:
    messages = "\n".join(texts_of_the_package())
    pages = (README, (DOCS / "troubleshooting.md").read_text())
    first_columns = [row for page in pages for row in re.findall(r"^\| (.*?) \|", page, re.M)]
    quotes = [quote for cell in first_columns for quote in re.findall(r"\*(.+?)\*", cell)]
    assert quotes
    assert [quote for quote in quotes if not re.search(pattern_of(quote), messages)] == []


def texts_of_the_package() -> Iterator[str]:
    """Yield the texts in the code, on one line each."""
    for file in (ROOT / "analytics_assets").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            parts = node.values if isinstance(node, ast.JoinedStr) else [node]
            texts = (str(part.value) if isinstance(part, ast.Constant) else "_" for part in parts)
            yield "".join(texts).replace("\n", " ")


def pattern_of(quote: str) -> str:
    """Return the pattern of a message, in which names, numbers and `...` match anything."""
    return re.sub(r"(\\\.){3}|`[^`]*`|\d+", ".*?", re.escape(quote).replace(r"\`", "`"))


def test_the_sensors_and_schedules_of_the_project_are_documented() -> None:
    project = definitions()
    names = {each.name for each in (*(project.sensors or ()), *(project.schedules or ()))}
    table = part("operations.md", "Schedules and sensors")
    first_cells = " ".join(re.findall(r"^\|([^|]*)\| (?:on|off) \|", table, re.M))
    listed = set(re.findall(r"`(\w+)`", first_cells))
    assert listed <= names
    assert {each.name for each in project.sensors or ()} <= listed


def test_the_example_entry_is_python() -> None:
    [example] = re.findall(r'```python\n(\{\n    "name".*?)```', README, re.S)
    assert ast.literal_eval(example.strip().rstrip(","))["name"] == "conversions"


def test_the_example_of_an_api_builds_its_asset(tmp_path: Path) -> None:
    page = (DOCS / "configuration.md").read_text()
    [example] = re.findall(r"```python\n(import dagster.*?)```", page, re.S)
    file = tmp_path / "api.py"
    file.write_text(example)
    names: dict[str, Any] = {"__file__": str(file)}
    exec(compile(example, str(file), "exec"), names)
    assert dg.AssetKey(["shop", "orders"]) in {
        key
        for asset in names["definitions"]().assets
        if isinstance(asset, dg.AssetsDefinition)
        for key in asset.keys
    }


def test_the_example_of_partitions_is_valid() -> None:
    [example] = re.findall(r'```python\n("load": .*?)```', (DOCS / "loading.md").read_text(), re.S)
    names = {"Partitioned": Partitioned, "Window": Window, "date": date}
    assert isinstance(eval("{" + example + "}", names)["load"], Partitioned)


def test_the_command_that_looks_into_the_warehouse_shows_its_rows(tmp_path: Path) -> None:
    [code] = re.findall(r'`\.venv/bin/python -c "(.*?)"`', README)
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as warehouse:
        warehouse.sql("CREATE SCHEMA analytics")
        warehouse.sql("CREATE TABLE analytics.page_views AS SELECT 'Madrid' AS page")
    command = [sys.executable, "-c", code]
    shown = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert "Madrid" in shown


def test_the_layout_names_every_folder() -> None:
    layout = part("contributing.md", "Layout")
    package = [path for path in (ROOT / "analytics_assets").iterdir() if path.is_dir()]
    nested = [path for name in ("orchestration", "extract") for path in package_folders(name)]
    for folder in (*package, *nested):
        if folder.name != "__pycache__":
            assert re.search(rf"\b{folder.name}/", layout), folder


def package_folders(name: str) -> list[Path]:
    """Return the folders in a folder of the package."""
    return [path for path in (ROOT / "analytics_assets" / name).iterdir() if path.is_dir()]
