"""Runs over partitions: each window is one request, one load and one transaction."""

from collections import Counter
from datetime import timedelta

import dagster as dg

from analytics_assets.config.load import Full
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.orchestration.metadata.names import (
    LOAD_ID,
    REQUESTS,
    ROW_COUNT,
    ROWS_LOADED,
    WINDOW,
)
from analytics_assets.orchestration.partitions.definition import partitioned, partitions_of
from analytics_assets.orchestration.runs.tags import range_tags
from analytics_assets.sandbox import sandbox_rows
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import TODAY
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.loading import (
    api_rows,
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
    metadata_by_day,
)
from analytics_assets_tests.support.sandbox import Sandbox

RESOURCE = "traffic_sources"
PATH = f"/v1/{RESOURCE}"
API = api_by_day(RESOURCE)  # thirty days in two windows
DAYS = days_of(API)
KEY = asset_key(API.resources[RESOURCE])


def test_a_window_is_one_request_for_its_span_of_days(
    connected: Sandbox, duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    assert load_days(instance, API).success
    queries = [record.query for record in connected.requests if record.path == PATH]
    assert list(dict.fromkeys((each["start_date"], each["end_date"]) for each in queries)) == [
        ("2025-07-02", "2025-07-16"),
        ("2025-07-17", "2025-07-31"),
    ]
    assert len(queries) == 2 * 3  # pages of 225 rows
    assert connected.tokens.issued == 1
    assert table_rows(duckdb_warehouse, RESOURCE) == api_rows(sandbox_rows(RESOURCE, TODAY))


def test_each_day_has_its_own_row_count_and_the_metadata_of_its_window(
    connected: Sandbox, duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    result = load_days(instance, API, *DAYS[:15])
    events = [event.partition for event in result.get_asset_materialization_events()]
    assert events == DAYS[:15]
    found = metadata_by_day(instance, API)
    rows = Counter(row["date"] for row in sandbox_rows(RESOURCE, TODAY) if row["date"] <= DAYS[14])
    assert {day: each["dagster/partition_row_count"] for day, each in found.items()} == rows
    assert found[DAYS[0]][WINDOW] == "2025-07-02 to 2025-07-16"
    assert found[DAYS[0]][ROWS_LOADED] == rows[DAYS[0]]
    assert found[DAYS[0]][LOAD_ID] == found[DAYS[14]][LOAD_ID]
    assert found[DAYS[14]][ROWS_LOADED] == rows.total()
    assert found[DAYS[14]][REQUESTS] == 3
    assert found[DAYS[14]][ROW_COUNT] == rows.total()
    assert "dagster/column_schema" in found[DAYS[14]]


def test_a_table_loaded_in_full_keeps_its_rows_when_it_is_loaded_by_days_and_back(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    in_full = api_of(RESOURCE, Full())
    assert load(instance, api=in_full).success
    connected.today = TODAY + timedelta(days=1)
    assert load_days(instance, API, *days_of(API, connected.today)[-4:]).success
    assert table_rows(warehouse, RESOURCE) == api_rows(sandbox_rows(RESOURCE, connected.today))
    connected.today = TODAY + timedelta(days=2)
    result = load(instance, api=in_full)
    assert table_rows(warehouse, RESOURCE) == api_rows(sandbox_rows(RESOURCE, connected.today))
    assert WINDOW not in metadata_of(result, RESOURCE)


def test_a_run_of_no_partition_or_of_too_many_fails_before_any_request(
    connected: Sandbox, instance: dg.DagsterInstance
) -> None:
    job = build_definitions(API).resolve_implicit_global_asset_job_def()
    run = job.execute_in_process(instance=instance, asset_selection=[KEY], raise_on_error=False)
    [none] = failures_of(run).values()
    too_many = load(instance, RESOURCE, api=API, tags=range_tags(DAYS[:16]))
    [reason] = failures_of(too_many).values()

    assert "traffic_sources is loaded by partitions, and the run selects none" in none
    assert "choose them in the UI" in none
    assert "The run selects 16 partitions, and `longest_window` is 15: launch a backfill" in reason
    assert connected.requests == []


def test_a_failed_window_leaves_the_days_of_others_materialized(
    connected: Sandbox, duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    short = api_by_day(RESOURCE, longest_window=2)
    connected.faults.add(Fault(path=PATH, day=DAYS[2], times=None, status=403))

    [reason] = failures_of(load_days(instance, short, *DAYS[:4])).values()

    assert reason.startswith(f"traffic_sources was not loaded for {DAYS[2]} to {DAYS[3]}. ")
    partitions = partitions_of(partitioned(API.resources[RESOURCE]))
    found = instance.get_status_by_partition(KEY, DAYS[:4], partitions) or {}
    assert [status.value for status in found.values() if status] == [
        *["MATERIALIZED"] * 2,
        *["FAILED"] * 2,
    ]
    assert {row["date"] for row in table_rows(duckdb_warehouse, RESOURCE)} == set(DAYS[:2])
