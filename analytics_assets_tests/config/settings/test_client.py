"""Settings of the client: the base URL, and each kind of authentication."""

import base64
from datetime import date
from pathlib import Path
from typing import Any

import dlt
import pytest
from dlt.common.configuration.container import Container
from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext
from dlt.sources.helpers.rest_client.auth import (
    APIKeyAuth,
    BearerTokenAuth,
    HttpBasicAuth,
    OAuth2ClientCredentials,
)

from analytics_assets.config.errors import MissingSettingError, SettingsError
from analytics_assets.config.settings.client import (
    configured_base_url,
    describe_location,
    no_sandbox,
    resolve_client,
)
from analytics_assets.defs.analytics.api import API
from analytics_assets.extract.source import rest_api_source
from analytics_assets.redaction.redactor import redact
from analytics_assets.sandbox import embedded_sandbox
from analytics_assets_tests.config.given import BASE_URL, COMPLETE, OPEN, set_all
from analytics_assets_tests.support.token_server import recording


def test_a_value_in_the_dictionary_wins_over_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_all(
        monkeypatch,
        BASE_URL="https://environment.example.com",
        SOURCES__SHOP__BASE_URL="https://environment.example.com",
        SOURCES__SHOP__CLIENT_ID="environment-client",
        CLIENT_SECRET="environment-secret",
        TOKEN_URL="https://environment.example.com/token",
    )

    settings = resolve_client({"base_url": BASE_URL, "auth": COMPLETE}, "shop")

    assert settings.base_url == BASE_URL
    assert settings.oauth2 is not None
    assert settings.oauth2.token_url == "https://auth.example.com/token"
    assert settings.oauth2.client_id == "literal-client"
    assert settings.oauth2.client_secret == "literal-secret"
    assert not settings.embedded


