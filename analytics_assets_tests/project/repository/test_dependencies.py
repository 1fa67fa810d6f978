"""`pyproject.toml` names the packages that the code imports, and no others."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.version import Version

from analytics_assets_tests.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NOT_IMPORTED = {
    "dagster-embedded-elt",  # installs dagster-dlt, whose classes it exports under an old name
    "dagster-webserver",  # `dagster dev` starts it
}
REQUIRED_BY_OTHERS = {
    "dagster-dlt": "dagster-embedded-elt",
    "duckdb": "dlt[duckdb]",
    "psycopg2-binary": "dlt[postgres]",
    "pyarrow": "dlt[parquet]",
    "sqlalchemy": "dagster",
    "urllib3": "requests",
}

# packages of extras, each imported by a folder that nothing else imports
OF_EXTRA = {"celery": {"celery", "dagster-celery"}, "delta": {"deltalake"}}


def imported_by(folder: Path) -> set[str]:
    """Return the distributions that the modules below a folder import."""
    modules = {
        name.partition(".")[0]
        for file in folder.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        for name in _names(node)
    }
    known = packages_distributions()
    own = {*sys.stdlib_module_names, "analytics_assets", "analytics_assets_tests"}
    return {
        found.lower().replace("_", "-")
        for module in modules - own
        for found in known.get(module, [module])
    }


def _names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [node.module]
    return []


def names(requirements: list[str]) -> set[str]:
    """Return the names of requirements without bounds and extras."""
    return {re.split(r"[\[<>=]", requirement)[0] for requirement in requirements}


def test_every_dependency_is_imported_and_every_import_is_a_dependency() -> None:
    imported = imported_by(ROOT / "analytics_assets")
    required = names(PROJECT["dependencies"]) - NOT_IMPORTED
    assert imported - set(REQUIRED_BY_OTHERS) - set().union(*OF_EXTRA.values()) == required
    for extra, packages in OF_EXTRA.items():
        assert names(PROJECT["optional-dependencies"][extra]) >= packages


def test_aiohttp_and_uvloop_come_with_the_benchmark_alone() -> None:
    benchmarks = ROOT / "analytics_assets_tests" / "project" / "benchmarks"
    assert {"aiohttp", "uvloop"} <= imported_by(benchmarks)
    for extra, requirements in PROJECT["optional-dependencies"].items():
        assert ({"aiohttp", "uvloop"} <= names(requirements)) == (extra == "bench")


def pins(file: str) -> dict[str, str]:
    """Return the version of each package that a constraints file pins."""
    lines = (ROOT / file).read_text().lower().replace("_", "-").splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def test_constraints_pin_every_package_that_an_environment_asks_for() -> None:
    extras = [names(extra) for extra in PROJECT["optional-dependencies"].values()]
    required = names(PROJECT["dependencies"]).union(*extras) - {"analytics_assets"}
    assert required <= set(pins("constraints.txt"))


def test_newest_constraints_pin_newer_versions_and_every_dependency_but_the_webserver() -> None:
    newest = pins("constraints-newest.txt")
    assert names(PROJECT["dependencies"]) - {"dagster-webserver"} <= set(newest)
    for package in ("dagster", "dagster-dlt", "dlt"):
        assert Version(newest[package]) >= Version(pins("constraints.txt")[package])
