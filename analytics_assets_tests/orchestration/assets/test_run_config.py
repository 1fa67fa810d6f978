"""The config of one run: a fresh start, another start, and the deletion of data."""

import json
import re
from collections.abc import Mapping
from typing import Any

import dagster as dg
import pytest
import yaml

from analytics_assets.config.api import Api
from analytics_assets.contract.resource import Resource, resource_of
from analytics_assets.defs.analytics.api import API
from analytics_assets.orchestration.assets.run_config import LoadConfig, RunConfigError
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets.orchestration.metadata.names import (
    ROW_COUNT,
    ROWS_DROPPED,
    ROWS_RECEIVED,
)
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import ROOT, TODAY
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.loading import (
    api_with,
    failures_of,
    load,
    metadata_of,
    table_rows,
)
from analytics_assets_tests.support.partitioned import (
    api_by_day,
    days_of,
    load_days,
    metadata_by_day,
)
from analytics_assets_tests.support.sandbox import Sandbox

USERS = "daily_active_users"
VIEWS = "page_views"
INITIAL = "2025-01-01T00:00:00Z"
DROP_ORDERS = {"refresh": "drop_data", "confirm": "orders"}


def start_of(sandbox: Sandbox, resource: str = USERS) -> str | None:
    """Return the time since which the last request asked for changes."""
    read = [each for each in sandbox.requests if each.path == f"/v1/{resource}"]
    return read[-1].query.get("updated_since")


def orders(instance: dg.DagsterInstance, **config: Any) -> dg.ExecuteInProcessResult:
    return load(instance, "orders", api=api_with("orders"), config=config)


def tagged(*numbers: int) -> list[dict[str, Any]]:
    return [{"id": number, "tags": [f"tag {number}"]} for number in numbers]


def by_scd2() -> Resource:
    disposition = {"disposition": "merge", "strategy": "scd2"}
    entry = {**api_with("orders").resources["orders"].entry, "write_disposition": disposition}
    return resource_of(Api(name="shop", config={**API.config, "resources": [entry]}), "orders")


RESOURCES: Mapping[str, Resource] = {
    "users": resource_of(API, USERS),
    "views": resource_of(API, VIEWS),
    "views by day": resource_of(api_by_day(VIEWS), VIEWS),
    "orders as history": by_scd2(),
}


def test_each_field_has_a_description_and_a_default() -> None:
    job = build_definitions(API).resolve_implicit_global_asset_job_def()
    config: Any = job.get_node_named(f"analytics__{VIEWS}").definition.config_schema
    fields = config.config_type.fields

    assert fields.keys() == LoadConfig.model_fields.keys()
    assert all(field.description and not field.is_required for field in fields.values())


def test_a_run_accepts_the_config_that_the_guide_shows() -> None:
    example = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/loading.md").read_text(), re.S)[0]
    job = build_definitions(API).resolve_implicit_global_asset_job_def()

    assert dg.validate_run_config(job, yaml.safe_load(example))


@pytest.mark.parametrize(
    ("resource", "config", "reason"),
    [
        ("views", {"refresh": "drop_data"}, "set `confirm: page_views`; it is ''"),
        (
            "users",
            {"refresh": "drop_state", "confirm": "users"},
            "set `confirm: daily_active_users`; it is 'users'",
        ),
        (
            "views",
            {"start": "2025-07-01"},
            "is for `Incremental` resources, and not for `Full` ones",
        ),
        ("users", {"start": "yesterday"}, "`start` is 'yesterday'; give a date or a time in"),
        ("users", {"start": "2999-01-01"}, "give a date or a time in the past"),
        ("users", {"start": "2025-07-01", "full_refresh": True}, "exclude each other"),
        ("views by day", {"full_refresh": True}, "choose those to load again in place of"),
        ("orders as history", DROP_ORDERS, "does not write unchanged rows again"),
    ],
)
def test_an_invalid_config_is_refused_with_the_remedy(
    resource: str, config: Mapping[str, Any], reason: str
) -> None:
    with pytest.raises(RunConfigError) as refused:
        LoadConfig(**config).validate_for(RESOURCES[resource])

    assert reason in str(refused.value)


def test_a_run_with_an_invalid_config_sends_no_request(
    connected: Sandbox, instance: dg.DagsterInstance
) -> None:
    [reason] = failures_of(load(instance, VIEWS, config={"refresh": "drop_data"})).values()

    assert reason.startswith(f"{VIEWS} was not loaded. `refresh: drop_data` has to be confirmed")
    assert connected.requests == []


