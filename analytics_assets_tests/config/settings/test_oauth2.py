"""Settings of OAuth2: given, looked up, or refused."""

from typing import Any

import pytest

from analytics_assets.config.errors import SettingsError
from analytics_assets.config.settings.client import resolve_client
from analytics_assets.config.settings.oauth2 import resolve_oauth2
from analytics_assets_tests.config.given import BASE_URL, COMPLETE, OPEN, set_all


@pytest.mark.parametrize("left_open", [OPEN, {"type": "oauth2"}, dict.fromkeys(OPEN)])
def test_a_value_left_open_is_looked_up(
    left_open: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_all(monkeypatch, TOKEN_URL="https://t.example.com", CLIENT_ID="me", CLIENT_SECRET="shh")

    settings = resolve_oauth2(left_open, "shop")

    assert (settings.token_url, settings.client_id) == ("https://t.example.com", "me")
    assert settings.client_secret == "shh"


def test_every_field_can_be_set_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
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


@pytest.mark.parametrize("other", ["refresh_token", "private_key"])
def test_no_client_secret_is_needed_beside_a_refresh_token_or_a_private_key(other: str) -> None:
    auth = {key: value for key, value in COMPLETE.items() if key != "client_secret"}

    assert resolve_oauth2({**auth, other: "given"}, "shop").client_secret is None


def test_no_client_is_needed_beside_a_user_who_signs_in(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, USER_PASSWORD="open sesame", USERNAME="of-the-shell")
    auth = {"type": "oauth2", "token_url": "https://auth.example.com/login", "user_name": "ali"}

    settings = resolve_oauth2(auth, "shop")

    assert (settings.user_name, settings.user_password) == ("ali", "open sesame")
    assert (settings.client_id, settings.client_secret) == (None, None)


def test_a_user_without_a_password_is_refused() -> None:
    auth = {"type": "oauth2", "token_url": "https://auth.example.com/login", "user_name": "ali"}

    with pytest.raises(SettingsError, match="`user_password`, which is missing"):
        resolve_oauth2(auth, "shop")


def test_the_user_of_the_shell_does_not_change_the_grant(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, USERNAME="of-the-shell", USER="of-the-shell", PASSWORD="of-something")

    assert resolve_oauth2(COMPLETE, "shop").user_name is None


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
