"""Tables and columns that were dropped in the warehouse: loaded again, or said to be missing."""

from collections.abc import Mapping
from typing import Any

import dagster as dg
import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.load import Full
from analytics_assets.defs.analytics.api import API
from analytics_assets.orchestration.assets.dropped import remedy_of
from analytics_assets.orchestration.metadata.names import (
    DROPPED,
)
from analytics_assets.sandbox import sandbox_rows
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import TODAY
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.loading import (
    api_rows,
    change,
    check_of,
    load,
    metadata_of,
    table_rows,
)
from analytics_assets_tests.support.partitioned import api_by_day, days_of, load_days
from analytics_assets_tests.support.sandbox import Sandbox

USERS, VIEWS = "daily_active_users", "page_views"
DROP_TABLE, DROP_COLUMN = "DROP TABLE {table}", "ALTER TABLE {table} DROP COLUMN active_users"


def whole(warehouse: Warehouse, resource: str) -> bool:
    return table_rows(warehouse, resource) == api_rows(sandbox_rows(resource, TODAY))


@pytest.mark.merge
@pytest.mark.parametrize(
    "config",
    [{}, {"refresh": "drop_data", "confirm": VIEWS}, {"refresh": "drop_state", "confirm": VIEWS}],
)
def test_a_dropped_table_is_loaded_again_with_each_run_config(
    connected: Sandbox,
    warehouse: Warehouse,
    instance: dg.DagsterInstance,
    config: Mapping[str, Any],
) -> None:
    load(instance, VIEWS)
    change(warehouse, VIEWS, DROP_TABLE)
    result = load(instance, VIEWS, config=config)
    assert result.success
    assert whole(warehouse, VIEWS)
    assert metadata_of(result, VIEWS)[DROPPED] == (
        "The table `page_views`: dropped in the warehouse, and made again."
    )
    assert DROPPED not in metadata_of(load(instance, VIEWS), VIEWS)


@pytest.mark.parametrize("statement", [DROP_TABLE, DROP_COLUMN])
def test_what_an_incremental_load_does_not_read_is_missing_until_a_full_refresh(
    connected: Sandbox, duckdb_warehouse: Warehouse, instance: dg.DagsterInstance, statement: str
) -> None:
    warehouse = duckdb_warehouse
    assert check_of(load(instance, USERS), "dropped").passed
    change(warehouse, USERS, statement)
    for _load in range(2):
        result = load(instance, USERS)
        assert result.success
        check = check_of(result, "dropped")
        assert not check.passed
        assert check.severity == dg.AssetCheckSeverity.WARN
        assert "Run once with `full_refresh: true`" in str(check.description)
        assert not whole(warehouse, USERS)
    result = load(instance, USERS, config={"full_refresh": True})
    assert check_of(result, "dropped").passed
    assert whole(warehouse, USERS)
    assert check_of(load(instance, USERS), "dropped").passed


def test_a_load_that_fails_after_it_has_made_the_table_again_is_no_excuse(
    connected: Sandbox, duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    load(instance, USERS)
    change(duckdb_warehouse, USERS, DROP_TABLE)
    connected.faults.add(Fault(path=f"/v1/{USERS}", times=None, status=403))
    assert not load(instance, USERS).success
    connected.faults.clear()
    with duckdb_warehouse.loading(API.resources[USERS].pipeline_name, table=USERS) as pipeline:
        pipeline.run([{"id": "x"}], table_name=USERS, primary_key="id", write_disposition="merge")
    assert not check_of(load(instance, USERS), "dropped").passed
    assert check_of(load(instance, USERS, config={"full_refresh": True}), "dropped").passed


def test_partitions_are_missing_until_the_last_one_is_loaded_again(
    connected: Sandbox, duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    api = api_by_day(VIEWS)
    first, second, third, *_ = days_of(api)
    assert check_of(load_days(instance, api, first, third), "dropped").passed
    change(duckdb_warehouse, VIEWS, "ALTER TABLE {table} DROP COLUMN agent")
    result = load_days(instance, api, second)
    assert "Backfill the partitions" in str(check_of(result, "dropped").description)
    assert not check_of(load_days(instance, api, first), "dropped").passed
    assert check_of(load_days(instance, api, third), "dropped").passed


@pytest.mark.parametrize(
    ("part", "remedy"),
    [
        ({"write_disposition": "merge"}, None),
        ({"write_disposition": "replace"}, None),
        ({"write_disposition": "append"}, "a backup"),
        ({"write_disposition": {"disposition": "merge", "strategy": "scd2"}}, "a backup"),
        ({"endpoint": {"params": {"since": "{incremental.start_value}"}}}, "`refresh: drop_state`"),
    ],
)
def test_a_load_of_all_rows_needs_no_remedy(part: Mapping[str, Any], remedy: str | None) -> None:
    entry = {"name": "orders", "primary_key": "id", "write_disposition": "merge", **part}
    api = Api(
        name="shop",
        config={"client": API.config["client"], "resources": [entry]},
        policies={"orders": {"load": Full()}},
    )
    found = remedy_of(api.resources["orders"])
    assert found is None if remedy is None else remedy in str(found)
