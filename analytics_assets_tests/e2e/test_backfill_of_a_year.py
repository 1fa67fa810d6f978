"""A year of days as Dagster's own backfill, with a fault on day 200, and its re-execution."""

from datetime import timedelta
from pathlib import Path

import dagster as dg
from dagster._core.execution.backfill import BulkActionStatus

from analytics_assets.orchestration.keys import asset_key
from analytics_assets.orchestration.partitions.definition import partitioned, partitions_of
from analytics_assets.orchestration.runs.tags import RANGE_END, RANGE_START
from analytics_assets.sandbox import sandbox_rows
from analytics_assets.sandbox.series import FIRST_DAY
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.e2e.year import API
from analytics_assets_tests.support.deployment import Deployment, wait_until
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.loading import api_rows, table_rows
from analytics_assets_tests.support.partitioned import days_of
from analytics_assets_tests.support.sandbox import Sandbox

RESOURCE = API.resources["traffic_sources"]
TODAY = FIRST_DAY + timedelta(days=366)
DAYS = days_of(API, TODAY)
ROWS = sandbox_rows(RESOURCE.name, TODAY)
FIRST, SECOND, THIRD, LAST = (DAYS[start : start + 92] for start in range(0, 366, 92))
PATIENCE = 900  # seconds for the runs of a backfill on a busy machine


def runs_of(instance: dg.DagsterInstance, backfill: str) -> dict[tuple[str, str], str]:
    """Return the status of a backfill's runs by their first and last day."""
    found = instance.get_runs(dg.RunsFilter.for_backfill(backfill))
    return {(run.tags[RANGE_START], run.tags[RANGE_END]): run.status.value for run in found}


def wait_for_end(instance: dg.DagsterInstance, backfill: str) -> BulkActionStatus:
    """Return the status with which a backfill ends."""

    def ended() -> BulkActionStatus | None:
        status = getattr(instance.get_backfill(backfill), "status", None)
        unfinished = (BulkActionStatus.REQUESTED, BulkActionStatus.FAILING, None)
        return None if status in unfinished else status

    status = wait_until(ended, "the end of a backfill", PATIENCE)
    assert isinstance(status, BulkActionStatus)
    return status


def status_of(instance: dg.DagsterInstance, days: list[str]) -> list[str]:
    """Return the status of some days in the UI."""
    partitions = partitions_of(partitioned(RESOURCE))
    found = instance.get_status_by_partition(asset_key(RESOURCE), days, partitions)
    return [status.value if status else "" for status in (found or {}).values()]


def test_a_year_keeps_its_finished_windows_and_reexecution_loads_the_failed_one(
    connected: Sandbox, duckdb_warehouse: Warehouse, clean_place: Path
) -> None:
    connected.today = TODAY
    path = f"/v1/{RESOURCE.name}"
    connected.faults.add(Fault(path=path, day=DAYS[199], times=None, status=403))
    with (
        Deployment(clean_place, "analytics_assets_tests.e2e.year") as deployment,
        dg.DagsterInstance.from_config(str(clean_place)) as instance,
    ):
        deployment.start("webserver")
        deployment.start("daemon")
        backfill = deployment.backfill(asset_key(RESOURCE).to_user_string(), DAYS)

        assert wait_for_end(instance, backfill) == BulkActionStatus.COMPLETED_FAILED
        assert runs_of(instance, backfill) == {
            (FIRST[0], FIRST[-1]): "SUCCESS",
            (SECOND[0], SECOND[-1]): "SUCCESS",
            (THIRD[0], THIRD[-1]): "FAILURE",
            (LAST[0], LAST[-1]): "SUCCESS",
        }
        finished = {*FIRST, *SECOND, *LAST}
        assert {row["date"] for row in table_rows(duckdb_warehouse, RESOURCE.table)} == finished
        assert status_of(instance, THIRD) == ["FAILED"] * 92

        connected.faults.clear()
        requests = len(connected.requests)
        again = deployment.reexecute_backfill(backfill)

        assert wait_for_end(instance, again) == BulkActionStatus.COMPLETED_SUCCESS
        assert runs_of(instance, again) == {(THIRD[0], THIRD[-1]): "SUCCESS"}
        assert status_of(instance, DAYS) == ["MATERIALIZED"] * 366
    asked = {
        (each.query["start_date"], each.query["end_date"])
        for each in connected.requests[requests:]
        if each.path == path
    }
    assert asked == {(THIRD[0], THIRD[-1])}
    assert table_rows(duckdb_warehouse, RESOURCE.table) == api_rows(ROWS)
