"""The asset `load_health`, in runs of an API's own job."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import dagster as dg
import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.errors import ConfigurationError
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets.orchestration.keys import asset_key, load_health_key
from analytics_assets.orchestration.load_health import asset
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.loading import change, table_values
from analytics_assets_tests.support.orders import orders_api
from analytics_assets_tests.support.sandbox import Sandbox

ROWS = [{"id": 1}, {"id": 2}]
Serve = Callable[[list[Any]], Sandbox]


def run(
    instance: dg.DagsterInstance, *resources: str, api: Api | None = None
) -> dg.ExecuteInProcessResult:
    """Load some resources, and then `load_health`, in one run."""
    api = api or orders_api()
    keys = [asset_key(api.resources[resource]) for resource in resources]
    job = build_definitions(api).resolve_implicit_global_asset_job_def()
    return job.execute_in_process(
        instance=instance,
        asset_selection=[load_health_key(api.name), *keys],
        raise_on_error=False,
    )


def loads(warehouse: Warehouse) -> list[dict[str, Any]]:
    return table_values(warehouse.pipeline("test_reader"), "load_health", "started_at")


def metadata(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    [event] = [
        event
        for event in result.get_asset_materialization_events()
        if event.asset_key == load_health_key("shop")
    ]
    found = event.step_materialization_data.materialization.metadata
    return {name: value.value for name, value in found.items()}


def test_loads_of_the_same_run_are_in_the_table_also_one_that_failed(
    warehouse: Warehouse, instance: dg.DagsterInstance, serve: Serve
) -> None:
    api = serve(ROWS)
    run(instance, "orders")
    api.faults.add(Fault(path="/v1/orders", status=404, times=None))
    failed = run(instance, "orders")

    assert not failed.success
    first, second = loads(warehouse)
    assert (first["outcome"], first["rows_loaded"], first["rows_in_table"]) == ("loaded", 2, 2)
    assert (first["requests"], first["complete"], first["error"]) == (2, True, None)
    assert first["bytes_received"] > 0
    assert (second["outcome"], second["run_id"]) == ("failed", failed.run_id)
    assert second["error"].startswith("orders was not loaded.")
    numbers = metadata(failed)
    assert (numbers["loads in 7 days"], numbers["failed loads in 7 days"]) == (2, 1)
    assert (numbers["rows loaded in 7 days"], numbers["dagster/row_count"]) == (2, 2)
    assert numbers["by week"].startswith("![")


def test_before_the_first_load_there_is_no_table(
    warehouse: Warehouse, instance: dg.DagsterInstance, serve: Serve
) -> None:
    serve(ROWS)

    numbers = metadata(run(instance))

    assert (numbers["loads in 7 days"], numbers["dagster/row_count"]) == (0, 0)
    assert "by week" not in numbers
    with warehouse.open() as tables:
        assert not tables.columns("load_health")


def test_what_was_read_of_the_history_is_not_read_again(
    duckdb_warehouse: Warehouse,
    instance: dg.DagsterInstance,
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(asset, "OVERLAP", timedelta(0))
    serve(ROWS)
    run(instance, "orders")
    read_until = metadata(run(instance))["history read until"]
    change(duckdb_warehouse, "load_health", "UPDATE {table} SET rows_loaded = 99")
    second = run(instance, "orders")

    assert [row["rows_loaded"] for row in loads(duckdb_warehouse)] == [99, 2]
    assert metadata(second)["history read until"] > read_until

    change(duckdb_warehouse, "load_health", "DROP TABLE {table}")
    run(instance)
    assert [row["rows_loaded"] for row in loads(duckdb_warehouse)] == [2, 2]


def test_apis_with_one_dataset_share_the_table(
    duckdb_warehouse: Warehouse, instance: dg.DagsterInstance, serve: Serve
) -> None:
    serve(ROWS)
    shop = orders_api()
    other = Api(
        name="branch",
        config={
            **shop.config,
            "resources": [{**shop.resources["orders"].entry, "table_name": "branch_orders"}],
        },
    )
    for api in (shop, other, shop):
        run(instance, "orders", api=api)

    assert [row["api"] for row in loads(duckdb_warehouse)] == ["shop", "branch", "shop"]
    with duckdb_warehouse.open() as tables:
        assert [tables.load_health(name).count() for name in ("shop", "branch", "none")] == [
            2,
            1,
            0,
        ]


@pytest.mark.parametrize("entry", [{"name": "load_health"}, {"table_name": "load_health"}])
def test_the_name_is_refused_for_a_resource_and_its_table(entry: dict[str, str]) -> None:
    config = {
        "client": {"base_url": "https://shop.example.com"},
        "resources": [{"name": "orders", "endpoint": "/v1/orders", **entry}],
    }
    with pytest.raises(ConfigurationError, match="`load_health` have the outcome of each load"):
        Api(name="shop", config=config)


def test_an_error_with_control_characters_is_recorded(
    warehouse: Warehouse, instance: dg.DagsterInstance, serve: Serve
) -> None:
    api = serve(ROWS)
    api.faults.add(Fault(path="/v1/orders", status=404, body="no \x00 order\x1b[2J", times=None))
    run(instance, "orders")

    [load] = loads(warehouse)
    assert load["error"].endswith("no \ufffd order\ufffd[2J")