@pytest.mark.parametrize("client", [{}, {"base_url": dlt.config.value}, {"base_url": None}])
def test_a_base_url_left_open_is_looked_up(
    client: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_all(monkeypatch, BASE_URL="https://bare.example.com")
    assert configured_base_url(client, "shop") == "https://bare.example.com"

    set_all(monkeypatch, SOURCES__SHOP__BASE_URL=BASE_URL)
    assert configured_base_url(client, "shop") == BASE_URL
    assert resolve_client({**client, "auth": COMPLETE}, "shop").base_url == BASE_URL


@pytest.mark.parametrize("base_url", [None, "", dlt.config.value])
def test_without_a_base_url_the_embedded_api_is_used(
    base_url: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BASE_URL", "")
    client = {"base_url": base_url, "headers": {"X-Shop": "1"}, "auth": OPEN}

    settings = resolve_client(client, "shop")

    assert not configured_base_url(client, "shop")
    assert settings.embedded
    assert settings.base_url == embedded_sandbox().base_url
    assert settings.oauth2 is not None
    assert settings.oauth2.token_url == embedded_sandbox().token_url
    assert settings.client["headers"] == {"X-Shop": "1"}


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of a fresh clone: none."""
    monkeypatch.delenv("SANDBOX__ENABLED")
    monkeypatch.delenv("DESTINATION__DUCKDB__CREDENTIALS")


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"DESTINATION_TYPE": "duckdb", "DATASET_NAME": "web"},
        {"DESTINATION__DUCKDB__CREDENTIALS": "warehouse.duckdb"},
        {"DESTINATION__DUCKDB__CREDENTIALS": "duckdb:///warehouse.duckdb"},
        {"DATABASE": "shop"},  # of another program: dlt does not read it
        {"SANDBOX__TODAY": "2025-08-01"},
        {"SANDBOX__ENABLED": "true", "DESTINATION_TYPE": "postgres", "CLIENT_SECRET": "shh"},
    ],
)
def test_the_embedded_api_is_used_where_nothing_points_elsewhere_or_if_enabled(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]
) -> None:
    set_all(monkeypatch, **settings)
    assert resolve_client({"auth": OPEN}, "shop").embedded
    assert describe_location({"auth": OPEN}, "shop").startswith("the embedded API, as no")


@pytest.mark.usefixtures("fresh")
def test_the_api_of_a_fresh_clone_is_the_embedded_one_as_of_today(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SANDBOX__TODAY", "2025-07-30")
    assert resolve_client(API.config["client"], API.name).embedded
    assert embedded_sandbox().today == date(2025, 7, 30)


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"SANDBOX__ENABLED": "false"}, "`sandbox.enabled` is false"),
        ({"DESTINATION_TYPE": "postgres"}, "`destination_type` is postgres"),
        ({"DESTINATION__DUCKDB__CREDENTIALS": "/data/web.duckdb"}, "not the default"),
        ({"DESTINATION__DUCKDB__CREDENTIALS__DATABASE": "/data/web.duckdb"}, "not the default"),
        ({"CREDENTIALS": "/data/web.duckdb"}, "not the default"),
        ({"DESTINATION__CREDENTIALS__DATABASE": "/data/web.duckdb"}, "not the default"),
        ({"CREDENTIALS__DATABASE": "/data/web.duckdb"}, "not the default"),
        ({"TOKEN_URL": "https://auth.example.com"}, "`token_url` is set"),
        ({"SOURCES__SHOP__CLIENT_ID": "me"}, "`client_id` is set"),
        ({"SOURCES__CLIENT_SECRET": "shh"}, "`client_secret` is set"),
        ({"REFRESH_TOKEN": "shh"}, "`refresh_token` is set"),
        ({"PRIVATE_KEY": "shh"}, "`private_key` is set"),
    ],
)
def test_without_a_base_url_whatever_points_elsewhere_is_an_error_with_the_places_searched(
    monkeypatch: pytest.MonkeyPatch, clean_place: Path, settings: dict[str, str], reason: str
) -> None:
    set_all(monkeypatch, **settings)
    with pytest.raises(MissingSettingError) as refused:
        resolve_client({"base_url": dlt.config.value, "auth": OPEN}, "shop")
    message = str(refused.value)
    assert message.startswith("The shop API needs the setting `base_url`, which is missing: set")
    assert f"into the section [sources.shop] of {clean_place}/.dlt/config.toml" in message
    assert reason in message
    assert "shh" not in message
    assert describe_location({"auth": OPEN}, "shop").startswith("an unknown address")


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize(
    ("auth", "own"),
    [
        ({**OPEN, "token_url": "https://auth.example.com"}, True),
        ({"type": "oauth2_client_credentials", "access_token_url": "https://a.example"}, True),
        ({"type": "bearer", "token": "shh"}, True),
        ({"type": "bearer", "token": dlt.secrets.value}, False),
        ({**OPEN, "token_url": "", "scope": "read"}, False),
        ({"type": "api_key", "name": "X-Key", "location": "header", "api_key": None}, False),
        (BearerTokenAuth(token="shh"), True),
        ("bearer", True),
        (None, False),
    ],
)
def test_a_credential_in_the_dictionary_points_elsewhere(auth: Any, own: bool) -> None:
    assert bool(no_sandbox({"auth": auth}, "shop")) is own


@pytest.mark.usefixtures("fresh")
def test_a_toml_table_of_credentials_points_elsewhere(clean_place: Path) -> None:
    folder = clean_place / ".dlt"
    folder.mkdir()
    (folder / "secrets.toml").write_text('destination.duckdb.credentials.database = "/d/web"')
    settings = Container()[PluggableRunContext]
    settings.reload_providers()
    try:
        assert "is not the default, warehouse.duckdb" in str(no_sandbox({}, "shop"))
    finally:
        (folder / "secrets.toml").unlink()
        settings.reload_providers()


@pytest.mark.usefixtures("fresh")
def test_a_source_for_an_unknown_warehouse_has_rows_of_the_embedded_api_only_if_enabled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = {"client": {"base_url": None}, "resources": ["orders"]}
    with pytest.raises(MissingSettingError, match="the warehouse is not that of the settings"):
        rest_api_source(config, "shop")
    monkeypatch.setenv("SANDBOX__ENABLED", "true")
    assert rest_api_source(config, "shop").resources["orders"]


def test_a_word_for_enabled_that_is_neither_true_nor_false_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SANDBOX__ENABLED", "perhaps")
    with pytest.raises(SettingsError, match=r"`sandbox.enabled` cannot be 'perhaps': give t"):
        resolve_client({}, "shop")


def test_a_day_of_the_embedded_api_that_is_no_date_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SANDBOX__TODAY", "yesterday")
    with pytest.raises(SettingsError, match=r"`sandbox.today` is 'yesterday'; give a date"):
        resolve_client({}, "shop")


def rows_and_request(
    client: dict[str, Any],
) -> tuple[list[Any], dict[str, str], dict[str, str]]:
    with recording(lambda _sent: (200, {}, '{"data": [{"id": 1}]}')) as api:
        endpoint = {"path": "/orders", "data_selector": "data", "paginator": "single_page"}
        config = {
            "client": {"base_url": api.url(), **client},
            "resources": [{"name": "orders", "endpoint": endpoint}],
        }
        rows = list(rest_api_source(config, "shop").resources["orders"])
        [sent] = api.requests
        return rows, sent.query, sent.headers


BASIC = "Basic " + base64.b64encode(b"me:shh").decode()


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        ({"type": "bearer", "token": "long-lived"}, "authorization", "Bearer long-lived"),
        ({"token": "long-lived"}, "authorization", "Bearer long-lived"),
        ({"type": "api_key", "name": "X-Key", "api_key": "k", "location": "header"}, "x-key", "k"),
        ({"type": "http_basic", "username": "me", "password": "shh"}, "authorization", BASIC),
    ],
)
def test_other_kinds_of_auth_are_left_to_dlt(auth: dict[str, str], header: str, value: str) -> None:
    rows, _query, headers = rows_and_request({"auth": auth})

    assert rows == [{"id": 1}]
    assert headers[header] == value


def test_an_api_key_may_stand_in_the_query() -> None:
    auth = {"type": "api_key", "name": "pass", "api_key": "k", "location": "query"}

    assert rows_and_request({"auth": auth})[1]["pass"] == "k"


def test_another_kind_of_auth_may_be_left_open_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCES__SHOP__TOKEN", "from-outside")
    auth = {"type": "bearer", "token": dlt.secrets.value}

    assert rows_and_request({"auth": auth})[2]["authorization"] == "Bearer from-outside"


def test_an_auth_that_is_only_named_is_looked_up_by_dlt_under_its_own_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SOURCES__SHOP__CREDENTIALS__TOKEN", "from-outside")

    assert rows_and_request({"auth": "bearer"})[2]["authorization"] == "Bearer from-outside"


def test_a_missing_value_of_another_kind_of_auth_is_named() -> None:
    with pytest.raises(SettingsError, match="needs the setting `token`, which is missing"):
        resolve_client(
            {"base_url": BASE_URL, "auth": {"type": "bearer", "token": dlt.secrets.value}}, "shop"
        )


@pytest.mark.parametrize(
    "auth",
    [
        BearerTokenAuth(token="a-secret"),
        APIKeyAuth(name="X-Key", api_key="a-secret"),
        HttpBasicAuth("me", "a-secret"),
        OAuth2ClientCredentials(
            access_token_url=f"{BASE_URL}/token", client_id="me", client_secret="a-secret"
        ),
    ],
)
@pytest.mark.parametrize("part", ["auth", "headers"])
def test_the_secret_of_an_auth_object_or_a_header_is_never_shown(auth: Any, part: str) -> None:
    value = auth if part == "auth" else {"authorization": "Token a-secret"}
    resolve_client({"base_url": BASE_URL, part: value}, "shop")
    assert redact("you sent a-secret") == "you sent ***"


def test_an_api_without_auth_is_read_without() -> None:
    rows, _query, headers = rows_and_request({"headers": {"X-Shop": "1"}})

    assert rows == [{"id": 1}]
    assert "authorization" not in headers
    assert headers["x-shop"] == "1"
