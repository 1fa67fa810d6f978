"""Checks of assets by Dagster: of a load, of a table alone, and of a missing table."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import dlt
import psutil
import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.load import Full, Incremental, Load
from analytics_assets.contract.resource import resource_of
from analytics_assets.defs.analytics.api import API
from analytics_assets.orchestration.checks.definitions import CHECKS
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import TODAY
from analytics_assets_tests.support.http.exchange import Exchange
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.loading import change, load
from analytics_assets_tests.support.orders import document_of, orders_api
from analytics_assets_tests.support.sandbox import Sandbox

OF_THE_TABLE = {"rows_present", "primary_key", "newest_data", "columns_unchanged"}
ALL = OF_THE_TABLE | {"complete_read", "no_rejected_rows", "contract_drift", "former_configuration"}


def outcomes(result: dg.ExecuteInProcessResult) -> dict[str, tuple[bool, str]]:
    """Return the outcome and the text of each check."""
    return {
        evaluation.check_name: (evaluation.passed, str(evaluation.description))
        for evaluation in result.get_asset_check_evaluations()
    }


def run_checks_alone(instance: dg.DagsterInstance) -> dict[str, tuple[bool, str]]:
    """Run the checks of `page_views` without loading it."""
    selection = dg.AssetSelection.checks_for_assets(asset_key(API.resources["page_views"]))
    jobs = dg.Definitions(jobs=[dg.define_asset_job("checks", selection)])
    job = dg.Definitions.merge(build_definitions(API), jobs).resolve_job_def("checks")
    return outcomes(job.execute_in_process(instance=instance))


def test_checks_run_after_each_load_and_compare_columns_with_the_load_before(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    first = outcomes(load(instance, "page_views"))
    assert first.keys() == ALL
    assert {name for name, (passed, _) in first.items() if not passed} == {"newest_data"}
    assert str(TODAY - timedelta(days=1)) in first["newest_data"][1]
    assert first["columns_unchanged"] == (True, "This is the first load.")

    change(warehouse, "page_views", "ALTER TABLE {table} ADD COLUMN extra VARCHAR")
    added = (False, "added extra (text)")
    # checks alone compare with the last load, a load with the one before
    assert run_checks_alone(instance)["columns_unchanged"] == added
    assert outcomes(load(instance, "page_views"))["columns_unchanged"] == added
    assert outcomes(load(instance, "page_views"))["columns_unchanged"][0]


def test_a_load_that_fails_leaves_the_results_of_the_checks_as_they_were(
    connected: Sandbox, duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    before = outcomes(load(instance, "page_views"))
    connected.faults.add(Fault(path="/v1/page_views", times=None, status=403))
    failed = load(instance, "page_views")
    assert not failed.success
    assert outcomes(failed) == {}

    asset = asset_key(API.resources["page_views"])
    keys = [dg.AssetCheckKey(asset, name) for name in before]
    latest = instance.event_log_storage.get_latest_asset_check_execution_by_key(keys)

    kept = {key.name: record.evaluation for key, record in latest.items()}
    assert {record.run_id for record in latest.values()} == {failed.run_id}
    assert {name: (each.passed, each.description) for name, each in kept.items() if each} == before


def test_a_missing_table_fails_every_check_of_it(
    duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    after = run_checks_alone(instance)
    assert {name: after[name] for name in OF_THE_TABLE} == dict.fromkeys(
        OF_THE_TABLE, (False, "The table does not exist.")
    )
    assert after["complete_read"] == (False, "The asset was never loaded.")


@pytest.mark.parametrize("load_of", [Full(), Incremental(initial_value="2025-01-01T00:00:00Z")])
def test_all_checks_of_an_api_without_rows_pass(
    load_of: Load,
    serve: Any,
    duckdb_warehouse: Warehouse,
    instance: dg.DagsterInstance,
    tmp_path: Path,
) -> None:
    serve([])
    fields = {"id": {"type": "integer"}, "updated_at": {"type": "string", "format": "date-time"}}
    openapi = document_of(tmp_path / "kept.json", fields, ["id"])
    api = replace(orders_api(openapi, load=load_of), openapi_path="/none.json")
    for _ in range(2):
        found = outcomes(load(instance, api=api))
        assert {name: text for name, (passed, text) in found.items() if not passed} == {}
    yet = "Does not apply: the API has no rows yet."
    assert {found[name][1] for name in OF_THE_TABLE - {"newest_data"}} == {yet}


def test_a_table_that_lost_all_its_rows_fails(
    connected: Sandbox, duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    load(instance, "page_views")
    change(duckdb_warehouse, "page_views", "DELETE FROM {table}")

    assert run_checks_alone(instance)["rows_present"] == (False, "0 rows.")


def test_the_warehouse_is_closed_while_a_check_waits_for_the_api(
    connected: Sandbox, closed_duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    load(instance, "page_views")
    for file in closed_duckdb_warehouse.pipelines_dir.glob("*.state"):
        file.unlink()
    opened: list[bool] = []

    def answer(exchange: Exchange) -> None:
        opened.append(is_open(closed_duckdb_warehouse.duckdb_file))
        exchange.answer(exchange.proper())

    connected.faults.add(Fault(path="/openapi.json", does=answer))

    assert run_checks_alone(instance)["contract_drift"][0]
    assert opened == [False]


def is_open(file: Path | None) -> bool:
    """Return True if this process has a file open."""
    return str(file) in {each.path for each in psutil.Process().open_files()}


def test_the_document_of_an_api_is_fetched_once_for_all_resources_and_runs(
    connected: Sandbox, duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    for _ in range(2):
        load(instance, "page_views", "daily_active_users")

    assert [each.path for each in connected.requests].count("/openapi.json") == 1


def test_a_resource_function_has_no_check_of_a_read_that_is_not_verified() -> None:
    own = dlt.resource([{"id": 1}], name="own")
    config = {"client": {"base_url": "https://shop.example.com"}, "resources": [own, "orders"]}
    shop = Api(name="shop", config=config)
    names = {"complete_read", "no_rejected_rows"}

    assert all(CHECKS[name].applies(resource_of(shop, "orders")) for name in names)
    assert not any(CHECKS[name].applies(resource_of(shop, "own")) for name in names)
