"""An upgrade: a warehouse and a history of the first release, and tables of a later one.

`first_release.tar.xz` has both, of the first commit with assets, 2589401b. In a folder with its
`dagster.yaml`, `SANDBOX__TODAY=2025-07-08 analytics-assets materialize` wrote them by its code with
Dagster 1.13.1, dlt 1.31.0 and DuckDB 2.0.0; then `.dagster/logs` was removed.
"""

import tarfile
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from analytics_assets.cli.instance import open_instance
from analytics_assets.sandbox import sandbox_rows
from analytics_assets.warehouse.evolution import layout_version
from analytics_assets.warehouse.evolution.layout_version import LAYOUT, layout_of
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.cli.conftest import Invoke
from analytics_assets_tests.support.loading import api_rows, table_rows
from analytics_assets_tests.support.sandbox import Sandbox

RELEASE = Path(__file__).with_name("first_release.tar.xz")
LATER = date(2025, 7, 10)
RESOURCES = ("website_overview", "daily_active_users", "traffic_sources", "page_views")


def test_tables_and_history_of_the_first_release_are_loaded_on(
    invoke: Invoke, duckdb_warehouse: Warehouse, clean_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tarfile.open(RELEASE) as archive:
        archive.extractall(clean_place, filter="data")
    monkeypatch.setenv("SANDBOX__TODAY", LATER.isoformat())

    done = invoke("materialize")

    assert done.exit_code == 0, done.output
    for resource in RESOURCES:
        expected = api_rows(sandbox_rows(resource, LATER))
        found = table_rows(duckdb_warehouse, resource)
        assert [{field: row[field] for field in expected[0]} for row in found] == expected
    with open_instance() as instance:
        assert len(instance.get_runs()) > 1
        loads = instance.fetch_materializations(
            dg.AssetKey(["analytics", "page_views"]), limit=9
        ).records
    assert len(loads) == 2
    with duckdb_warehouse.open() as tables:
        assert layout_of(tables.state("analytics_page_views")) == LAYOUT


def test_tables_of_a_later_release_are_refused_before_the_api_is_asked(
    invoke: Invoke,
    connected: Sandbox,
    duckdb_warehouse: Warehouse,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as later:
        later.setattr(layout_version, "LAYOUT", LAYOUT + 1)
        assert invoke("materialize", "page_views").exit_code == 0
    rows = table_rows(duckdb_warehouse, "page_views")
    connected.requests.clear()

    done = invoke("materialize", "page_views")

    assert done.exit_code == 1
    text = " ".join(done.stdout.split())
    assert (
        f"a later release of this project has loaded it, with layout {LAYOUT + 1} of its tables; "
        f"this one knows layouts up to {LAYOUT}. Nothing was touched."
    ) in text
    assert connected.requests == []
    assert table_rows(duckdb_warehouse, "page_views") == rows
