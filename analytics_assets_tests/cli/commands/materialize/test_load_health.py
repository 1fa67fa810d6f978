"""The record of the loads of `materialize` in the table `load_health`."""

from typing import Any

import pytest

from analytics_assets.orchestration.load_health import asset
from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.cli.conftest import Invoke

COUNTS = "SELECT resource, outcome, count(*) FROM analytics.load_health GROUP BY 1, 2 ORDER BY 1, 2"


def test_all_loads_of_a_command_are_recorded_also_those_that_fail(
    duckdb_warehouse: Warehouse, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert invoke("materialize", "page_views", "traffic_sources").exit_code == 0
    monkeypatch.setenv("BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("RUNTIME__REQUEST_MAX_ATTEMPTS", "1")
    assert invoke("materialize", "page_views").exit_code == 1

    loaded = [("page_views", "loaded", 1), ("traffic_sources", "loaded", 1)]
    assert duckdb_warehouse.query(COUNTS) == [("page_views", "failed", 1), *loaded]


def test_loads_that_cannot_be_recorded_are_loaded_all_the_same(
    duckdb_warehouse: Warehouse, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise WarehouseError("the disk is full")

    monkeypatch.setattr(asset, "health_metadata", refuse)
    done = invoke("materialize", "page_views")

    assert done.exit_code == 0
    assert "The loads are not recorded in `load_health`: " in done.stdout
    assert "the disk is full" in done.stdout
