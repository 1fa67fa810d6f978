"""Receivers of alerts, and a shop to be alerted about."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from analytics_assets_tests.orchestration.automation.alerts.receivers import MailServer, Webhook
from analytics_assets_tests.orchestration.automation.alerts.shop import Shop


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    """A webhook, which the settings name as the receiver."""
    with Webhook() as running:
        monkeypatch.setenv("ALERTS__URLS", running.receiver)
        yield running


@pytest.fixture
def mail(monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    """A mail server, which the settings name as the receiver."""
    with MailServer() as running:
        monkeypatch.setenv("ALERTS__URLS", running.receiver)
        yield running


@pytest.fixture
def stored_instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """A Dagster instance with its history in files, as on a machine."""
    home = tmp_path / "home"
    home.mkdir()
    overrides = {"telemetry": {"enabled": False}}
    with dg.DagsterInstance.local_temp(str(home), overrides) as instance:
        yield instance


@pytest.fixture
def shop(instance: dg.DagsterInstance) -> Shop:
    """The shop, whose history is in memory."""
    return Shop(instance)


@pytest.fixture
def stored_shop(stored_instance: dg.DagsterInstance) -> Shop:
    """The shop, whose history is in files."""
    return Shop(stored_instance)
