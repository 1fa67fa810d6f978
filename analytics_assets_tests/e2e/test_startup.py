"""What the definitions cost to load: everything is read and built once, however many there are."""

import json
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
from analytics_assets.contract.openapi import document as document_room
from analytics_assets.contract.openapi.endpoints import Endpoints
from analytics_assets.defs.analytics.api import API
from analytics_assets.extract import dlt_validation as refusal_room
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets_tests.conftest import ROOT

MANY = 12
# what only runs need, and what nobody asks for
NOT_AT_LOAD = (
    "alembic",
    "dagster_embedded_elt",
    "pandas",
    "pyarrow",
    "sqlalchemy",
    "starlette",
    "uvicorn",
)


def api_of(count: int, place: Path) -> Api:
    """An API with a contract, a policy and an endpoint for each of its resources."""
    row = {"type": "object", "properties": {"id": {"type": "string"}}}
    rows = {"content": {"application/json": {"schema": {"type": "array", "items": row}}}}
    names = [f"resource_{number}" for number in range(count)]
    paths = {f"/v1/{name}": {"get": {"responses": {"200": rows}}} for name in names}
    file = place / "openapi.json"
    file.write_text(json.dumps({"openapi": "3.1.0", "paths": paths}))
    described = place / "described.py"
    described.write_text("\n".join(f'"{name}"' for name in names))
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


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often things were called that take long."""
    counted: Counter[str] = Counter()

    def count(holder: Any, name: str) -> None:
        real: Callable[..., Any] = getattr(holder, name)

        def counting(*args: Any, **kwargs: Any) -> Any:
            counted[name] += 1
            return real(*args, **kwargs)

        monkeypatch.setattr(holder, name, counting)

    count(document_room, "_parsed")
    count(Endpoints, "__init__")
    count(Policy, "merged")
    count(Path, "read_text")
    count(refusal_room, "rest_api_resources")
    return counted


def test_the_document_and_the_file_of_the_api_are_read_once_for_all_resources(
    calls: Counter[str], clean_place: Path
) -> None:
    definitions = build_definitions(api_of(MANY, clean_place))
    definitions.get_repository_def().load_all_definitions()
    assert calls["_parsed"] == calls["__init__"] == 1
    assert calls["read_text"] == 1


def test_dlt_looks_once_at_resources_that_differ_in_name_and_path_and_each_policy_is_merged_once(
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
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # dlt takes SQLAlchemy to read credentials, where there are any
    monkeypatch.delenv("DESTINATION__DUCKDB__CREDENTIALS")
    watched = (
        "import sys\n"
        "sys.addaudithook(lambda event, _: print(event) if event == 'socket.connect' else None)\n"
        "from analytics_assets.definitions import definitions\n"
        "project = definitions()\n"
        f"print(*[name for name in {NOT_AT_LOAD!r} if name in sys.modules])\n"
        "project.get_repository_def().load_all_definitions()"
    )
    done = subprocess.run(
        [sys.executable, "-c", watched], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


def test_what_is_loaded_is_out_of_the_garbage_collectors_sight_and_the_process_ends_silently() -> (
    None
):
    watched = (
        "import gc\n"
        "from analytics_assets.definitions import definitions\n"
        "definitions()\n"
        "print(gc.isenabled(), gc.get_freeze_count() > 100_000)"
    )
    done = subprocess.run(
        [sys.executable, "-c", watched], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, ["True", "True"], "")


def test_processes_that_load_at_once_share_no_folder(clean_place: Path) -> None:
    before = list(clean_place.iterdir())
    build_definitions(API)
    assert list(clean_place.iterdir()) == before
