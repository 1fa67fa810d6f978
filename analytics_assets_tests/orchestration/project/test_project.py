"""Loading of a project: its APIs, and each file and part once for all resources."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.policy import Policy
from analytics_assets.config.validation import entries
from analytics_assets.contract.openapi import document as document_module
from analytics_assets.contract.openapi.endpoints import Endpoints
from analytics_assets.defs.analytics.api import API
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets_tests.conftest import ROOT
from analytics_assets_tests.support.project import copy_project

MANY = 12
# packages that only runs need, or nothing
NOT_AT_LOAD = (
    "alembic",
    "dagster_embedded_elt",
    "duckdb",
    "numpy",
    "pandas",
    "pyarrow",
    "sqlalchemy",
    "starlette",
    "uvicorn",
)
START = f"""
import gc, json, sys
connections = []
sys.addaudithook(lambda event, _: event == "socket.connect" and connections.append(event))
from analytics_assets.definitions import definitions
project = definitions()
imported = [name for name in {NOT_AT_LOAD!r} if name in sys.modules]
project.get_repository_def().load_all_definitions()
print(json.dumps({{
    "imported": imported,
    "connections": len(connections),
    "gc_enabled": gc.isenabled(),
    "gc_frozen": gc.get_freeze_count(),
}}))
"""


def api_of(count: int, place: Path) -> Api:
    """An API with a contract, a policy and an endpoint for each of its resources."""
    row = {"type": "object", "properties": {"id": {"type": "string"}}}
    rows = {"content": {"application/json": {"schema": {"type": "array", "items": row}}}}
    names = [f"resource_{number}" for number in range(count)]
    paths = {f"/v1/{name}": {"get": {"responses": {"200": rows}}} for name in names}
    file = place / "openapi.json"
    file.write_text(json.dumps({"openapi": "3.1.0", "paths": paths}))
    described = place / "described.py"
    listed = ",\n".join(f'"{name}"' for name in names)
    described.write_text(f"CONFIG = dict(resources=[{listed}])")
    offset = {"type": "offset", "limit": 100}
    return Api(
        name="shop",
        file=str(described),
        openapi=str(file),
        config={
            "client": {"base_url": "https://shop.invalid"},
            "resource_defaults": {"primary_key": "id", "write_disposition": "merge"},
            "resources": [
                {"name": name, "endpoint": {"path": f"/v1/{name}", "paginator": offset}}
                for name in names
            ],
        },
        policies={name: {"schedule": "0 6 * * *", "prune": True} for name in names},
    )


@pytest.fixture(scope="module")
def started() -> dict[str, Any]:
    """A process that loads the definitions as Dagster does: its imports, connections and output."""
    return printed_by(START, ROOT)


def printed_by(program: str, project: Path, **settings: str) -> dict[str, Any]:
    """Return the JSON that a program prints in a project's folder, and its other output."""
    # dlt imports SQLAlchemy to read credentials, where there are any
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("DESTINATION__")
    }
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=project,
        env={**environment, "PYTHONPATH": str(project), **settings},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {**json.loads(done.stdout), "stderr": done.stderr}


SHOP = """
import dagster as dg

from analytics_assets import Api, build_definitions

CLIENT = {"base_url": "https://shop.example.com"}
ENTRY = {"name": "orders", "endpoint": "orders", "primary_key": "id"}
API = Api(
    name="shop",
    config={"client": CLIENT, "resources": [ENTRY]},
    policies={"orders": {"schedule": "15 7 * * *"}},
)


@dg.definitions
def definitions():
    return build_definitions(API)
"""
BOTH = """
import json
from analytics_assets.cli.project import load_apis
from analytics_assets.definitions import definitions
project = definitions()
repository = project.get_repository_def()
print(json.dumps({
    "assets": [key.to_user_string() for key in repository.asset_graph.materializable_asset_keys],
    "schedules": [schedule.name for schedule in repository.schedule_defs],
    "executors": [job.executor_def.name for job in repository.get_all_jobs()],
    "resources": list(project.resources),
    "command_line": list(load_apis()),
}))
"""

REFUSED = """
import json
from analytics_assets.cli.project import load_apis
from analytics_assets.config.errors import ConfigurationError
from analytics_assets.definitions import definitions
refused = {}
for name, load in {"dagster": definitions, "command_line": load_apis}.items():
    try:
        load()
    except ConfigurationError as error:
        refused[name] = str(error)
print(json.dumps(refused))
"""


def test_a_second_api_is_a_second_folder_in_defs(tmp_path: Path) -> None:
    shop = copy_project(tmp_path).with_name("shop")
    shop.mkdir()
    (shop / "api.py").write_text(SHOP)

    found = printed_by(BOTH, tmp_path)

    tables = {f"analytics/{name}" for name in (*API.resources, "load_health")}
    tables |= {"shop/orders", "shop/load_health"}
    assert {name for name in found["assets"] if not name.startswith("example_mart/")} == tables
    assert {"analytics_daily", "shop_daily"} <= set(found["schedules"])
    assert set(found["executors"]) == {"multithread"}
    assert found["resources"] == ["dlt"]
    assert found["command_line"] == ["analytics", "shop"]


