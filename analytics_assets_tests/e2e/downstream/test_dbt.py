"""dbt reads the exported sources: it parses, builds on, tests and dates the loaded tables."""

import json
import os
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from sqlalchemy.engine import make_url

from analytics_assets.defs.analytics.api import API
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.e2e.downstream.tools import KEY_TWICE, export, run
from analytics_assets_tests.support.loading import change, load

MODEL = """
select date, sum(page_views) as page_views, max(active_users) as active_users
from {{ source('analytics', 'page_views') }}
join {{ source('analytics', 'daily_active_users') }} using (analytics_id, date)
group by date
"""


@pytest.fixture
def dbt(warehouse: Warehouse, tmp_path: Path) -> Path:
    """A dbt project with the exported sources, a model, and a profile for the warehouse."""
    folder = tmp_path / "dbt"
    models = folder / "models"
    models.mkdir(parents=True)
    settings = {"name": "mart", "profile": "mart", "model-paths": ["models"]}
    (folder / "dbt_project.yml").write_text(yaml.safe_dump(settings))
    target = {
        "type": warehouse.destination_type,
        "schema": "mart",
        "threads": 1,
        **_place(warehouse),
    }
    profiles = {"mart": {"target": "test", "outputs": {"test": target}}}
    (folder / "profiles.yml").write_text(yaml.safe_dump(profiles))
    (models / "daily.sql").write_text(MODEL)
    return folder


def _place(warehouse: Warehouse) -> dict[str, Any]:
    if warehouse.duckdb_file:
        return {"path": str(warehouse.duckdb_file)}
    url = make_url(os.environ["DESTINATION__POSTGRES__CREDENTIALS"])
    return {
        "host": url.query["host"],
        "port": url.port or 5432,
        "user": url.username,
        "password": url.password or "none",
        "dbname": url.database,
    }


def statuses(folder: Path, file: str = "run_results.json") -> dict[str, str]:
    """Return what dbt found, by the name of its node."""
    results = json.loads((folder / "target" / file).read_text())["results"]
    return {result["unique_id"].split(".", 1)[1]: result["status"] for result in results}


def test_dbt_builds_on_the_sources_before_and_after_the_load(
    warehouse: Warehouse, dbt: Path, instance: dg.DagsterInstance
) -> None:
    export("dbt", "--output", dbt / "models")
    parsed = run("dbt", "--no-use-colors", "parse", "--show-all-deprecations", cwd=dbt)
    assert parsed.returncode == 0, parsed.stdout
    assert "deprecat" not in parsed.stdout.lower()
    assert load(instance).success
    export("dbt", "--output", dbt / "models")

    built = run("dbt", "--no-use-colors", "build", cwd=dbt)

    assert built.returncode == 0, built.stdout
    found = statuses(dbt)
    assert set(found.values()) == {"success", "pass"}
    for name in API.resources:
        assert [test for test in found if test.startswith(f"mart.source_unique_analytics_{name}")]
    assert run("dbt", "source", "freshness", cwd=dbt).returncode == 0
    assert set(statuses(dbt, "sources.json").values()) == {"pass"}
    assert len(statuses(dbt, "sources.json")) == len(API.resources)
    manifest = json.loads((dbt / "target" / "manifest.json").read_text())
    keys = {each["name"]: each["meta"]["dagster"] for each in manifest["sources"].values()}
    assert keys == {name: {"asset_key": ["analytics", name]} for name in API.resources}

    change(warehouse, "page_views", KEY_TWICE)
    run("dbt", "test", cwd=dbt)
    failed = {test for test, status in statuses(dbt).items() if status != "pass"}
    assert {test.rpartition(".")[0] for test in failed} == {
        "mart.source_unique_analytics_page_views_id"
    }
