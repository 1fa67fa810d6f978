"""Receivers: their names, and the types of messages."""

from dataclasses import replace

import pytest

from analytics_assets.config.settings.alerts import ResolvedAlerts
from analytics_assets.orchestration.automation.alerts.delivery.message import Message
from analytics_assets.orchestration.automation.alerts.delivery.receiver import (
    ANSWER_SECONDS,
    SEND_SECONDS,
    Receiver,
    receivers_of,
)
from analytics_assets_tests.orchestration.automation.alerts.receivers import Webhook
from analytics_assets_tests.orchestration.automation.alerts.shop import Shop, down

PAGERDUTY = "pagerduty://A2d3f4g5h6@B2d3f4g5h6/?action=map&dedup=analytics"


def receiver(url: str) -> Receiver:
    [only] = receivers_of(ResolvedAlerts((url,)))
    return only


def test_a_receiver_is_named_by_its_scheme_and_its_place_and_is_there_once() -> None:
    urls = ("json://a.example.com", PAGERDUTY, "json://a.example.com", "json://b.example.com")
    names = [each.name for each in receivers_of(ResolvedAlerts(urls), "shop")]
    assert names == ["json #1 of shop", "pagerduty #2 of shop", "json #3 of shop"]


@pytest.mark.parametrize(
    "url",
    [
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#data",
        "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
        "workflows://prod.example.com:443/0123456789abcdef0123456789abcdef/SIGNATUREsignature",
        "mailtos://user:app-password@example.com?to=data-team@example.com",
        PAGERDUTY,
    ],
)
def test_the_examples_of_the_documentation_can_be_used(url: str) -> None:
    receiver(url).validate()


@pytest.mark.parametrize(
    "url", ["json://a.example.com", "mailto://a:b@example.com?to=b@example.com"]
)
def test_a_slow_receiver_has_time_to_answer_unless_its_url_says_otherwise(url: str) -> None:
    usual = receiver(url)._service()
    own = receiver(f"{url}{'&' if '?' in url else '?'}rto=2&cto=1")._service()
    # Apprise waits for a mail server, which may greet late, by itself
    assert usual.socket_connect_timeout in (ANSWER_SECONDS, SEND_SECONDS)
    assert usual.socket_read_timeout == ANSWER_SECONDS
    assert (own.socket_connect_timeout, own.socket_read_timeout) == (1.0, 2.0)


def test_the_type_of_a_message_follows_its_level() -> None:
    levels = ("critical", "error", "warning", "info", "recovered", "test")
    types = [receiver("json://a.example.com").type_of(Message(each, "", [])) for each in levels]
    assert types == ["failure", "failure", "warning", "info", "success", "info"]


def test_an_incident_of_pagerduty_is_resolved_by_the_end_of_the_last_problem() -> None:
    ended = Message("recovered", "", [])
    assert receiver(PAGERDUTY).type_of(ended) == "info"
    assert receiver(PAGERDUTY).type_of(replace(ended, is_all_clear=True)) == "success"


def test_the_end_of_the_last_problem_is_known(
    shop: Shop, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALERTS__URLS", f"{webhook.receiver}?note=action=map")
    shop.send()
    shop.failures = {"shop/orders": down("orders"), "shop/customers": down("customers")}
    shop.load()
    shop.send()
    for name in ("shop/orders", "shop/customers"):
        del shop.failures[name]
        shop.load()
        shop.send()
    assert [message["type"] for message in webhook.taken] == ["failure", "info", "success"]
