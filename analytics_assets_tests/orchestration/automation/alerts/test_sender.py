"""Alerts of real runs, as a real receiver gets them."""

from datetime import timedelta

import dagster as dg
import pytest

from analytics_assets.config.policy import PolicyEntry
from analytics_assets.defs.analytics.api import API
from analytics_assets.orchestration.automation.alerts.alerted_project import AlertedProject
from analytics_assets.orchestration.automation.alerts.sender import send_alerts
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.orchestration.automation.alerts.receivers import Webhook
from analytics_assets_tests.orchestration.automation.alerts.shop import (
    DAY,
    HOUR,
    Shop,
    down,
    shop_api,
)
from analytics_assets_tests.support.loading import load
from analytics_assets_tests.support.sandbox import Fault, Sandbox

DAY_AND_A_HALF: PolicyEntry = {"freshness": timedelta(hours=36)}
WARN, ERROR = dg.AssetCheckSeverity.WARN, dg.AssetCheckSeverity.ERROR


def test_a_failed_load_is_reported_once_and_so_is_its_end(
    stored_shop: Shop, webhook: Webhook
) -> None:
    shop = stored_shop
    shop.send()
    shop.failures["shop/orders"] = down("orders")
    result = shop.load()
    assert shop.send().summary == "1 alert sent to json #1."
    [message] = webhook.taken
    assert message["title"] == "ERROR: failed load: shop/orders"
    assert "the API answered 503" in message["message"]
    assert result.run_id in message["message"]
    assert message["type"] == "failure"
    shop.load()
    assert shop.send().summary == ""
    shop.failures.clear()
    shop.load()
    shop.send()
    assert webhook.titles[1:] == ["RECOVERED: failed load: shop/orders"]
    assert webhook.taken[1]["type"] == "success"
    shop.send()
    assert len(webhook.taken) == 2


def test_a_failed_check_and_its_end(shop: Shop, webhook: Webhook) -> None:
    shop.send()
    shop.findings["shop/orders"] = ERROR, "2 keys more than once."
    shop.load(check="primary_key")
    shop.send()
    assert webhook.titles == ["ERROR: failed check `primary_key`: shop/orders"]
    assert "2 keys more than once." in webhook.taken[0]["message"]
    shop.findings.clear()
    shop.load(check="primary_key")
    shop.send()
    assert webhook.titles[1:] == ["RECOVERED: failed check `primary_key`: shop/orders"]


def test_a_check_that_warns_is_a_warning_and_reported_again_as_an_error(
    shop: Shop, webhook: Webhook
) -> None:
    shop.send()
    shop.findings["shop/orders"] = WARN, "1 row is rejected."
    shop.load()
    shop.send()
    shop.findings["shop/orders"] = ERROR, "500 rows are rejected."
    shop.load()
    shop.send()
    shop.findings["shop/orders"] = WARN, "1 row is rejected."
    shop.load()
    shop.send()
    assert webhook.titles == [
        "WARNING: rejected rows `no_rejected_rows`: shop/orders",
        "ERROR: rejected rows `no_rejected_rows`: shop/orders",
    ]
    assert [message["type"] for message in webhook.taken] == ["warning", "failure"]


def test_schema_drift_has_its_findings_and_the_remedy(shop: Shop, webhook: Webhook) -> None:
    shop.send()
    shop.findings["shop/orders"] = (
        WARN,
        "added a\nremoved b\nStore it by `contract`.",
    )
    shop.load(check="contract_drift")
    shop.send()
    [message] = webhook.taken
    assert message["title"] == "WARNING: schema drift `contract_drift`: shop/orders"
    assert "added a (and 1 more)\nStore it by `contract`." in message["message"]


def test_a_used_up_quota_is_named(shop: Shop, webhook: Webhook) -> None:
    shop.send()
    failure = dg.Failure("orders was not loaded. 429", metadata={"cause": "quota used up"})
    shop.failures["shop/orders"] = failure
    shop.load()
    shop.send()
    assert webhook.titles == ["ERROR: quota used up: shop/orders"]
    assert "reading.max_per_second" in webhook.taken[0]["message"]
    shop.failures.clear()
    shop.load()
    shop.send()
    assert webhook.titles[1:] == ["RECOVERED: quota used up: shop/orders"]


def test_a_late_table_is_reported_without_dagsters_daemon(
    instance: dg.DagsterInstance, webhook: Webhook
) -> None:
    shop = Shop(instance, shop_api("orders", "customers", policies={"orders": DAY_AND_A_HALF}))
    shop.load()
    shop.send()
    shop.ahead = 35 * HOUR
    shop.send()
    assert webhook.taken == []
    shop.ahead = 37 * HOUR
    shop.send()
    shop.send()
    assert webhook.titles == ["ERROR: late table: shop/orders"]
    assert "37 h ago; up to 36 h are fresh." in webhook.taken[0]["message"]
    shop.ahead = 0
    shop.load()
    shop.send()
    assert webhook.titles[1:] == ["RECOVERED: late table: shop/orders"]


