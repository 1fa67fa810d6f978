"""A warehouse that has lost what Dagster remembers: it is told, and loaded again."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from analytics_assets.orchestration.partitions.due import due_runs
from analytics_assets.orchestration.partitions.lost import lost_partitions
from analytics_assets.sandbox import sandbox_rows
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import TODAY
from analytics_assets_tests.support.loading import api_rows, change, table_rows
from analytics_assets_tests.support.partitioned import api_by_day, days_of, load_days
from analytics_assets_tests.support.sandbox import Sandbox

RESOURCE = "page_views"
API = api_by_day(RESOURCE, longest_window=30)
DAYS = days_of(API)
NOW = datetime(TODAY.year, TODAY.month, TODAY.day, 6, tzinfo=UTC)

pytestmark = pytest.mark.usefixtures("connected")


def lost(warehouse: Warehouse, instance: dg.DagsterInstance) -> list[str]:
    with warehouse.open() as tables:
        return lost_partitions(instance, tables, API.resources[RESOURCE], DAYS)


def check_of(result: dg.ExecuteInProcessResult) -> tuple[bool, str]:
    [found] = [
        (evaluation.passed, str(evaluation.description))
        for evaluation in result.get_asset_check_evaluations()
        if evaluation.check_name == "lost_partitions"
    ]
    return found


def test_days_whose_rows_are_gone_are_lost_told_and_due(
    warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    assert check_of(load_days(instance, API))[0]
    assert lost(warehouse, instance) == []

    change(
        warehouse,
        RESOURCE,
        "DELETE FROM {table} WHERE date IN (DATE '2025-07-05', DATE '2025-07-06')",
    )
    assert lost(warehouse, instance) == ["2025-07-05", "2025-07-06"]
    passed, text = check_of(load_days(instance, API, DAYS[-1]))
    assert not passed
    assert text.startswith(
        "The table has fewer rows of 2 than were loaded: 2025-07-05 to 2025-07-06. "
    )
    with warehouse.open() as tables:
        runs = due_runs(instance, tables, list(API.resources.values()), NOW)
    for run in runs:
        load_days(instance, API, *run.partitions)
    assert table_rows(warehouse, RESOURCE) == api_rows(sandbox_rows(RESOURCE, TODAY))
    assert lost(warehouse, instance) == []


def test_in_a_new_warehouse_all_that_dagster_remembers_is_lost(
    warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    load_days(instance, API)
    change(warehouse, RESOURCE, "DROP TABLE {table}")
    assert lost(warehouse, instance) == DAYS


def test_a_day_that_lacks_a_row_has_lost_it(
    warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    load_days(instance, API)
    one = "SELECT min(id) FROM {table} WHERE date = DATE '2025-07-05'"
    change(warehouse, RESOURCE, f"DELETE FROM {{table}} WHERE id IN ({one})")
    assert lost(warehouse, instance) == ["2025-07-05"]


def test_a_day_that_never_had_rows_is_not_lost(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    connected.today = TODAY - timedelta(days=10)
    load_days(instance, API)
    assert lost(warehouse, instance) == []
