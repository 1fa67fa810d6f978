"""The check `primary_key` over several loads: of the keys of each load, and of all when it must."""

import time
from collections.abc import Callable
from typing import Any

import dagster as dg
import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.load import Incremental
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.loading import change, check_of, load
from analytics_assets_tests.support.orders import orders_api

AT = "2026-01-31T00:00:00Z"
SHOP = orders_api(load=Incremental(param="since", field="at", initial_value=AT))
TWICE = "INSERT INTO {table} SELECT * FROM {table} WHERE id = %d"


@pytest.fixture
def shop(
    serve: Callable[[list[Any]], object],
    instance: dg.DagsterInstance,
    duckdb_warehouse: Warehouse,
) -> Api:
    """The API after a load of ten orders."""
    serve([{"id": number, "at": AT} for number in range(10)])
    assert text_of(load(instance, "orders", api=SHOP)) == "0 rows without a key, 0 keys more than o"
    return SHOP


def text_of(result: dg.ExecuteInProcessResult) -> str:
    return str(check_of(result, "primary_key").description)[:40]


def test_a_key_twice_is_found_by_a_load_of_that_key(
    shop: Api,
    serve: Callable[[list[Any]], object],
    instance: dg.DagsterInstance,
    duckdb_warehouse: Warehouse,
) -> None:
    serve([{"id": 1, "at": AT}])
    assert text_of(load(instance, "orders", api=shop)) == "Of the last load, 0 rows without a key, "
    change(duckdb_warehouse, "orders", TWICE % 2)
    passed = check_of(load(instance, "orders", api=shop), "primary_key")
    assert passed.passed  # of another key

    job = build_definitions(shop).resolve_job_def("shop_checks")
    failed = check_of(job.execute_in_process(instance=instance), "primary_key")
    assert failed.description == "0 rows without a key, 1 key more than once."
    # a load that has nothing to do with the key does not hide it
    again = check_of(load(instance, "orders", api=shop), "primary_key")
    assert (again.passed, again.description) == (False, failed.description)


def test_rows_of_a_load_that_no_run_has_recorded_are_looked_at(
    shop: Api,
    serve: Callable[[list[Any]], object],
    instance: dg.DagsterInstance,
    duckdb_warehouse: Warehouse,
) -> None:
    serve([{"id": 1, "at": AT}])
    load(instance, "orders", api=shop)
    # as a load leaves them that fails after its merge
    unrecorded = "INSERT INTO {table} SELECT * REPLACE (%s AS _dlt_load_id) FROM {table} %s"
    change(duckdb_warehouse, "orders", unrecorded % (f"'{time.time()}'", "WHERE id = 2"))
    failed = check_of(load(instance, "orders", api=shop), "primary_key")
    assert failed.description == "0 rows without a key, 1 key more than once."
