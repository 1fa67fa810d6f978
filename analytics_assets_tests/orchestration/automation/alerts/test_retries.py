"""Failed runs that are run again are not final; killed ones are."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from analytics_assets_tests.orchestration.automation.alerts.receivers import Webhook
from analytics_assets_tests.orchestration.automation.alerts.shop import HOUR, Shop, down

FAILED = ["ERROR: failed load: shop/orders"]


@pytest.fixture
def retrying(tmp_path: Path) -> Iterator[Shop]:
    """The shop on an instance that retries failed runs once."""
    settings = {"telemetry": {"enabled": False}, "run_retries": {"enabled": True, "max_retries": 1}}
    home = tmp_path / "home"
    home.mkdir()
    with dg.DagsterInstance.local_temp(str(home), settings) as instance:
        yield Shop(instance)


def again(
    shop: Shop, run: dg.ExecuteInProcessResult, table: str = "shop/orders"
) -> dg.ExecuteInProcessResult:
    """Run a failed run again for the last time, as Dagster's daemon does."""
    tags = {"dagster/parent_run_id": run.run_id, "dagster/root_run_id": run.run_id}
    return shop.load(table, tags={**tags, "dagster/max_retries": "0"})


def test_a_run_that_dagster_retries_is_reported_with_the_last_attempt(
    retrying: Shop, webhook: Webhook
) -> None:
    retrying.send()
    retrying.failures["shop/orders"] = down("orders")
    run = retrying.load()
    retrying.send()
    assert webhook.taken == []
    retry = again(retrying, run)
    retrying.instance.add_run_tags(run.run_id, {"dagster/auto_retry_run_id": retry.run_id})
    retrying.send()
    retrying.send()
    assert webhook.titles == FAILED
    assert retry.run_id in webhook.taken[0]["message"]


def test_a_retry_that_succeeds_leaves_nothing_to_report(retrying: Shop, webhook: Webhook) -> None:
    retrying.send()
    retrying.failures["shop/orders"] = down("orders")
    run = retrying.load()
    retrying.send()
    retrying.failures.clear()
    retry = again(retrying, run)
    retrying.instance.add_run_tags(run.run_id, {"dagster/auto_retry_run_id": retry.run_id})
    retrying.send()
    assert webhook.taken == []


def test_a_retry_that_never_comes_is_reported_after_an_hour(
    retrying: Shop, webhook: Webhook
) -> None:
    retrying.send()
    retrying.failures["shop/orders"] = down("orders")
    retrying.load()
    retrying.send()
    retrying.ahead = HOUR + 60
    retrying.send()
    retrying.send()
    assert webhook.titles == FAILED


def test_what_succeeded_in_a_run_that_is_retried_counts(retrying: Shop, webhook: Webhook) -> None:
    retrying.send()
    customers = {"shop/customers": down("customers")}
    retrying.failures = dict(customers)
    run = retrying.load("shop/customers")
    retry = again(retrying, run, "shop/customers")
    retrying.instance.add_run_tags(run.run_id, {"dagster/auto_retry_run_id": retry.run_id})
    retrying.send()
    retrying.failures = {"shop/orders": down("orders")}
    retrying.load()
    retrying.send()
    assert webhook.titles == [
        "ERROR: failed load: shop/customers",
        "RECOVERED: failed load: shop/customers",
    ]


def test_a_run_that_somebody_runs_again_meanwhile_is_not_final(
    shop: Shop, webhook: Webhook
) -> None:
    shop.send()
    shop.failures["shop/orders"] = down("orders")
    run = shop.load()
    shop.failures.clear()
    again(shop, run)
    shop.send()
    assert webhook.taken == []


def test_a_run_that_is_cancelled_is_not_reported(shop: Shop, webhook: Webhook) -> None:
    shop.send()
    run = planned_run(shop)
    shop.instance.report_run_canceled(run)
    shop.send()
    assert webhook.taken == []


def test_a_run_whose_process_was_killed_is_reported_for_each_of_its_tables(
    shop: Shop, webhook: Webhook
) -> None:
    shop.send()
    run = planned_run(shop)
    shop.send()
    assert webhook.taken == []
    shop.instance.report_run_failed(run, "The process of this run (4711) is gone.")
    shop.send()
    assert webhook.titles == ["ERROR: 2 failed loads of shop"]
    assert "The process of this run (4711) is gone." in webhook.taken[0]["message"]
    assert "shop/customers, shop/orders" in webhook.taken[0]["message"]


def planned_run(shop: Shop) -> dg.DagsterRun:
    """Create a run of both tables that has started and does nothing."""
    assets = [dg.AssetSpec(["shop", name]) for name in ("orders", "customers")]

    @dg.multi_asset(specs=assets)
    def load() -> Iterator[dg.MaterializeResult[None]]:
        yield from ()  # it is not executed

    job = dg.Definitions(assets=[load]).resolve_implicit_global_asset_job_def()
    run = shop.instance.create_run_for_job(
        job, asset_selection=frozenset(asset.key for asset in assets)
    )
    shop.instance.report_dagster_event(
        dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, job_name=job.name), run.run_id
    )
    return run


def test_windows_of_a_backfill_that_fail_are_one_incident(shop: Shop, webhook: Webhook) -> None:
    def window(first: str, last: str) -> None:
        start, end = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
        shop.load_days({start: first, end: last})
        shop.send()

    shop.send()
    shop.failures["shop/orders"] = down("orders")
    window("2026-10-01", "2026-10-31")
    window("2026-11-01", "2026-11-05")
    shop.failures.clear()
    window("2026-11-01", "2026-11-05")
    assert webhook.titles == FAILED
    window("2026-10-30", "2026-11-01")
    assert webhook.titles[1:] == ["RECOVERED: failed load: shop/orders"]
