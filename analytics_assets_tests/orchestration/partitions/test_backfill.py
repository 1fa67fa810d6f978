"""Backfills: a run per window of days, each a request, a load and a transaction of its own."""

from collections import Counter
from datetime import timedelta

import dagster as dg

from analytics_assets.config.load import Full, Partitioned
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.orchestration.partitions.definition import partitions_of
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
    told_of,
)
from analytics_assets_tests.support.sandbox import Sandbox

RESOURCE = "traffic_sources"
PATH = f"/v1/{RESOURCE}"
API = api_by_day(RESOURCE)  # thirty days in two windows
DAYS = days_of(API)
KEY = asset_key(API.resources[RESOURCE])


def partition_status(instance: dg.DagsterInstance) -> Counter[str]:
    """Count the days as the UI shows them: materialized, failed, or neither."""
    how = API.resources[RESOURCE].policy.load
    assert isinstance(how, Partitioned)
    status = instance.get_status_by_partition(KEY, DAYS, partitions_of(how))
    return Counter(str(each.value if each else None) for each in (status or {}).values())


def test_dagster_cuts_a_backfill_into_runs_of_the_longest_window() -> None:
    graph = build_definitions(API).resolve_asset_graph()
    assert graph.get(KEY).backfill_policy == dg.BackfillPolicy.multi_run(15)


def test_a_window_is_one_request_for_its_span_of_days(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    assert load_days(instance, API).success
    queries = [record.query for record in connected.requests if record.path == PATH]
    assert list(dict.fromkeys((each["start_date"], each["end_date"]) for each in queries)) == [
        ("2025-07-02", "2025-07-16"),
        ("2025-07-17", "2025-07-31"),
    ]
    assert len(queries) == 2 * 3  # pages of 225 rows
    assert connected.tokens.issued == 1
    assert table_rows(warehouse, RESOURCE) == api_rows(sandbox_rows(RESOURCE, TODAY))


def test_each_day_has_its_own_row_count_and_the_metadata_of_its_window(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    result = load_days(instance, API, *DAYS[:15])
    events = [event.partition for event in result.get_asset_materialization_events()]
    assert events == DAYS[:15]
    found = told_of(instance, API)
    rows = Counter(row["date"] for row in sandbox_rows(RESOURCE, TODAY) if row["date"] <= DAYS[14])
    assert {day: each["dagster/partition_row_count"] for day, each in found.items()} == rows
    assert found[DAYS[0]]["window"] == "2025-07-02 to 2025-07-16"
    assert found[DAYS[0]]["rows_loaded"] == rows.total()
    assert found[DAYS[0]]["requests"] == 3
    assert found[DAYS[14]]["dagster/row_count"] == rows.total()
    assert "dagster/column_schema" in found[DAYS[14]]


def test_finished_windows_stay_when_a_later_one_fails(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    connected.faults.add(Fault(path=PATH, day="2025-07-20", times=None, status=403))
    [reason] = failures_of(load_days(instance, API)).values()
    assert reason.startswith("traffic_sources was not loaded for 2025-07-17 to 2025-07-31. ")
    assert partition_status(instance) == {"MATERIALIZED": 15, "FAILED": 15}
    assert {row["date"] for row in table_rows(warehouse, RESOURCE)} == set(DAYS[:15])

    connected.faults.clear()
    assert load_days(instance, API, *DAYS[15:]).success
    assert partition_status(instance) == {"MATERIALIZED": 30}
    assert table_rows(warehouse, RESOURCE) == api_rows(sandbox_rows(RESOURCE, TODAY))


def test_a_run_without_partitions_fails_with_the_way_to_choose_them(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    job = build_definitions(API).resolve_implicit_global_asset_job_def()
    [reason] = failures_of(job.execute_in_process(instance=instance, raise_on_error=False)).values()
    assert "traffic_sources is loaded by partitions, and the run selects none" in reason
    assert "choose them in the UI" in reason


def test_a_run_of_more_than_the_longest_window_fails_before_any_request(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    result = load(instance, RESOURCE, api=API, tags=range_tags(DAYS[:16]))
    [reason] = failures_of(result).values()
    assert "The run selects 16 partitions, and `longest_window` is 15: launch a backfill" in reason
    assert connected.requests == []


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
    assert "window" not in metadata_of(result, RESOURCE)
