"""Settings of the `client` part of a configuration: the base URL and the authentication."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import dlt
from dlt.common.configuration import configspec, resolve_configuration
from dlt.common.configuration.specs import BaseConfiguration
from dlt.common.typing import ConfigValueSentinel

from analytics_assets.config.errors import SettingsError
from analytics_assets.config.oauth2_settings import OAUTH2_TYPES, OAuth2Settings, resolve_oauth2
from analytics_assets.config.settings import (
    check_url,
    missing_setting,
    resolve_settings,
    without_credentials,
    without_open_values,
)

HARMLESS = ("accept", "accept-encoding", "accept-language", "content-type", "user-agent")


@configspec
class LocationSettings(BaseConfiguration):
    """The API's base URL; None for the embedded API."""

    base_url: str | None = None


@configspec
class SandboxSettings(BaseConfiguration):
    """The current day of the embedded API as an ISO date; None for the real one."""

    today: str | None = None


@dataclass(frozen=True)
class ClientSettings:
    """The `client` part of the configuration with no value left open.

    Args:
        client: dlt's `client` dictionary: base URL, headers, paginator and any stock auth.
        oauth2: the settings of OAuth2, or None where `client.auth` is not OAuth2.
        embedded: True for the embedded API with its synthetic rows.
    """

    client: dict[str, Any]
    oauth2: OAuth2Settings | None
    embedded: bool

    @property
    def base_url(self) -> str:
        """The API's base URL for display, without a user name and a password."""
        return without_credentials(str(self.client["base_url"]))

    @property
    def secrets(self) -> list[str]:
        """The values that must never be shown."""
        headers = self.client.get("headers") or {}
        unknown = [str(value) for name, value in headers.items() if name.lower() not in HARMLESS]
        # an API may repeat the credentials alone, without their scheme (RFC 9110 section 11.4)
        signed = [headers[name] for name in headers if name.lower() == "authorization"]
        unknown += [str(value).partition(" ")[2] for value in signed]
        if self.oauth2:
            return [*unknown, *self.oauth2.secrets]
        auth = self.client.get("auth")
        if not isinstance(auth, Mapping):  # dlt's auth objects are mappings, too
            return unknown
        basic = f"{auth.get('username')}:{auth.get('password')}"
        secrets = [auth.get(name) for name in ("token", "api_key", "password", "client_secret")]
        encoded = b64encode(basic.encode()).decode()
        return [*unknown, *(str(secret) for secret in secrets if secret), encoded]


def resolve_client(client: Mapping[str, Any], api_name: str) -> ClientSettings:
    """Look up the values that `client` leaves open; the embedded API is the default.

    Args:
        client: the `client` dictionary of a dlt REST configuration.
        api_name: the API's name, the section under which settings are looked up first.

    Returns:
        The resolved settings.

    Raises:
        SettingsError: a setting is missing or has the wrong type.
    """
    base_url = configured_base_url(client, api_name)
    given = without_open_values(client)
    auth = given.pop("auth", None)
    if not base_url:
        return _embedded_client(given)
    check_url("base_url", base_url, api_name)
    client = {**given, "base_url": base_url}
    if isinstance(auth, dict) and auth.get("type") in OAUTH2_TYPES:
        return ClientSettings(client, resolve_oauth2(auth, api_name), embedded=False)
    if isinstance(auth, dict):
        auth = {name: _look_up_if_open(name, value, api_name) for name, value in auth.items()}
    return ClientSettings({**client, "auth": auth} if auth else client, None, embedded=False)


def configured_base_url(client: Mapping[str, Any], api_name: str) -> str | None:
    """Return the base URL of runs, None for the embedded API; starts nothing."""
    given = {name: value for name, value in client.items() if name == "base_url"}
    return resolve_settings(LocationSettings(), api_name, without_open_values(given)).base_url


def _embedded_client(given: dict[str, Any]) -> ClientSettings:
    # only a run that needs the embedded API pays for importing and starting its web server
    from analytics_assets.sandbox import embedded_sandbox

    setting = resolve_configuration(SandboxSettings(), sections=("sandbox",)).today
    try:
        today = date.fromisoformat(setting) if setting else None
    except ValueError as error:
        raise SettingsError(
            f"The setting `sandbox.today` is {setting!r}; give a date such as 2026-01-31."
        ) from error
    sandbox = embedded_sandbox(today)
    oauth2 = OAuth2Settings()
    oauth2.token_url = sandbox.token_url
    oauth2.client_id = sandbox.client_id
    oauth2.client_secret = sandbox.client_secret
    return ClientSettings({**given, "base_url": sandbox.base_url}, oauth2, embedded=True)


def _look_up_if_open(name: str, value: Any, api_name: str) -> Any:
    """Return a value of one of dlt's own auth dictionaries, looked up if it is left open."""
    if not isinstance(value, ConfigValueSentinel):
        return value
    for key in (f"sources.{api_name}.{name}", f"sources.{name}", name):
        found: Any = dlt.secrets.get(key) or dlt.config.get(key)
        if found:
            return found
    raise missing_setting(name, api_name)