@pytest.mark.e2e
def test_an_error_in_the_file_of_an_api_is_named_with_its_line(tmp_path: Path) -> None:
    shop = copy_project(tmp_path).with_name("shop")
    shop.mkdir()
    wrong = {"'syntax": "line 6: unterminated string", "unknown()": "line 6: NameError: name "}
    for line, event in wrong.items():
        (shop / "api.py").write_text(SHOP.replace("CLIENT =", f"{line}\nCLIENT ="))

        refused = printed_by(REFUSED, tmp_path)

        assert refused["command_line"].startswith(f"shop/api.py, {event}")
        assert refused["dagster"] == refused["command_line"]

    (shop / "api.py").write_text(
        SHOP.replace('"endpoint": "orders"', '"endpoint": {"method": "X"}')
    )
    assert printed_by(REFUSED, tmp_path)["dagster"].startswith("shop/api.py, line 7: dlt refuses")


@pytest.mark.e2e
def test_two_apis_whose_resources_have_one_table_are_refused(tmp_path: Path) -> None:
    shop = copy_project(tmp_path).with_name("shop")
    shop.mkdir()
    named = SHOP.replace('"primary_key"', '"table_name": "page_views", "primary_key"')
    (shop / "api.py").write_text(named)

    # each has a dataset of its own
    assert printed_by(REFUSED, tmp_path) == {"stderr": ""}

    refused = printed_by(REFUSED, tmp_path, SOURCES__SHOP__DATASET_NAME="Analytics")

    assert refused["dagster"].startswith("`analytics/page_views` and `shop/orders` have the same")
    assert refused["command_line"].endswith("give one of them another `table_name`.")


@pytest.mark.e2e
def test_apis_with_different_executors_are_refused(tmp_path: Path) -> None:
    shop = copy_project(tmp_path).with_name("shop")
    shop.mkdir()
    own = "build_definitions(API, executor=dg.in_process_executor)"
    (shop / "api.py").write_text(SHOP.replace("build_definitions(API)", own))

    refused = printed_by(REFUSED, tmp_path)

    assert refused["dagster"].startswith("Two APIs in `defs/` have different executors, ")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, clean_place: Path) -> Counter[str]:
    """Calls of slow functions, counted by name; of reads, those of the API's own files."""
    counted: Counter[str] = Counter()

    def count(holder: Any, name: str) -> None:
        real: Callable[..., Any] = getattr(holder, name)

        def counting(*args: Any, **kwargs: Any) -> Any:
            counted[name] += name != "read_text" or args[0].parent == clean_place
            return real(*args, **kwargs)

        monkeypatch.setattr(holder, name, counting)

    count(document_module, "parse_file")
    count(Endpoints, "__init__")
    count(Policy, "merged")
    count(Path, "read_text")
    count(entries, "rest_api_resources")
    return counted


def test_the_document_and_the_file_of_the_api_are_read_once_for_all_resources(
    calls: Counter[str], clean_place: Path
) -> None:
    definitions = build_definitions(api_of(MANY, clean_place))
    definitions.get_repository_def().load_all_definitions()
    assert calls["parse_file"] == calls["__init__"] == 1
    assert calls["read_text"] == 1


def test_dlt_validates_similar_entries_once_and_each_policy_is_merged_once(
    calls: Counter[str], clean_place: Path
) -> None:
    definitions = build_definitions(api_of(MANY, clean_place))
    definitions.get_repository_def().load_all_definitions()
    assert calls["rest_api_resources"] == 1
    assert calls["merged"] == MANY


def test_the_code_link_of_each_resource_leads_to_its_own_line(clean_place: Path) -> None:
    graph = build_definitions(api_of(MANY, clean_place)).resolve_asset_graph()
    lines = {
        number: graph.get(dg.AssetKey(["shop", f"resource_{number}"]))
        .metadata["dagster/code_references"]
        .code_references[0]
        .line_number
        for number in range(MANY)
    }
    assert lines == {number: number + 1 for number in range(MANY)}


def test_loading_imports_nothing_that_only_runs_need_and_opens_no_connection(
    started: dict[str, Any],
) -> None:
    assert started["imported"] == []
    assert started["connections"] == 0


def test_the_garbage_collector_skips_the_definitions_and_the_process_ends_silently(
    started: dict[str, Any],
) -> None:
    assert started["gc_enabled"]
    assert started["gc_frozen"] > 100_000
    assert started["stderr"] == ""


def test_processes_that_load_at_once_share_no_folder(clean_place: Path) -> None:
    before = list(clean_place.iterdir())
    build_definitions(API)
    folder = clean_place / "pipelines"  # each has one of its own there, while it loads
    assert list(folder.iterdir()) == []
    assert list(clean_place.iterdir()) == [*before, folder]
