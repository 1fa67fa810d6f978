"""A year of days in one run, whose two hundredth day fails: what is there, and what comes next."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import ceil

import dagster as dg

from analytics_assets.config.load import Partitioned
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.orchestration.partitions.definition import partitions_of
from analytics_assets.orchestration.partitions.due import DueRun, due_runs
from analytics_assets.sandbox import sandbox_rows
from analytics_assets.sandbox.series import FIRST_DAY
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.loading import api_rows, failures_of, table_rows
from analytics_assets_tests.support.partitioned import api_by_day, days_of, load_days, told_of
from analytics_assets_tests.support.sandbox import Sandbox

RESOURCE, PATH = "traffic_sources", "/v1/traffic_sources"
TODAY = FIRST_DAY + timedelta(days=366)
API = api_by_day(RESOURCE, longest_window=31)
DAYS = days_of(API, TODAY)
ROWS = sandbox_rows(RESOURCE, TODAY)
NOW = datetime(TODAY.year, TODAY.month, TODAY.day, 6, tzinfo=UTC)


def requests_needed(days: Sequence[str]) -> int:
    """Return how many pages of a hundred rows the windows of some days have."""
    rows = Counter(row["date"] for row in ROWS)
    windows = [days[place : place + 31] for place in range(0, len(days), 31)]
    return sum(ceil(sum(rows[day] for day in window) / 100) for window in windows)


def status_of(instance: dg.DagsterInstance) -> list[str]:
    """Return how the UI shows each day."""
    how = API.resources[RESOURCE].policy.load
    assert isinstance(how, Partitioned)
    found = instance.get_status_by_partition(
        asset_key(API.resources[RESOURCE]), DAYS, partitions_of(how)
    )
    return [str(status.value if status else None) for status in (found or {}).values()]


def due_now(instance: dg.DagsterInstance, warehouse: Warehouse) -> list[DueRun]:
    with warehouse.open() as tables:
        return due_runs(instance, tables, list(API.resources.values()), NOW)


def test_a_year_is_backfilled_although_its_two_hundredth_day_fails(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    connected.today = TODAY
    connected.faults.add(Fault(path=PATH, day=DAYS[199], times=None, status=403))

    result = load_days(instance, API, *DAYS)
    [said] = failures_of(result).values()
    assert said.startswith(f"{RESOURCE} was not loaded for {DAYS[186]} to {DAYS[216]}. ")
    assert status_of(instance) == ["MATERIALIZED"] * 186 + ["FAILED"] * 31 + ["None"] * 149
    assert {row["date"] for row in table_rows(warehouse, RESOURCE)} == set(DAYS[:186])
    sent = len([record for record in connected.requests if record.path == PATH])
    assert sent == requests_needed(DAYS[:186]) + 1  # the one that failed

    connected.faults.clear()
    due = [day for run in due_now(instance, warehouse) for day in run.partitions]
    assert due == DAYS[186:]
    assert load_days(instance, API, *due).success
    assert status_of(instance) == ["MATERIALIZED"] * 366
    assert table_rows(warehouse, RESOURCE) == api_rows(ROWS)
    sent = len([record for record in connected.requests if record.path == PATH])
    assert sent == requests_needed(DAYS[:186]) + 1 + requests_needed(DAYS[186:])
    assert connected.tokens.issued == 1
    told = {each["window"]: each["requests"] for each in told_of(instance, API).values()}
    assert sum(told.values()) == sent - 1

    [last] = due_now(instance, warehouse)
    assert list(last.partitions) == DAYS[-4:]
