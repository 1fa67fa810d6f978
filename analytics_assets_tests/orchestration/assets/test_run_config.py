"""What may be chosen for one run: a fresh start, a start, and that data is dropped."""

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import dagster as dg
import pytest
import yaml

from analytics_assets.config.api import Api
from analytics_assets.contract.resource import resource_of
from analytics_assets.defs.analytics.api import API
from analytics_assets.orchestration.assets.deletion import drop_other_rows
from analytics_assets.orchestration.assets.run_config import LoadConfig, RunConfigError
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets.sandbox import sandbox_rows
from analytics_assets.warehouse.tables import SpanUnknownError
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import ROOT, TODAY
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.loading import (
    api_rows,
    api_with,
    failures_of,
    load,
    metadata_of,
    table_rows,
)
from analytics_assets_tests.support.partitioned import (
    api_by_day,
    api_of,
    days_of,
    load_days,
    told_of,
)
from analytics_assets_tests.support.sandbox import Sandbox

USERS = "daily_active_users"
VIEWS = "page_views"
INITIAL = "2025-01-01T00:00:00Z"
DROP_ORDERS = {"refresh": "drop_data", "confirm": "orders"}


def began(sandbox: Sandbox, resource: str = USERS) -> str | None:
    """From when on the API was last asked for rows."""
    read = [each for each in sandbox.requests if each.path == f"/v1/{resource}"]
    return read[-1].query.get("updated_since")


def orders(instance: dg.DagsterInstance, **config: Any) -> dg.ExecuteInProcessResult:
    return load(instance, "orders", api=api_with("orders"), config=config)


def of(*numbers: int) -> list[dict[str, Any]]:
    return [{"id": number, "tags": [f"tag {number}"]} for number in numbers]


def keys(warehouse: Warehouse, table: str = "orders") -> list[int]:
    return [row["id"] for row in table_rows(warehouse, table)]


def give_once(sandbox: Sandbox, rows: list[dict[str, Any]]) -> None:
    """Let the API give these page views, whatever days it is asked for next."""
    body = json.dumps({"data": rows, "total": len(rows)})
    sandbox.faults.add(Fault(path=f"/v1/{VIEWS}", times=1, body=body))


def test_each_field_is_described_and_needs_not_be_given() -> None:
    job = build_definitions(API).resolve_implicit_global_asset_job_def()
    config: Any = job.get_node_named(f"analytics__{VIEWS}").definition.config_schema
    fields = config.config_type.fields

    assert fields.keys() == LoadConfig.model_fields.keys()
    assert all(field.description and not field.is_required for field in fields.values())


def test_a_run_accepts_the_config_that_the_guide_shows() -> None:
    example = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/loading.md").read_text(), re.S)[0]
    job = build_definitions(API).resolve_implicit_global_asset_job_def()

    assert dg.validate_run_config(job, yaml.safe_load(example))


