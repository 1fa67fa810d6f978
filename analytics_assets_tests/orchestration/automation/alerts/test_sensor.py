"""The sensor `alerts`, tick by tick."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from analytics_assets.config.policy import PolicyEntry
from analytics_assets.orchestration.automation.alerts.sensor import (
    AlertsNotSentError,
    build_alert_sensor,
)
from analytics_assets_tests.orchestration.automation.alerts.receivers import TOKEN, Webhook
from analytics_assets_tests.orchestration.automation.alerts.shop import (
    DAY,
    Shop,
    down,
    shop_api,
)


def tick(shop: Shop) -> str:
    """Evaluate the sensor, and return the reason that it skips."""
    context = dg.build_sensor_context(instance=shop.instance)
    return str(build_alert_sensor(shop.apis).evaluate_tick(context).skip_message)


def test_a_tick_names_the_problems_that_are_open(shop: Shop, webhook: Webhook) -> None:
    assert tick(shop) == "No problem is open."
    shop.failures["shop/orders"] = down("orders")
    shop.load()
    assert tick(shop) == "1 alert sent to json #1. 1 problem is open."
    assert tick(shop) == "1 problem is open."


def test_without_receivers_it_skips_and_names_the_setting(shop: Shop) -> None:
    assert tick(shop).startswith("No `alerts.urls` is set")


def test_a_receiver_that_takes_nothing_fails_the_tick_without_a_secret(
    shop: Shop, webhook: Webhook
) -> None:
    tick(shop)
    shop.failures["shop/orders"] = down("orders")
    shop.load()
    webhook.status = 500
    with pytest.raises(Exception, match="json #1 did not take an alert") as raised:
        tick(shop)
    chain = [raised.value, raised.value.__cause__, raised.value.__context__]
    assert any(isinstance(each, AlertsNotSentError) for each in chain)
    assert not any(TOKEN in repr(each) for each in chain)
    assert tick(shop) == "1 alert not taken yet, tried again later. 1 problem is open."


def test_it_is_on_from_the_start() -> None:
    sensor = build_alert_sensor([])
    assert sensor.name == "alerts"
    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING


class Night:
    """Quiet hours around now, and the moments in and after them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        now = datetime.now(UTC)
        hours = [now - timedelta(hours=2), now + timedelta(hours=2)]
        spans = "-".join(f"{hour:%H:00}" for hour in hours)
        monkeypatch.setenv("ALERTS__QUIET_HOURS", spans)
        self.after = 4 * DAY / 24


def test_in_quiet_hours_alerts_wait_and_come_as_one_summary(
    shop: Shop, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.send()
    night = Night(monkeypatch)
    shop.failures = {"shop/orders": down("orders")}
    shop.load()
    shop.send()
    shop.failures = {"shop/customers": down("customers")}
    shop.load()
    shop.send()
    shop.failures["shop/orders"] = down("orders")
    shop.load()
    shop.send()
    assert webhook.taken == []
    shop.ahead = night.after
    shop.send()
    assert webhook.titles == ["ERROR: after quiet hours: 2 failed loads of shop"]


def test_a_critical_alert_does_not_wait(
    instance: dg.DagsterInstance, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    policies: dict[str, PolicyEntry] = {"cash": {"alert": "critical"}, "logs": {"alert": "off"}}
    shop = Shop(instance, shop_api("cash", "orders", "logs", policies=policies))
    shop.send()
    Night(monkeypatch)
    shop.failures = {f"shop/{name}": down(name) for name in ("cash", "orders", "logs")}
    shop.load()
    shop.send()
    assert webhook.titles == ["CRITICAL: failed load: shop/cash"]
    shop.failures.clear()
    shop.load()
    shop.send()
    assert webhook.titles[1:] == ["RECOVERED: failed load: shop/cash"]


def test_a_policy_of_warning_or_info_is_the_severity(
    instance: dg.DagsterInstance, webhook: Webhook
) -> None:
    policies: dict[str, PolicyEntry] = {"orders": {"alert": "info"}, "logs": {"alert": "off"}}
    shop = Shop(instance, shop_api("orders", "logs", policies=policies))
    shop.send()
    shop.failures = {f"shop/{name}": down(name) for name in ("orders", "logs")}
    shop.load()
    shop.send()
    assert webhook.titles == ["INFO: failed load: shop/orders"]
    assert webhook.taken[0]["type"] == "info"
