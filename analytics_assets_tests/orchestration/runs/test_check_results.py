"""Results of checks in the state that the UI reads, after a run that failed before they ran."""

import asyncio
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import pytest
from dagster._core.definitions.asset_health.asset_check_health import AssetCheckHealthState
from dagster._core.events import EngineEventData
from dagster._core.loader import LoadingContextForTest
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecord

from analytics_assets.config.api import Api
from analytics_assets.orchestration.automation.housekeeping import build_housekeeping_sensor
from analytics_assets.orchestration.runs import check_results
from analytics_assets.orchestration.runs.check_results import (
    keep_results_of_failed_run,
    last_results_kept,
    planned_checks,
)
from analytics_assets.orchestration.runs.liveness.dead_runs import MACHINE_TAG, end_dead_runs
from analytics_assets.orchestration.runs.liveness.machine import tagged_machine

ASSET = dg.AssetKey(["shop", "orders"])
CHECKS = {name: dg.AssetCheckKey(ASSET, name) for name in ("fresh", "complete")}
FAILS = {"fresh": False, "complete": True}


def api_of(name: str) -> Api:
    client = {"base_url": "https://shop.example.com"}
    return Api(name=name, config={"client": client, "resources": ["orders"]})


def definitions(*, fails: bool, keeps: bool, crashes: bool = False) -> dg.Definitions:
    """An asset whose load may fail and keep the results of its checks: one fails, one passes."""

    @dg.asset(key=ASSET)
    def orders(context: dg.AssetExecutionContext) -> None:
        checks = CHECKS.values() if keeps else ()
        with last_results_kept(context.instance, context.run.run_id, list(checks)):
            assert not fails

    @dg.multi_asset_check(specs=[dg.AssetCheckSpec(name, asset=ASSET) for name in CHECKS])
    def checks():  # type: ignore[no-untyped-def]
        assert not crashes
        for name, passed in FAILS.items():
            yield dg.AssetCheckResult(
                check_name=name, asset_key=ASSET, passed=passed, metadata={"rows": 5}
            )

    return dg.Definitions(assets=[orders], asset_checks=[checks])


def run(instance: dg.DagsterInstance, *, fails: bool = False, keeps: bool = True) -> str:
    job = definitions(fails=fails, keeps=keeps).resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(instance=instance, raise_on_error=False)
    assert result.success is not fails
    return result.run_id


def shown(instance: dg.DagsterInstance) -> Mapping[str, str]:
    """Return the status of each check as the UI resolves it for the latest materialization."""

    async def resolve() -> dict[str, str]:
        statuses = {}
        for name, check in CHECKS.items():
            context = LoadingContextForTest(instance)
            record = await AssetCheckExecutionRecord.gen(context, check)
            assert record is not None
            assert await record.targets_latest_materialization(context)
            statuses[name] = (await record.resolve_status(context)).value
        return statuses

    return asyncio.run(resolve())


def health(instance: dg.DagsterInstance) -> AssetCheckHealthState:
    context = LoadingContextForTest(instance)
    return asyncio.run(
        AssetCheckHealthState.compute_for_asset_checks(set(CHECKS.values()), context)
    )


def evaluation(instance: dg.DagsterInstance, name: str) -> dg.AssetCheckEvaluation:
    check = CHECKS[name]
    records = instance.event_log_storage.get_latest_asset_check_execution_by_key([check])
    found = records[check].evaluation
    assert found is not None
    return found


def test_dagster_shows_checks_of_a_failed_run_as_failed_though_none_ran(
    instance: dg.DagsterInstance,
) -> None:
    run(instance)
    run(instance, fails=True, keeps=False)

    assert shown(instance) == dict.fromkeys(CHECKS, "EXECUTION_FAILED")


def test_checks_keep_their_last_results_after_failed_runs(instance: dg.DagsterInstance) -> None:
    first = run(instance)
    run(instance, fails=True)
    run(instance, fails=True)

    assert shown(instance) == {"fresh": "FAILED", "complete": "SUCCEEDED"}
    assert health(instance).passing_checks == {CHECKS["complete"]}
    kept = evaluation(instance, "complete")
    assert kept.metadata["rows"].value == 5
    assert kept.metadata["result_of_run"].value == first


