"""Looks at the event log: incidents of what was removed, and clocks that were wrong."""

from dataclasses import replace

import dagster as dg

from analytics_assets.orchestration.automation.alerts.alerted_project import AlertedProject
from analytics_assets.orchestration.automation.alerts.event_log import EndedRun, Position
from analytics_assets.orchestration.automation.alerts.sender import send_alerts
from analytics_assets.orchestration.automation.alerts.state import (
    LEASE_SECONDS,
    only_sender,
    read_state,
)
from analytics_assets_tests.orchestration.automation.alerts.receivers import Webhook
from analytics_assets_tests.orchestration.automation.alerts.shop import Shop, down

ERROR = dg.AssetCheckSeverity.ERROR


def test_an_incident_of_a_check_that_was_removed_is_none(shop: Shop, webhook: Webhook) -> None:
    shop.send()
    shop.findings["shop/orders"] = ERROR, "2 keys more than once."
    shop.failures["shop/customers"] = down("customers")
    shop.load(check="primary_key")
    shop.send()
    left = replace(shop.project, checks={("shop/orders", "newest_data")})
    assert send_alerts(shop.instance, left).open == 1
    assert [
        each.asset for each in read_state(shop.instance, shop.project.apis).ledger.problems
    ] == ["shop/customers"]


def test_an_incident_of_a_job_that_was_removed_is_none(shop: Shop, webhook: Webhook) -> None:
    @dg.job
    def nightly() -> None:
        dg.op(name="broken")(lambda: 1 / 0)()

    shop.send()
    run = shop.instance.create_run_for_job(nightly)
    shop.instance.report_engine_event("began", run)
    shop.instance.report_run_failed(run, "The process is gone.")
    assert shop.send().open == 1
    assert send_alerts(shop.instance, replace(shop.project, jobs={"nightly"})).open == 1
    assert send_alerts(shop.instance, replace(shop.project, jobs={"weekly"})).open == 0


def test_a_project_knows_its_checks() -> None:
    @dg.asset_check(asset="orders")
    def unique() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    found = dg.Definitions(asset_checks=[unique]).get_repository_def()
    assert AlertedProject.of({}, found).checks == {("orders", "unique")}


def test_ends_of_runs_from_a_clock_that_was_ahead_are_read_once() -> None:
    ahead = EndedRun(7, "run", dg.DagsterRunStatus.FAILURE, 1e9, "")
    recent = EndedRun(8, "run", dg.DagsterRunStatus.FAILURE, 999.0, "")
    assert Position(3).after([ahead], 1000.0) == Position(7)
    assert Position(3).after([ahead, recent], 1000.0) == Position(7, (8,))


def test_a_sender_with_a_clock_that_was_ahead_keeps_nobody_out(
    instance: dg.DagsterInstance,
) -> None:
    with (
        only_sender(instance, lambda: 10 * LEASE_SECONDS),
        only_sender(instance, lambda: 0.0) as store,
    ):
        assert store