def test_a_result_without_a_run_is_reported(stored_shop: Shop, webhook: Webhook) -> None:
    shop = stored_shop
    shop.send()
    for passed in (False, True, True):
        late = dg.AssetCheckEvaluation(
            asset_key=dg.AssetKey(["shop", "orders"]),
            check_name="newest_partition",
            passed=passed,
            description="2026-11-05 is due.",
            metadata={},
        )
        shop.instance.report_runless_asset_event(late)
        shop.send()
    assert webhook.titles == [
        "ERROR: late table `newest_partition`: shop/orders",
        "RECOVERED: late table `newest_partition`: shop/orders",
    ]


def test_what_one_run_brings_is_one_message(shop: Shop, webhook: Webhook) -> None:
    shop.send()
    shop.failures["shop/orders"] = down("orders")
    shop.findings["shop/customers"] = ERROR, "2 keys more than once."
    shop.load(check="primary_key")
    shop.send()
    assert webhook.titles == ["ERROR: 1 failed load and 1 failed check of shop"]
    shop.failures.clear()
    shop.findings.clear()
    shop.load(check="primary_key")
    shop.send()
    assert webhook.titles[1:] == ["RECOVERED: 1 failed load and 1 failed check of shop"]


def test_a_message_has_what_begins_and_what_is_over(shop: Shop, webhook: Webhook) -> None:
    shop.send()
    shop.failures["shop/orders"] = down("orders")
    shop.load()
    shop.send()
    shop.failures = {"shop/customers": down("customers")}
    shop.load()
    shop.send()
    assert webhook.titles[1] == (
        "ERROR: failed load: shop/customers; over: failed load: shop/orders"
    )


def test_retries_within_a_run_are_not_reported(shop: Shop, webhook: Webhook) -> None:
    shop.send()
    shop.failures["shop/orders"] = RuntimeError("down")
    shop.load("shop/orders", retries=2)
    shop.send()
    assert webhook.titles == ["ERROR: failed load: shop/orders"]


def test_at_the_first_look_nothing_is_reported_of_what_failed_before(
    shop: Shop, webhook: Webhook
) -> None:
    shop.failures["shop/orders"] = down("orders")
    shop.load()
    shop.send()
    assert webhook.taken == []
    shop.load()
    shop.send()
    assert webhook.titles == ["ERROR: failed load: shop/orders"]


def test_at_the_first_look_the_runs_of_a_command_count(shop: Shop, webhook: Webhook) -> None:
    shop.failures["shop/customers"] = down("customers")
    shop.load()
    since = shop.clock()
    shop.failures = {"shop/orders": down("orders")}
    shop.load()
    shop.send(since=since)
    assert webhook.titles == ["ERROR: failed load: shop/orders"]


def test_late_tables_at_the_first_look_are_one_message(
    instance: dg.DagsterInstance, webhook: Webhook
) -> None:
    policies = dict.fromkeys(("orders", "customers"), DAY_AND_A_HALF)
    shop = Shop(instance, shop_api("orders", "customers", policies=policies))
    shop.load()
    shop.ahead = 2 * DAY
    shop.send()
    shop.send()
    assert webhook.titles == ["ERROR: 2 late tables of shop"]


def test_after_a_long_pause_nothing_is_reported_of_what_failed_in_it(
    shop: Shop, webhook: Webhook
) -> None:
    shop.send()
    shop.failures["shop/orders"] = down("orders")
    shop.load()
    shop.ahead = 8 * DAY
    shop.send()
    assert webhook.taken == []


def test_a_wiped_history_begins_anew(shop: Shop, webhook: Webhook) -> None:
    shop.send()
    shop.failures["shop/orders"] = down("orders")
    shop.load()
    shop.send()
    shop.instance.wipe()
    shop.send()
    shop.load()
    shop.send()
    assert webhook.titles == ["ERROR: failed load: shop/orders"] * 2


def test_tables_of_other_projects_are_not_reported(shop: Shop, webhook: Webhook) -> None:
    shop.send()
    shop.failures["other/orders"] = down("orders")
    shop.load("other/orders")
    project = shop.project
    send_alerts(shop.instance, AlertedProject(project.apis, frozenset(), frozenset()))
    assert webhook.taken == []


def test_without_receivers_nothing_is_looked_at(shop: Shop) -> None:
    assert shop.send().reason.startswith("No `alerts.urls` is set")
    assert shop.send().summary == ""


def test_a_real_load_with_a_used_up_quota(
    instance: dg.DagsterInstance,
    webhook: Webhook,
    connected: Sandbox,
    duckdb_warehouse: Warehouse,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RUNTIME__REQUEST_MAX_ATTEMPTS", "1")
    shop = Shop(instance, API)
    shop.send()
    connected.faults.add(Fault(path="/v1/traffic_sources", status=429, times=None))
    load(instance, "traffic_sources")
    shop.send()
    assert webhook.titles[:1] == ["ERROR: quota used up: analytics/traffic_sources"]
    assert "the API answered 429" in webhook.taken[0]["message"]


def test_a_deleted_run_hides_none_of_the_next_ones(stored_shop: Shop, webhook: Webhook) -> None:
    shop = stored_shop
    shop.send()
    shop.failures["shop/orders"] = down("orders")
    for _ in range(3):
        newest = shop.load("shop/orders")
    shop.send()
    shop.instance.delete_run(newest.run_id)
    shop.send()
    shop.failures.clear()
    shop.load("shop/orders")
    shop.send()
    assert webhook.titles == [
        "ERROR: failed load: shop/orders",
        "RECOVERED: failed load: shop/orders",
    ]
