"""A resource with an `Incremental` policy: after each load the table equals the API."""

import shutil
from datetime import timedelta
from typing import Any

import dagster as dg

from analytics_assets.config.api import Api
from analytics_assets.config.load import Full
from analytics_assets.defs.analytics.api import API
from analytics_assets.orchestration.metadata.names import (
    ROW_COUNT,
    ROWS_EXPECTED,
    ROWS_OF_LOAD,
    ROWS_RECEIVED,
)
from analytics_assets.sandbox import sandbox_rows
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import TODAY
from analytics_assets_tests.support.loading import (
    api_rows,
    change,
    check_of,
    load,
    metadata_of,
    table_rows,
)
from analytics_assets_tests.support.partitioned import api_by_day, api_of, days_of, load_days
from analytics_assets_tests.support.sandbox import Sandbox

USERS = "daily_active_users"
PATH = f"/v1/{USERS}"
DAY = timedelta(days=1)
INCREMENTAL = API.resources[USERS].policy.load


def starts(sandbox: Sandbox) -> list[str | None]:
    """Return the times since which changes were requested, request by request."""
    return [each.query.get("updated_since") for each in sandbox.requests if each.path == PATH]


def equals_api(warehouse: Warehouse, sandbox: Sandbox) -> bool:
    return table_rows(warehouse, USERS) == api_rows(sandbox_rows(USERS, sandbox.today))


def test_each_load_reads_few_rows_and_the_table_equals_the_api(
    connected: Sandbox, duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    received = []
    for days in (0, 1, 9):
        connected.today = TODAY + days * DAY
        result = load(instance, USERS)
        assert result.success
        assert equals_api(duckdb_warehouse, connected)
        received.append(metadata_of(result, USERS)[ROWS_RECEIVED])
    assert received[0] == len(sandbox_rows(USERS, TODAY))
    # six rows a day: a lookback of three days, and four days that were restated since
    assert received[1:] == [48, 90]


def test_a_materialization_has_the_start_of_the_read_and_the_cursor_after_it(
    connected: Sandbox, duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    first = metadata_of(load(instance, USERS), USERS)
    connected.today = TODAY + DAY
    result = load(instance, USERS)
    second = metadata_of(result, USERS)

    assert [first[f"cursor {part}"] for part in ("before", "start", "after")] == [
        "none",
        "2025-01-01T00:00:00Z",
        "2025-08-01T00:00:00+00:00",
    ]
    assert [second[f"cursor {part}"] for part in ("before", "start", "after", "lookback")] == [
        "2025-08-01T00:00:00+00:00",
        "2025-07-29T00:00:00Z",
        "2025-08-02T00:00:00+00:00",
        "3 days, 0:00:00",
    ]
    assert second[ROWS_EXPECTED] == second[ROWS_RECEIVED] == second[ROWS_OF_LOAD] == 48
    assert second[ROW_COUNT] == len(sandbox_rows(USERS, connected.today))
    read, cursor = check_of(result, "complete_read"), check_of(result, "cursor")
    assert read.passed
    text = "48 of 48 rows arrived. Requested were changes since 2025-07-29T00:00:00Z."
    assert text in str(read.description)
    assert cursor.passed
    assert "from 2025-08-01T00:00:00+00:00 to 2025-08-02" in str(cursor.description)


def test_a_machine_with_an_empty_disk_continues_at_the_stored_cursor(
    connected: Sandbox, warehouse: Warehouse
) -> None:
    for days in (0, 1):
        connected.today = TODAY + days * DAY
        with dg.DagsterInstance.ephemeral() as without_history:
            assert load(without_history, USERS).success
        shutil.rmtree(warehouse.pipelines_dir)

    assert starts(connected)[-1] == "2025-07-29T00:00:00Z"
    assert equals_api(warehouse, connected)


def test_changes_between_full_incremental_and_partitioned_lose_no_row(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    began: list[Any] = []
    by_days = api_by_day(USERS)
    ways = (Full(), INCREMENTAL, by_days, INCREMENTAL, Full(), INCREMENTAL)
    for days, way in enumerate(ways):
        connected.today = TODAY + 5 * days * DAY
        before = len(starts(connected))
        if isinstance(way, Api):
            # some of the days only: the stored cursor still asks for changes in the others
            due = days_of(by_days, connected.today)[-2:]
            assert load_days(instance, by_days, *due).success
        else:
            assert load(instance, USERS, api=api_of(USERS, way)).success
            assert equals_api(warehouse, connected)
        began.append(starts(connected)[before])

    assert began == [
        None,
        "2025-01-01T00:00:00Z",  # a full load leaves no cursor
        None,
        "2025-08-03T00:00:00Z",
        None,
        "2025-08-13T00:00:00Z",
    ]


def test_the_load_after_one_that_failed_in_the_warehouse_completes_the_table(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    load(instance, USERS)
    connected.today = TODAY + 9 * DAY
    change(warehouse, USERS, "ALTER TABLE {table} RENAME TO moved")
    change(warehouse, "moved", f"CREATE VIEW analytics.{USERS} AS SELECT DISTINCT * FROM {{table}}")
    assert not load(instance, USERS).success
    change(warehouse, USERS, "DROP VIEW {table}")
    change(warehouse, "moved", f"ALTER TABLE {{table}} RENAME TO {USERS}")
    connected.today += DAY

    assert load(instance, USERS).success
    assert equals_api(warehouse, connected)
