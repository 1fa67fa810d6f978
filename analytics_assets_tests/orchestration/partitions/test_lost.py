"""Lost partitions: the table has fewer rows of them than Dagster has recorded."""

from datetime import UTC, datetime

import dagster as dg

from analytics_assets.orchestration.keys import asset_key
from analytics_assets.orchestration.metadata.names import (
    ROW_COUNT,
    ROWS_ELSEWHERE,
    ROWS_MARKED_DELETED,
)
from analytics_assets.orchestration.partitions.due import due_runs
from analytics_assets.orchestration.partitions.lost import (
    is_as_loaded,
    lost_partitions,
    rows_elsewhere,
)
from analytics_assets.warehouse.queries.tables import Tables
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import TODAY
from analytics_assets_tests.support.loading import change
from analytics_assets_tests.support.partitioned import api_by_day, days_of, load_days
from analytics_assets_tests.support.sandbox import Sandbox
from analytics_assets_tests.support.tables import opened_with

RESOURCE = "page_views"
API = api_by_day(RESOURCE, longest_window=30)
VIEWS = API.resources[RESOURCE]
DAYS = days_of(API)
NOW = datetime(TODAY.year, TODAY.month, TODAY.day, 6, tzinfo=UTC)
COLUMNS = "id bigint, date date"


def loaded(instance: dg.DagsterInstance, **rows: int) -> None:
    """Record that days of July 2025 were loaded, and with how many rows."""
    for day, count in rows.items():
        event = dg.AssetMaterialization(
            asset_key(VIEWS),
            partition=f"2025-07-{day.removeprefix('d')}",
            metadata={"dagster/partition_row_count": count},
        )
        instance.report_runless_asset_event(event)


def lost(instance: dg.DagsterInstance, tables: Tables) -> list[str]:
    return [key.removeprefix("2025-07-") for key in lost_partitions(instance, tables, VIEWS, DAYS)]


def test_days_with_fewer_rows_than_were_loaded_are_lost_and_due(
    duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    loaded(instance, d05=1, d06=2, d07=0, d08=1)
    rows = "(1, '2025-07-06'), (2, '2025-07-08'), (3, '2025-07-08')"
    with opened_with(duckdb_warehouse, page_views=(COLUMNS, rows)) as tables:
        assert lost(instance, tables) == ["05", "06"]
        runs = due_runs(instance, {VIEWS.api_name: tables}, [VIEWS], NOW)
        due = {key for run in runs for key in run.partitions}
    assert {"2025-07-05", "2025-07-06"} <= due
    assert not {"2025-07-07", "2025-07-08"} & due


def test_days_with_fewer_rows_are_not_lost_where_the_api_marks_rows_as_deleted(
    duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    loaded(instance, d05=9, d06=9, d07=2)
    event = dg.AssetMaterialization(
        asset_key(VIEWS),
        partition="2025-07-08",
        metadata={ROWS_MARKED_DELETED: 3, "dagster/partition_row_count": 0},
    )
    instance.report_runless_asset_event(event)
    with opened_with(duckdb_warehouse, page_views=(COLUMNS, "(1, '2025-07-06')")) as tables:
        assert lost(instance, tables) == ["05"]


def test_without_a_table_all_days_with_rows_are_lost(
    duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    loaded(instance, d05=1, d06=0)
    with opened_with(duckdb_warehouse) as tables:
        assert lost(instance, tables) == ["05"]


def test_rows_deleted_after_a_load_are_found_by_its_own_counts(
    connected: Sandbox, duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    assert load_days(instance, API, *DAYS[:3]).success
    with duckdb_warehouse.open() as tables:
        assert lost(instance, tables) == []
        assert is_as_loaded(instance, tables, VIEWS)
    one = f"SELECT min(id) FROM {{table}} WHERE date = DATE '{DAYS[1]}'"
    change(duckdb_warehouse, RESOURCE, f"DELETE FROM {{table}} WHERE id IN ({one})")
    with duckdb_warehouse.open() as tables:
        assert lost(instance, tables) == [DAYS[1][-2:]]
        assert not is_as_loaded(instance, tables, VIEWS)


def test_a_load_knows_the_rows_that_it_has_taken_from_other_days(
    instance: dg.DagsterInstance,
) -> None:
    loaded(instance, d05=4, d06=6)
    before = {ROW_COUNT: 10}

    def change(rows: int, **of_days: int) -> dict[str, int]:
        counts = {f"2025-07-{day.removeprefix('d')}": each for day, each in of_days.items()}
        return rows_elsewhere(instance, VIEWS, before, {ROW_COUNT: rows}, counts)

    assert change(13, d07=3) == {ROWS_ELSEWHERE: 0}
    assert change(14, d06=8, d07=2) == {ROWS_ELSEWHERE: 0}
    assert change(11, d07=3) == {ROWS_ELSEWHERE: -2}
    assert change(12, d07=1) == {ROWS_ELSEWHERE: 1}
    # without partitions, or without a load before, it is not known
    assert change(11) == {}
    assert rows_elsewhere(instance, VIEWS, {}, {ROW_COUNT: 1}, {"2025-07-07": 1}) == {}
