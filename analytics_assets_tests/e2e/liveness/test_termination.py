"""A run that is terminated in the UI while it loads several tables leaves them as they were."""

from pathlib import Path

import dagster as dg
import pytest

from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.deployment import Deployment, wait_until
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.loading import failures_of, load, table_rows
from analytics_assets_tests.support.sandbox import Sandbox

TABLES = ("page_views", "daily_active_users")
DELAY = 1200.0  # seconds of an answer, in which the run is terminated


def test_a_terminated_run_leaves_its_tables_as_they_were_and_unlocked(
    connected: Sandbox,
    warehouse: Warehouse,
    instance: dg.DagsterInstance,
    clean_place: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("DATASET_NAME")
    warehouse = Warehouse.from_settings("analytics")
    assert failures_of(load(instance, *TABLES)) == {}
    before = {table: table_rows(warehouse, table) for table in TABLES}
    for table in TABLES:
        connected.faults.add(Fault(path=f"/v1/{table}", times=None, delay=DELAY))
    connected.requests.clear()

    with (
        Deployment(clean_place, "analytics_assets.definitions") as deployment,
        # two programs that make the files of the history at once can fail
        dg.DagsterInstance.from_config(str(clean_place)) as history,
    ):
        deployment.start("webserver")
        deployment.start("daemon")
        run = deployment.launch(
            [f"analytics/{table}" for table in TABLES], "__ASSET_JOB", {"analytics": "slow"}
        )
        loads = 1 if warehouse.is_duckdb else len(TABLES)

        def are_loading() -> bool:
            failures = history.all_logs(run, dg.DagsterEventType.STEP_FAILURE)
            assert status(history, run).value != "FAILURE", [each.message for each in failures]
            return len(asked_for(connected)) == loads

        wait_until(are_loading, "the loads")
        deployment.terminate(run)
        wait_until(lambda: status(history, run).value == "CANCELED", "the end of the run")
        pools = history.event_log_storage
        slots = [pools.get_concurrency_info(pool) for pool in pools.get_concurrency_keys()]
    assert slots
    assert not [slot for slot in slots if slot.claimed_slots or slot.pending_steps]
    connected.faults.clear()
    assert {table: table_rows(warehouse, table) for table in TABLES} == before
    monkeypatch.setenv("LOCK_PATIENCE", "0")
    assert failures_of(load(instance, *TABLES)) == {}


def asked_for(sandbox: Sandbox) -> set[str]:
    """The tables that have been asked for."""
    return {each.path.rpartition("/")[2] for each in list(sandbox.requests)} & {*TABLES}


def status(instance: dg.DagsterInstance, run: str) -> dg.DagsterRunStatus:
    found = instance.get_run_by_id(run)
    assert found
    return found.status
