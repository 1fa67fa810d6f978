"""The command `alert`, and the alerts of `materialize`."""

from collections.abc import Iterator

import pytest

from analytics_assets.redaction.redactor import MASK
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.cli.conftest import Invoke
from analytics_assets_tests.conftest import TODAY
from analytics_assets_tests.orchestration.automation.alerts.receivers import (
    TOKEN,
    MailServer,
    Webhook,
)
from analytics_assets_tests.support.sandbox import Fault, Sandbox

SOURCES = "traffic_sources"


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    """A webhook, which the settings name as the receiver."""
    with Webhook() as running:
        monkeypatch.setenv("ALERTS__URLS", running.receiver)
        yield running


def test_a_test_message_reaches_each_receiver(
    invoke: Invoke, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    with MailServer() as mail:
        monkeypatch.setenv("ALERTS__URLS", f"{webhook.receiver} {mail.receiver}")
        result = invoke("alert", "--test")
        assert mail.subjects == ["TEST: alerts arrive here"]
    assert result.output.splitlines() == [
        "json #1: took the test message.",
        "mailto #2: took the test message.",
    ]
    assert (result.exit_code, webhook.titles) == (0, ["TEST: alerts arrive here"])


def test_a_receiver_that_takes_no_test_message_is_named_without_its_url(
    invoke: Invoke, webhook: Webhook
) -> None:
    webhook.status = 500
    result = invoke("alert", "--test")
    assert result.exit_code == 1
    assert result.output.startswith("json #1: did not take it: ")
    assert TOKEN not in result.output


def test_a_url_that_cannot_be_used_is_named_and_the_others_are_tried(
    invoke: Invoke, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALERTS__URLS", f"slak://{TOKEN}/x {webhook.receiver}")
    result = invoke("alert", "--test")
    assert "Apprise cannot use the URL of slak #1." in result.output
    assert "json #2: took the test message." in result.output
    assert (result.exit_code, TOKEN in result.output) == (1, False)


def test_without_a_receiver_the_test_fails_and_shows_how_to_name_one(invoke: Invoke) -> None:
    result = invoke("alert", "--test")
    assert (result.exit_code, "ALERTS__URLS" in result.output) == (1, True)
    assert "json://HOST/PATH" in result.output
    assert MASK not in result.output  # what it shows is no secret


def test_a_load_by_the_command_line_alerts_and_is_listed_until_it_is_over(
    invoke: Invoke, webhook: Webhook, connected: Sandbox, duckdb_warehouse: Warehouse
) -> None:
    assert "Nothing has looked for problems yet" in invoke("alert").output
    connected.faults.add(Fault(path=f"/v1/{SOURCES}", status=404, times=None))
    result = invoke("materialize", SOURCES)
    assert (result.exit_code, "1 alert sent to json #1." in result.output) == (1, True)
    assert webhook.titles == [f"ERROR: failed load: analytics/{SOURCES}"]
    listed = invoke("alert").output
    assert f"error: failed load: analytics/{SOURCES}, since " in listed
    assert "answered 404" in listed
    connected.faults.clear()
    result = invoke("materialize", SOURCES)
    # its data are old, as the clock of the embedded API is
    assert webhook.titles[1].endswith(f"over: failed load: analytics/{SOURCES}")
    assert "failed load" not in invoke("alert").output


def test_a_setting_that_cannot_be_used_does_not_fail_a_load(
    invoke: Invoke,
    webhook: Webhook,
    connected: Sandbox,
    duckdb_warehouse: Warehouse,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert connected.today == TODAY
    monkeypatch.setenv("ALERTS__QUIET_HOURS", "at night")
    result = invoke("materialize", SOURCES)
    assert result.exit_code == 0
    assert "No alert was sent. The setting `alerts.quiet_hours`" in result.output
