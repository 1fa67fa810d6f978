"""Runs without a setting that they need: they name it, and load nothing."""

from pathlib import Path

import dagster as dg
import pytest

from analytics_assets.defs.analytics.api import API
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.loading import failures_of, load
from analytics_assets_tests.support.sandbox import Sandbox


def test_a_missing_secret_fails_the_run_with_its_name(
    connected: Sandbox,
    duckdb_warehouse: Warehouse,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CLIENT_SECRET")
    reason = failures_of(load(instance, "page_views"))["analytics__page_views"]
    assert reason.startswith(
        "page_views was not loaded. The analytics API needs the setting `client_secret`, which is "
        'missing: set the environment variable CLIENT_SECRET or write client_secret = "..." into '
        ".dlt/secrets.toml in the folder in which the command runs. Searched were the environment, "
    )


def test_a_run_without_a_base_url_loads_nothing_into_a_warehouse_of_ones_own(
    clean_place: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SANDBOX__ENABLED")
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", str(clean_place / "production.duckdb"))
    reason = failures_of(load(instance, "page_views"))["analytics__page_views"]
    assert "page_views was not loaded. The analytics API needs the setting `base_url`" in reason
    assert "as `destination.duckdb.credentials` is not the default" in reason
    with Warehouse.from_settings(API.name).open() as tables:
        assert not tables.columns("page_views")
