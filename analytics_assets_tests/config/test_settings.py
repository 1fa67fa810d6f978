import base64
import json
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

import dlt
import pytest

from analytics_assets.config.settings import (
    SettingsError,
    configured_base_url,
    resolve_client,
    resolve_oauth2,
)
from analytics_assets.extract import rest_api_source
from analytics_assets.sandbox import embedded_sandbox
from analytics_assets_tests.support.token_server import recording

COMPLETE = {
    "type": "oauth2",
    "token_url": "https://auth.example.com/token",
    "client_id": "literal-client",
    "client_secret": "literal-secret",
}
OPEN = {
    "type": "oauth2",
    "token_url": dlt.config.value,
    "client_id": dlt.secrets.value,
    "client_secret": dlt.secrets.value,
}
BASE_URL = "https://api.example.com"


def set_all(monkeypatch: pytest.MonkeyPatch, **settings: str) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)


def test_what_the_dictionary_says_wins_over_the_environment(
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


def test_a_setting_of_the_api_wins_over_one_of_all_sources_and_that_over_a_bare_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_all(
        monkeypatch,
        TOKEN_URL="https://bare.example.com",
        CLIENT_ID="bare-client",
        CLIENT_SECRET="bare-secret",
        SOURCES__CLIENT_ID="client-of-all",
        SOURCES__CLIENT_SECRET="secret-of-all",
        SOURCES__SHOP__CLIENT_SECRET="secret-of-shop",
        SOURCES__OTHER__CLIENT_ID="client-of-another",
    )

    settings = resolve_oauth2(OPEN, "shop")

    assert settings.token_url == "https://bare.example.com"
    assert settings.client_id == "client-of-all"
    assert settings.client_secret == "secret-of-shop"


@pytest.mark.parametrize("left_open", [OPEN, {"type": "oauth2"}, dict.fromkeys(OPEN)])
def test_a_value_left_open_is_looked_up(
    left_open: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_all(monkeypatch, TOKEN_URL="https://t.example.com", CLIENT_ID="me", CLIENT_SECRET="shh")

    settings = resolve_oauth2(left_open, "shop")

    assert (settings.token_url, settings.client_id) == ("https://t.example.com", "me")
    assert settings.client_secret == "shh"


@pytest.mark.parametrize("client", [{}, {"base_url": dlt.config.value}, {"base_url": None}])
def test_a_base_url_left_open_is_looked_up(
    client: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_all(monkeypatch, BASE_URL="https://bare.example.com")
    assert configured_base_url(client, "shop") == "https://bare.example.com"

    set_all(monkeypatch, SOURCES__SHOP__BASE_URL=BASE_URL)
    assert configured_base_url(client, "shop") == BASE_URL
    assert resolve_client({**client, "auth": COMPLETE}, "shop").base_url == BASE_URL


def test_all_the_ways_to_sign_in_can_be_set_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(
        monkeypatch,
        SOURCES__SHOP__REFRESH_TOKEN="granted-once",
        SOURCES__SHOP__SCOPE="reports users",
        SOURCES__SHOP__TOKEN_PARAMS='{"audience": "https://api.example.com"}',
        SOURCES__SHOP__CLIENT_AUTHENTICATION="basic",
        SOURCES__SHOP__DEFAULT_LIFETIME="90.5",
    )

    settings = resolve_oauth2(COMPLETE, "shop")

    assert settings.refresh_token == "granted-once"
    assert settings.scope == "reports users"
    assert settings.token_params == {"audience": "https://api.example.com"}
    assert settings.client_authentication == "basic"
    assert settings.default_lifetime == 90.5


IN_ANOTHER_PROCESS = """
import json, sys
from analytics_assets.config.settings import resolve_client
client = json.loads(sys.argv[1])
settings = resolve_client(client, "shop")
found = {"base_url": settings.base_url, "scope": settings.oauth2.scope}
found |= {name: getattr(settings.oauth2, name) for name in ("token_url", "client_id")}
print(json.dumps(found | {"client_secret": settings.oauth2.client_secret}))
"""


def test_settings_are_read_from_dlts_files_and_the_environment_wins(
    clean_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = clean_place / ".dlt"
    folder.mkdir()
    (folder / "config.toml").write_text(
        'base_url = "https://bare.example.com"\n'
        'scope = "reports"\n'
        "[sources.shop]\n"
        'base_url = "https://shop.example.com"\n'
        'token_url = "https://shop.example.com/token"\n'
    )
    (folder / "secrets.toml").write_text(
        'client_id = "bare-client"\n[sources.shop]\nclient_secret = "secret-of-shop"\n'
    )
    set_all(monkeypatch, CLIENT_ID="environment-client")

    ran = subprocess.run(
        [sys.executable, "-c", IN_ANOTHER_PROCESS, json.dumps({"auth": {"type": "oauth2"}})],
        cwd=clean_place,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )

    assert json.loads(ran.stdout) == {
        "base_url": "https://shop.example.com",
        "token_url": "https://shop.example.com/token",
        "client_id": "environment-client",
        "client_secret": "secret-of-shop",
        "scope": "reports",
    }


@pytest.mark.parametrize("how", ["not there", "empty in the dictionary", "empty outside"])
@pytest.mark.parametrize(
    ("setting", "file"),
    [
        ("token_url", ".dlt/config.toml"),
        ("client_id", ".dlt/secrets.toml"),
        ("client_secret", ".dlt/secrets.toml"),
    ],
)
def test_a_missing_setting_is_named_with_the_places_where_it_can_be_set(
    setting: str, file: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    auth: dict[str, Any] = {key: value for key, value in COMPLETE.items() if key != setting}
    if how == "empty in the dictionary":
        auth[setting] = ""
    if how == "empty outside":
        monkeypatch.setenv(setting.upper(), "")

    with pytest.raises(SettingsError) as failure:
        resolve_client({"base_url": BASE_URL, "auth": auth}, "shop")

    message = str(failure.value)
    assert message.startswith(f"The shop API needs the setting `{setting}`, which is missing")
    assert f"environment variable {setting.upper()}" in message
    assert file in message
    assert "\n" not in message


@pytest.mark.parametrize("other", ["refresh_token", "private_key"])
def test_no_client_secret_is_needed_where_something_else_proves_the_client(other: str) -> None:
    auth = {key: value for key, value in COMPLETE.items() if key != "client_secret"}

    assert resolve_oauth2({**auth, other: "given"}, "shop").client_secret is None


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("default_lifetime", "hunter2"),
        ("client_authentication", "hunter2"),
        ("token_params", "hunter2"),
    ],
)
@pytest.mark.parametrize("where", ["dictionary", "environment"])
def test_a_setting_of_the_wrong_type_is_named_but_its_value_is_not_shown(
    setting: str, value: str, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    auth = {**COMPLETE, setting: value} if where == "dictionary" else COMPLETE
    if where == "environment":
        monkeypatch.setenv(setting.upper(), value)

    with pytest.raises(SettingsError, match=f"The setting `{setting}` of the shop API") as failure:
        resolve_oauth2(auth, "shop")

    assert value not in "".join(traceback.format_exception(failure.value))


def test_an_unknown_key_of_the_auth_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SettingsError, match=r"unknown key 'token_uri'.*`token_url`"):
        resolve_oauth2({**COMPLETE, "token_uri": "https://auth.example.com"}, "shop")


def test_dlts_own_names_mean_the_same() -> None:
    auth = {
        "type": "oauth2_client_credentials",
        "access_token_url": "https://auth.example.com/token",
        "client_id": "me",
        "client_secret": "shh",
        "access_token_request_data": {"audience": "reports"},
        "default_token_expiration": 60,
    }

    settings = resolve_client({"base_url": BASE_URL, "auth": auth}, "shop").oauth2

    assert settings is not None
    assert settings.token_url == "https://auth.example.com/token"
    assert settings.token_params == {"audience": "reports"}
    assert settings.default_lifetime == 60


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
        [sent] = api.sent
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


def test_an_api_without_auth_is_read_without() -> None:
    rows, _query, headers = rows_and_request({"headers": {"X-Shop": "1"}})

    assert rows == [{"id": 1}]
    assert "authorization" not in headers
    assert headers["x-shop"] == "1"