def test_a_full_refresh_and_a_start_read_again_and_drop_nothing(
    connected: Sandbox, duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    load(instance, USERS)
    rows = table_rows(duckdb_warehouse, USERS)

    result = load(instance, USERS, config={"full_refresh": True})

    assert start_of(connected) == INITIAL
    assert metadata_of(result, USERS)[ROWS_RECEIVED] == len(rows)
    assert load(instance, USERS, config={"start": "2025-07-20T12:00:00+02:00"}).success
    assert start_of(connected) == "2025-07-20T10:00:00Z"
    load(instance, USERS)
    assert start_of(connected) == "2025-07-29T00:00:00Z"
    assert table_rows(duckdb_warehouse, USERS) == rows


@pytest.mark.parametrize("config", [{"full_refresh": True}, {"refresh": "drop_state"}])
def test_the_state_of_a_cursor_of_the_entrys_own_is_dropped(
    config: dict[str, Any],
    connected: Sandbox,
    duckdb_warehouse: Warehouse,
    instance: dg.DagsterInstance,
) -> None:
    incremental = {
        "cursor_path": "updated_at",
        "initial_value": INITIAL,
        "start_param": "updated_since",
    }
    entry = {
        **API.resources[VIEWS].entry,
        "endpoint": {**API.resources[VIEWS].endpoint, "incremental": incremental},
    }
    api = Api(name=API.name, config={**API.config, "resources": [entry]})
    load(instance, VIEWS, api=api)
    load(instance, VIEWS, api=api)
    assert start_of(connected, VIEWS) == f"{TODAY}T00:00:00Z"

    assert load(instance, VIEWS, api=api, config={**config, "confirm": VIEWS}).success

    assert start_of(connected, VIEWS) == INITIAL


def test_dropped_data_are_the_rows_that_the_run_did_not_bring(
    serve: Any, duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    serve(tagged(1, 2, 3))
    orders(instance)
    serve(tagged(2, 4))

    metadata = metadata_of(orders(instance, **DROP_ORDERS), "orders", api_with("orders"))

    assert [row["id"] for row in table_rows(duckdb_warehouse, "orders")] == [2, 4]
    assert (metadata[ROWS_DROPPED], metadata[ROW_COUNT]) == (2, 2)
    with duckdb_warehouse.open() as tables:
        assert tables.row_count("orders__tags") == 2


def test_dropped_data_of_an_incremental_resource_is_read_from_the_initial_value_on(
    connected: Sandbox, duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    load(instance, USERS)
    rows = table_rows(duckdb_warehouse, USERS)

    assert load(instance, USERS, config={"refresh": "drop_data", "confirm": USERS}).success

    assert start_of(connected) == INITIAL
    assert table_rows(duckdb_warehouse, USERS) == rows


def test_dropped_data_of_a_partitioned_resource_is_that_of_the_chosen_partitions(
    connected: Sandbox, duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    api = api_by_day(VIEWS)
    days = days_of(api)[:3]
    load_days(instance, api, *days)
    rows = table_rows(duckdb_warehouse, VIEWS)
    served = [row for row in rows if row["date"] in days[1:]]
    body = json.dumps({"data": served[1:], "total": len(served) - 1})
    connected.faults.add(Fault(path=f"/v1/{VIEWS}", times=1, body=body))

    config = {"refresh": "drop_data", "confirm": VIEWS}
    assert load_days(instance, api, *days[1:], config=config).success

    assert table_rows(duckdb_warehouse, VIEWS) == [row for row in rows if row != served[0]]
    assert metadata_by_day(instance, api)[days[2]][ROWS_DROPPED] == 1


def test_a_drop_whose_read_fails_leaves_the_table_as_it_was(
    serve: Any, duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    serve(tagged(*range(150)))
    orders(instance)
    sandbox = serve(tagged(*range(100, 300)))
    sandbox.faults.add(Fault(path="/v1/orders", after=1, times=None, status=404))

    assert not orders(instance, **DROP_ORDERS).success

    numbers = [row["id"] for row in table_rows(duckdb_warehouse, "orders")]
    assert numbers == list(range(150))


def test_a_refused_drop_fails_the_run_although_the_rows_are_loaded(
    serve: Any, duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    serve(tagged(1, 2, 3))
    orders(instance)
    serve([*tagged(1, 4), {"id": None}])

    [reason] = failures_of(orders(instance, **DROP_ORDERS)).values()

    assert reason.startswith(
        "orders was loaded, but nothing was dropped. `refresh: drop_data` would delete 2 rows of "
        "`orders` that the API may still have, as 1 of 3 rows was rejected."
    )
    numbers = [row["id"] for row in table_rows(duckdb_warehouse, "orders")]
    assert numbers == [1, 2, 3, 4]