def test_results_that_there_was_no_time_for_are_kept_by_the_next_look(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(instance)
    failed = run(instance, fails=True, keeps=False)
    looks = iter([0.0, 1.0])
    with monkeypatch.context() as clock:
        clock.setattr(check_results, "time", SimpleNamespace(monotonic=lambda: next(looks)))
        assert not keep_results_of_failed_run(instance, failed, {"shop"}, until=0.5)
    assert list(shown(instance).values()).count("EXECUTION_FAILED") == 1
    assert len(planned_checks(instance, failed)) == 1
    assert keep_results_of_failed_run(instance, failed, {"shop"})
    assert shown(instance) == {"fresh": "FAILED", "complete": "SUCCEEDED"}
    assert planned_checks(instance, failed) == []


def test_checks_that_never_ran_are_a_warning_that_says_so(instance: dg.DagsterInstance) -> None:
    for _ in range(2):
        run(instance, fails=True)

    assert health(instance).warning_checks == set(CHECKS.values())
    found = evaluation(instance, "fresh")
    assert found.description == "Not run yet: it runs after the first load that succeeds."
    assert found.metadata == {}


def test_the_next_run_that_succeeds_replaces_a_kept_result(instance: dg.DagsterInstance) -> None:
    run(instance)
    run(instance, fails=True)
    run(instance)

    assert "result_of_run" not in evaluation(instance, "complete").metadata


def test_checks_that_a_run_does_not_select_are_untouched(instance: dg.DagsterInstance) -> None:
    run(instance)
    load = dg.define_asset_job("load", dg.AssetSelection.assets(ASSET).without_checks())
    assets = definitions(fails=True, keeps=True)
    job = dg.Definitions.merge(assets, dg.Definitions(jobs=[load])).resolve_job_def("load")

    assert not job.execute_in_process(instance=instance, raise_on_error=False).success

    assert "result_of_run" not in evaluation(instance, "complete").metadata


def test_the_sensor_keeps_the_results_of_runs_whose_process_could_not(
    instance: dg.DagsterInstance,
) -> None:
    run(instance)
    sensor = build_housekeeping_sensor([api_of("shop")])
    context = dg.build_sensor_context(instance=instance)
    cursor = sensor.evaluate_tick(context).cursor
    assert cursor
    run(instance, fails=True, keeps=False)

    sensor.evaluate_tick(dg.build_sensor_context(instance=instance, cursor=cursor))

    assert shown(instance) == {"fresh": "FAILED", "complete": "SUCCEEDED"}


@pytest.mark.parametrize(
    ("api", "crashes"), [("shop", True), ("another", False)], ids=["crashed", "of another API"]
)
def test_the_sensor_leaves_checks_that_crashed_and_those_of_others(
    api: str, crashes: bool, instance: dg.DagsterInstance
) -> None:
    run(instance)
    failing = definitions(fails=not crashes, keeps=False, crashes=crashes)
    job = failing.resolve_implicit_global_asset_job_def()
    assert not job.execute_in_process(instance=instance, raise_on_error=False).success

    build_housekeeping_sensor([api_of(api)]).evaluate_tick(
        dg.build_sensor_context(instance=instance)
    )

    assert shown(instance) == dict.fromkeys(CHECKS, "EXECUTION_FAILED")


def test_checks_of_a_killed_run_keep_their_last_results(clean_place: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-S", "-c", ""])
    gone.wait()
    with dg.DagsterInstance.local_temp(str(clean_place)) as instance:
        run(instance)
        job = definitions(fails=False, keeps=True).resolve_implicit_global_asset_job_def()
        killed = instance.create_run_for_job(
            job, status=dg.DagsterRunStatus.STARTED, tags={MACHINE_TAG: tagged_machine()}
        )
        event = EngineEventData.in_process(gone.pid)
        instance.report_engine_event("Started process for run", killed, event)
        assert shown(instance) == dict.fromkeys(CHECKS, "IN_PROGRESS")

        assert end_dead_runs(instance) == [killed.run_id]

        assert shown(instance) == {"fresh": "FAILED", "complete": "SUCCEEDED"}