def test_a_full_refresh_reads_from_the_initial_value_on_and_drops_nothing(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    load(instance, USERS)
    rows = table_rows(warehouse, USERS)

    result = load(instance, USERS, config={"full_refresh": True})

    assert began(connected) == INITIAL
    assert metadata_of(result, USERS)["rows_received"] == len(rows)
    assert table_rows(warehouse, USERS) == rows
    load(instance, USERS)
    assert began(connected) == "2025-07-29T00:00:00Z"


def test_a_start_may_be_chosen(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    load(instance, USERS)

    assert load(instance, USERS, config={"start": "2025-07-20T12:00:00+02:00"}).success

    assert began(connected) == "2025-07-20T10:00:00Z"


@pytest.mark.parametrize(
    ("resource", "config", "said"),
    [
        (VIEWS, {"refresh": "drop_data"}, "set `confirm: page_views`; it is ''"),
        (USERS, {"refresh": "drop_state", "confirm": "users"}, "set `confirm: daily_active_users`"),
        (VIEWS, {"start": "2025-07-01"}, "policy says `Incremental`, and not `Full`"),
        (USERS, {"start": "yesterday"}, "`start` is 'yesterday'; give a date or a time that has"),
        (USERS, {"start": "2999-01-01"}, "give a date or a time that has been"),
        (USERS, {"start": "2025-07-01", "full_refresh": True}, "exclude each other"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_read(
    connected: Sandbox,
    instance: dg.DagsterInstance,
    resource: str,
    config: Mapping[str, Any],
    said: str,
) -> None:
    reason = failures_of(load(instance, resource, config=config))[f"analytics__{resource}"]

    assert reason.startswith(f"{resource} was not loaded. ")
    assert said in reason
    assert connected.requests == []


def test_partitions_are_chosen_and_not_read_anew_by_a_full_refresh(
    connected: Sandbox, instance: dg.DagsterInstance
) -> None:
    api = api_by_day(VIEWS)

    result = load_days(instance, api, days_of(api)[0], config={"full_refresh": True})

    assert "choose those to load again in place of" in failures_of(result)[f"analytics__{VIEWS}"]
    assert connected.requests == []


def test_data_is_not_dropped_where_rows_that_are_still_there_are_not_written_again() -> None:
    disposition = {"disposition": "merge", "strategy": "scd2"}
    entry = {**api_with("orders").resources["orders"].entry, "write_disposition": disposition}
    api = Api(name="shop", config={**API.config, "resources": [entry]})

    with pytest.raises(RunConfigError, match="does not write unchanged rows again"):
        LoadConfig(**DROP_ORDERS).validate_for(resource_of(api, "orders"))  # type: ignore[arg-type]


def test_a_forgotten_state_makes_the_run_begin_at_the_initial_value(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    load(instance, USERS)
    rows = table_rows(warehouse, USERS)

    assert load(instance, USERS, config={"refresh": "drop_state", "confirm": USERS}).success

    assert began(connected) == INITIAL
    assert table_rows(warehouse, USERS) == rows


def test_the_state_of_a_cursor_of_the_entrys_own_is_forgotten_too(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
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
    assert began(connected, VIEWS) == f"{TODAY}T00:00:00Z"

    assert load(instance, VIEWS, api=api, config={"full_refresh": True}).success

    assert began(connected, VIEWS) == INITIAL


def test_dropped_data_is_what_the_run_did_not_bring_and_its_child_rows(
    serve: Any, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    serve(of(1, 2, 3))
    orders(instance)
    serve(of(2, 4))

    metadata = metadata_of(orders(instance, **DROP_ORDERS), "orders", api_with("orders"))

    assert keys(warehouse) == [2, 4]
    assert metadata["rows_dropped"] == 2
    assert metadata["dagster/row_count"] == 2
    with warehouse.open() as tables:
        assert tables.row_count("orders__tags") == 2


def test_dropped_data_of_an_incremental_resource_is_read_from_the_initial_value_on(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    connected.today = TODAY - timedelta(days=5)
    load(instance, USERS)
    connected.today = TODAY

    assert load(instance, USERS, config={"refresh": "drop_data", "confirm": USERS}).success

    assert began(connected) == INITIAL
    assert table_rows(warehouse, USERS) == api_rows(sandbox_rows(USERS, TODAY))


def test_dropped_data_of_a_partitioned_resource_is_that_of_the_chosen_partitions(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    api = api_by_day(VIEWS)
    assert load_days(instance, api).success
    rows = table_rows(warehouse, VIEWS)
    first, second = days_of(api)[3:5]
    served = [row for row in rows if row["date"] in (first, second)]
    give_once(connected, served[1:])

    result = load_days(
        instance, api, first, second, config={"refresh": "drop_data", "confirm": VIEWS}
    )

    assert result.success
    assert table_rows(warehouse, VIEWS) == [row for row in rows if row != served[0]]
    assert told_of(instance, api)[second]["rows_dropped"] == 1


def test_partitions_whose_rows_are_not_known_in_the_table_are_left_as_they_are(
    warehouse: Warehouse,
) -> None:
    api = api_of(VIEWS, api_by_day(VIEWS).resources[VIEWS].policy.load, date_column="project")
    with warehouse.loading("any") as pipeline:
        pipeline.run([{"id": 1, "project": "a", "_dlt_load_id": "0"}], table_name=VIEWS)
    with warehouse.open() as tables, pytest.raises(SpanUnknownError) as caught:
        drop_other_rows(tables, api.resources[VIEWS], {"load_id": "1"}, days_of(api)[:1])
    assert "`project` of `page_views` is neither a date nor a time" in str(caught.value)


def test_a_drop_that_fails_on_the_way_leaves_the_table_as_it_was(
    serve: Any, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    serve(of(*range(150)))
    orders(instance)
    sandbox = serve(of(*range(100, 300)))
    sandbox.faults.add(Fault(path="/v1/orders", after=1, times=None, status=404))

    assert not orders(instance, **DROP_ORDERS).success

    assert keys(warehouse) == list(range(150))


def test_nothing_is_dropped_where_the_api_gives_no_row(
    serve: Any, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    serve(of(1, 2))
    orders(instance)
    serve([])

    reason = failures_of(orders(instance, **DROP_ORDERS))["analytics__orders"]

    assert "would leave no row in `orders`, as the API gave none. The 2 rows in it stay" in reason
    assert keys(warehouse) == [1, 2]


@pytest.mark.parametrize(
    ("paginator", "served", "said"),
    [
        ({}, [*of(1, 2), {"id": None}], "1 of 3 rows were rejected"),
        ({"limit": 2, "maximum_offset": 2}, of(1, 2, 3), "the read was not complete"),
    ],
)
def test_nothing_is_dropped_where_a_row_that_has_not_come_may_still_be_there(
    paginator: dict[str, Any],
    served: list[Any],
    said: str,
    serve: Any,
    warehouse: Warehouse,
    instance: dg.DagsterInstance,
) -> None:
    serve(of(1, 2, 3))
    orders(instance)
    serve(served)
    entry = dict(api_with("orders").resources["orders"].entry)
    offset = {**entry["endpoint"]["paginator"], **paginator}
    entry["endpoint"] = {**entry["endpoint"], "paginator": offset}
    api = Api(name="analytics", config={**API.config, "resources": [entry]})

    reason = failures_of(load(instance, "orders", api=api, config=DROP_ORDERS))["analytics__orders"]

    assert reason.startswith("orders was loaded, but nothing was dropped. `refresh: drop_data`")
    assert "would delete 1 rows of `orders` that the API may still have, as" in reason
    assert said in reason
    assert keys(warehouse) == [1, 2, 3]


def test_nothing_is_dropped_where_the_api_gives_rows_of_other_days(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    api = api_by_day(VIEWS)
    assert load_days(instance, api).success
    rows = table_rows(warehouse, VIEWS)
    day, next_day = days_of(api)[3:5]
    served = [row for row in rows if row["date"] == day][1:]
    served += [row for row in rows if row["date"] == next_day][:1]
    give_once(connected, served)

    result = load_days(instance, api, day, config={"refresh": "drop_data", "confirm": VIEWS})

    [reason] = failures_of(result).values()
    assert reason.startswith(f"{VIEWS} was loaded, but nothing was dropped for {day}. ")
    assert f"1 of {len(served)} rows belong to other days than the request" in reason
    assert table_rows(warehouse, VIEWS) == rows
