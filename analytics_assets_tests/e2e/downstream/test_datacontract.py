"""datacontract-cli reads the exported contracts, and holds the loaded tables against them."""

import os
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy.engine import make_url

from analytics_assets.defs.analytics.api import API
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.e2e.downstream.tools import KEY_TWICE, export, run
from analytics_assets_tests.support.loading import change, load

LOADED = ("page_views", "daily_active_users")


@pytest.fixture
def place(warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder, with rows of today and the credentials that datacontract-cli takes."""
    monkeypatch.setenv("SANDBOX__TODAY", datetime.now(UTC).date().isoformat())
    if not warehouse.is_duckdb:
        url = make_url(os.environ["DESTINATION__POSTGRES__CREDENTIALS"])
        monkeypatch.setenv("DATACONTRACT_POSTGRES_USERNAME", str(url.username))
        monkeypatch.setenv("DATACONTRACT_POSTGRES_PASSWORD", str(url.password or "none"))
    return tmp_path


def contract_of(name: str) -> str:
    return f"contracts/analytics.{name}.odcs.yaml"


def test_every_contract_is_valid_and_the_tables_keep_to_theirs(
    warehouse: Warehouse, place: Path, instance: dg.DagsterInstance
) -> None:
    export("odcs", "--output", place / "contracts")
    for name in API.resources:
        valid = run("datacontract", "lint", contract_of(name), cwd=place)
        assert valid.returncode == 0, valid.stdout
    assert load(instance, *LOADED).success

    for name in LOADED:
        kept = run("datacontract", "test", contract_of(name), cwd=place)
        assert kept.returncode == 0, kept.stdout + kept.stderr
        assert f"Freshness of {name}.date" in kept.stdout

    change(warehouse, "page_views", KEY_TWICE)
    broken = run("datacontract", "test", contract_of("page_views"), cwd=place)
    assert broken.returncode == 1
    assert "unique field id" in broken.stdout
