"""Settings of alerts: their forms, and what the redactor knows of them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from dlt.common.configuration.container import Container
from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext

from analytics_assets.config.errors import SettingsError
from analytics_assets.config.settings.alerts import resolve_alerts, scheme_of
from analytics_assets.config.settings.providers import changes
from analytics_assets.redaction.redactor import redact

MAIL = "mailto://user:hunter2-Oslo@smtp.example.com?to=a@example.com,b@example.com"
SLACK = "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        (MAIL, (MAIL,)),
        (f"{MAIL} {SLACK}", (MAIL, SLACK)),
        (f" {MAIL},\n{SLACK}\n", (MAIL, SLACK)),
        (json.dumps([MAIL, SLACK]), (MAIL, SLACK)),
        ("", ()),
    ],
)
def test_urls_are_a_text_or_a_list(
    text: str, urls: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALERTS__URLS", text)
    assert resolve_alerts("shop").urls == urls


@pytest.fixture
def secrets(clean_place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file of secrets, which the process has looked for before."""
    context = Container()[PluggableRunContext]
    before = context.providers
    file = clean_place / ".dlt" / "secrets.toml"
    file.parent.mkdir()
    monkeypatch.setattr(changes, "_read", {file: changes.NO_FILE})
    yield file
    context.providers = before
    context.context.reset_config()


def test_they_are_looked_up_as_all_settings(secrets: Path) -> None:
    own = f'[sources.shop.alerts]\nurls = "{MAIL}"\n'
    secrets.write_text(f'[alerts]\nurls = ["{SLACK}"]\nquiet_hours = "22:00-07:00"\n{own}')
    changes.reread_settings()
    assert resolve_alerts().urls == (SLACK,)
    assert resolve_alerts("shop").urls == (MAIL,)
    assert resolve_alerts("shop").quiet_hours


@pytest.mark.parametrize(
    "text",
    [
        MAIL,
        "the password hunter2-Oslo",
        SLACK,
        "POST /services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ HTTP/1.1",
        "token T1JJ3T3L2",
        "A1BRTD4JD",
    ],
)
def test_no_part_of_a_url_is_in_a_text(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALERTS__URLS", f"{MAIL} {SLACK}")
    resolve_alerts()
    shown = redact(text)
    secrets = ("hunter2-Oslo", "T1JJ3T3L2", "A1BRTD4JD", "TIiajkdnlazkcOXrIdevi7FQ")
    assert not any(secret in shown for secret in secrets)


def test_names_of_hosts_and_addresses_are_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALERTS__URLS", f"{MAIL} {SLACK}")
    resolve_alerts()
    for text in ("smtp.example.com", "a@example.com", "hooks.slack.com", "services"):
        assert redact(f"see {text} there") == f"see {text} there"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("BASE_URL", "dagster.example.com", "`alerts.base_url` is 'dagster.example.com'"),
        ("QUIET_HOURS", "at night", "'at night' is no span"),
        ("TIMEZONE", "Berlin", "'Berlin' is no IANA time zone"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(
    name: str, value: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"ALERTS__{name}", value)
    with pytest.raises(SettingsError, match=message):
        resolve_alerts()


def test_a_scheme_is_all_that_is_shown_of_a_url() -> None:
    assert [scheme_of(url) for url in (MAIL, "JSON://x", "secret", "s e://x")] == [
        *("mailto", "json"),
        *("unknown", "unknown"),
    ]
