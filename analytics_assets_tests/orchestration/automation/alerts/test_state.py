"""The state of alerts: processes share it, and one sends at a time."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import dagster as dg
import pytest

from analytics_assets.orchestration.automation.alerts.alerted_project import AlertedProject
from analytics_assets.orchestration.automation.alerts.sender import send_alerts
from analytics_assets.orchestration.automation.alerts.state import (
    LEASE_SECONDS,
    STATE,
    AlertState,
    SenderReplacedError,
    only_sender,
    read_state,
)
from analytics_assets_tests.orchestration.automation.alerts.receivers import Webhook
from analytics_assets_tests.orchestration.automation.alerts.shop import Shop, down, shop_api


def test_one_process_sends_at_a_time(instance: dg.DagsterInstance) -> None:
    with only_sender(instance) as first:
        assert first
        with only_sender(instance) as second:
            assert second is None
    with only_sender(instance) as third:
        assert third


def test_of_many_that_begin_at_once_one_sends(stored_instance: dg.DagsterInstance) -> None:
    number = 8
    together, ended = Barrier(number), Barrier(number)

    def is_sender() -> bool:
        together.wait()
        with only_sender(stored_instance) as store:
            ended.wait()
            return store is not None

    with ThreadPoolExecutor(number) as threads:
        outcomes = [threads.submit(is_sender) for _ in range(number)]
    assert sum(each.result() for each in outcomes) == 1


def test_a_sender_that_is_gone_is_replaced_and_stores_nothing_any_more(
    instance: dg.DagsterInstance,
) -> None:
    with only_sender(instance, lambda: 0.0) as gone:
        assert gone
        with only_sender(instance, lambda: LEASE_SECONDS - 1) as early:
            assert early is None
        with only_sender(instance, lambda: LEASE_SECONDS + 1) as store:
            assert store
            store.state.at = 1.0
            store.save()
        gone.state.at = 2.0
        with pytest.raises(SenderReplacedError):
            gone.save()
    assert read_state(instance).at == 1.0


def test_a_state_of_another_version_is_left(instance: dg.DagsterInstance) -> None:
    instance.run_storage.set_cursor_values({STATE: '{"version": 99, "open": {}}'})
    assert read_state(instance, ["shop"]) == AlertState()


def test_a_state_survives_its_storage(shop: Shop, webhook: Webhook) -> None:
    shop.send()
    shop.failures = {"shop/orders": down("orders"), "shop/customers": down("customers")}
    shop.load()
    webhook.status = 500
    shop.send()
    shop.failures = {"shop/orders": down("orders")}
    shop.load()
    stored = read_state(shop.instance, shop.project.apis)
    assert stored.ledger.open
    assert stored.outbox.queued
    assert AlertState.from_json(stored.as_json()) == stored


def test_projects_on_one_instance_report_what_is_theirs(
    stored_instance: dg.DagsterInstance, webhook: Webhook
) -> None:
    apis = {name: shop_api("orders", name=name) for name in ("shop", "bakery")}
    both = Shop(stored_instance, *apis.values())
    projects = [
        AlertedProject({name: api}, {f"{name}/orders"}, (), ()) for name, api in apis.items()
    ]

    def look() -> None:
        for project in projects:
            send_alerts(stored_instance, project)

    look()
    both.failures = {f"{name}/orders": down("orders") for name in apis}
    for name in apis:
        both.load(f"{name}/orders")
    look()
    look()
    assert webhook.titles == [f"ERROR: failed load: {name}/orders" for name in apis]
    assert [
        [problem.asset for problem in read_state(stored_instance, project.apis).ledger.problems]
        for project in projects
    ] == [["shop/orders"], ["bakery/orders"]]


def test_a_project_is_the_same_with_one_more_api(instance: dg.DagsterInstance) -> None:
    for at, apis in enumerate((["shop"], ["bakery", "shop"], ["bakery", "cafe"]), 1):
        with only_sender(instance, apis=apis) as store:
            assert store
            assert store.state.at == at - 1
            store.state.at = at
            store.save()
    assert read_state(instance, ["shop"]).at == 0
