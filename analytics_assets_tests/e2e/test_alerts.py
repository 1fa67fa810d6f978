"""Alerts of several processes: each message is sent once."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from analytics_assets_tests.orchestration.automation.alerts.receivers import Webhook
from analytics_assets_tests.orchestration.automation.alerts.shop import Shop, down

SEND = """
import sys
import dagster as dg
from analytics_assets_tests.orchestration.automation.alerts.shop import Shop
with dg.DagsterInstance.from_config(sys.argv[1]) as instance:
    print(Shop(instance).send(patience=30.0).messages)
"""


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    """A webhook, which the settings name as the receiver."""
    with Webhook() as running:
        monkeypatch.setenv("ALERTS__URLS", running.receiver)
        yield running


def test_processes_that_send_at_once_send_each_message_once(
    webhook: Webhook, tmp_path: Path
) -> None:
    overrides = {"telemetry": {"enabled": False}}
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides) as instance:
        shop = Shop(instance)
        shop.send()
        shop.failures["shop/orders"] = down("orders")
        shop.load()
    command = [sys.executable, "-c", SEND, str(tmp_path)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    counts = sorted(int(process.communicate(timeout=600)[0]) for process in processes)
    assert counts == [0, 1]
    assert webhook.titles == ["ERROR: failed load: shop/orders"]
