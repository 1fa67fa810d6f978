"""The state of alerts: processes share it, and one sends at a time."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import dagster as dg
import pytest

from analytics_assets.orchestration.automation.alerts.state import (
    LEASE_SECONDS,
    AlertState,
    SenderReplacedError,
    only_sender,
    read_state,
)
from analytics_assets_tests.orchestration.automation.alerts.receivers import Webhook
from analytics_assets_tests.orchestration.automation.alerts.shop import Shop, down


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


def test_a_state_of_another_version_is_left() -> None:
    assert AlertState.from_json({"version": 99}) == AlertState()


def test_a_state_survives_its_storage(shop: Shop, webhook: Webhook) -> None:
    shop.send()
    shop.failures = {"shop/orders": down("orders"), "shop/customers": down("customers")}
    shop.load()
    webhook.status = 500
    shop.send()
    shop.failures = {"shop/orders": down("orders")}
    shop.load()
    stored = read_state(shop.instance)
    assert stored.ledger.open
    assert stored.outbox.queued
    assert AlertState.from_json(stored.as_json()) == stored
