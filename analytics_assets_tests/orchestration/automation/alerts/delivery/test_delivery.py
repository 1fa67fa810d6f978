"""Delivery to real receivers: broken ones, several ones, and those of one API."""

import json
import logging
from typing import Any

import pytest

from analytics_assets_tests.orchestration.automation.alerts.receivers import (
    PASSWORD,
    TOKEN,
    MailServer,
    Webhook,
)
from analytics_assets_tests.orchestration.automation.alerts.shop import Shop, down, shop_api
from analytics_assets_tests.support.http.exchange import Answer
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.http.server import Server

FAILED = "ERROR: failed load: shop/orders"


@pytest.fixture
def failed(shop: Shop, webhook: Webhook) -> Shop:
    """The shop, with a failed load that is not reported yet."""
    shop.send()
    shop.failures["shop/orders"] = down("orders")
    shop.load()
    return shop


def test_a_message_is_tried_again_until_it_is_taken(failed: Shop, webhook: Webhook) -> None:
    webhook.status = 503
    sent = failed.send()
    assert (sent.messages, sent.waiting) == (0, 1)
    assert sent.refusals[0].startswith("json #1 did not take an alert (attempt 1): ")
    assert failed.send().refusals == []  # in the pause
    failed.ahead = 31
    assert "(attempt 2)" in failed.send().refusals[0]
    webhook.status = 200
    failed.ahead = 31 + 61
    assert failed.send().summary == "1 alert sent to json #1."
    failed.ahead += 3600
    failed.send()
    assert webhook.titles == [FAILED]


def test_others_have_it_once_whatever_becomes_of_a_broken_receiver(
    failed: Shop, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    with MailServer() as mail, Webhook() as broken:
        broken.status = 500
        urls = [broken.receiver, webhook.receiver, mail.receiver, "json://127.0.0.1:1/"]
        monkeypatch.setenv("ALERTS__URLS", " ".join(urls))
        sent = failed.send()
        assert sent.receivers == {"json #2", "mailto #3"}
        assert sorted(each.split(" did")[0] for each in sent.refusals) == ["json #1", "json #4"]
        for ahead in (60, 600, 6000):
            failed.ahead = ahead
            failed.send()
        assert (webhook.titles, mail.subjects) == ([FAILED], [FAILED])
        broken.status = 200
        failed.ahead = 10000
        failed.send()
        assert broken.titles == [FAILED]


def test_a_receiver_that_does_not_answer_is_given_up_in_time(
    failed: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Webhook() as silent:
        silent.faults.add(Fault(delay=600, times=None))
        monkeypatch.setenv("ALERTS__URLS", f"{silent.receiver}?rto=0.5")
        began = failed.clock()
        assert failed.send().waiting == 1
        assert failed.clock() - began < 300


def test_an_api_has_receivers_of_its_own(webhook: Webhook, instance: Any, monkeypatch: Any) -> None:
    shop = Shop(instance, shop_api("orders"), shop_api("orders", name="bakery"))
    with Webhook() as own:
        monkeypatch.setenv("SOURCES__BAKERY__ALERTS__URLS", own.receiver)
        shop.send()
        shop.failures = {"shop/orders": down("orders"), "bakery/orders": down("orders")}
        shop.load()
        shop.send()
        assert own.titles == ["ERROR: failed load: bakery/orders"]
    assert webhook.titles == [FAILED]


def test_a_wrong_url_is_named_by_its_place_and_scheme(
    failed: Shop, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = [webhook.receiver, f"slack://{TOKEN}", f"://{TOKEN}/x"]
    monkeypatch.setenv("ALERTS__URLS", json.dumps(urls))
    sent = failed.send()
    assert webhook.titles == [FAILED]
    assert [each.split(". ")[0] for each in sent.refusals] == [
        "`alerts.urls`: Apprise cannot use the URL of slack #2",
        "`alerts.urls`: Apprise cannot use the URL of unknown #3",
    ]
    assert TOKEN not in str(sent)


def test_no_secret_of_a_receiver_is_in_a_log_or_an_outcome(
    failed: Shop,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    urls = [
        f"json://user:{PASSWORD}@127.0.0.1:1/hooks/{TOKEN}?+X-Key={TOKEN}2",
        f"mailto://user:{PASSWORD}@127.0.0.1:1?to=team@example.com&from=a@example.com",
        f"slack://{TOKEN}",
        f"nothing://{TOKEN}/{PASSWORD}",
    ]
    monkeypatch.setenv("ALERTS__URLS", " ".join(urls))
    with caplog.at_level(logging.DEBUG):
        sent = failed.send()
    assert len(sent.refusals) == 4
    shown = [str(sent), sent.summary, caplog.text, *capfd.readouterr()]
    state = failed.instance.run_storage.get_cursor_values({"analytics_assets/alerts/state"})
    for text in (*shown, *state.values()):
        assert TOKEN not in text
        assert PASSWORD not in text


def test_a_receiver_that_was_down_gets_the_beginning_before_the_end(
    failed: Shop, webhook: Webhook
) -> None:
    webhook.status = 503
    failed.send()
    failed.failures.clear()
    failed.load()
    failed.ahead = 40
    failed.send()
    webhook.status = 200
    failed.ahead = 4000
    failed.send()
    assert webhook.titles == [FAILED, "RECOVERED: failed load: shop/orders"]


def test_a_message_that_is_refused_alone_keeps_none_back(failed: Shop, webhook: Webhook) -> None:
    webhook.refuses = FAILED
    failed.send()
    failed.failures["shop/customers"] = down("customers")
    failed.load()
    failed.ahead = 40
    sent = failed.send()
    assert webhook.titles == ["ERROR: failed load: shop/customers"]
    assert (sent.waiting, len(sent.refusals)) == (1, 1)


def test_a_message_that_is_redirected_is_not_taken_and_told_to_no_other_host(
    failed: Shop, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Server(lambda _: Answer(b"", 302, {"Location": webhook.base_url})) as moved:
        monkeypatch.setenv("ALERTS__URLS", f"json://127.0.0.1:{moved.port}/")
        sent = failed.send()
    assert (sent.messages, sent.waiting) == (0, 1)
    assert webhook.requests == []
