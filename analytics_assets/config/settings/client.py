"""Settings of the `client` part of a configuration: the base URL and the authentication."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from dlt.common.configuration import configspec
from dlt.common.configuration.specs import BaseConfiguration

from analytics_assets.config.errors import SettingsError
from analytics_assets.config.settings.look_up import (
    check_url,
    look_up,
    missing_setting,
    own_destination,
    resolve_settings,
    without_open_values,
    without_placeholders,
)
from analytics_assets.config.settings.oauth2 import (
    OAUTH2_CREDENTIALS,
    OAUTH2_TYPES,
    STOCK_NAMES,
    OAuth2Settings,
    resolve_oauth2,
)
from analytics_assets.config.settings.resolution import resolved
from analytics_assets.config.validation.allowed_hosts import allowed_hosts
from analytics_assets.redaction.configuration import learn_secrets
from analytics_assets.redaction.url import split_credentials, without_credentials


@configspec
class LocationSettings(BaseConfiguration):
    """The API's base URL; None for the embedded API."""

    base_url: str | None = None


@configspec
class SandboxSettings(BaseConfiguration):
    """Settings of the embedded API.

    Args:
        enabled: True to use it wherever no `base_url` is set, False never; None where nothing
            points to an API or a warehouse of one's own, either.
        today: its current day as an ISO date; None for the real one.
    """

    enabled: bool | None = None
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
        """The API's base URL, without a user name and a password."""
        return str(self.client["base_url"])

    @property
    def allowed_hosts(self) -> Mapping[str, bool]:
        """The further hosts that may be asked; True for one that gets credentials."""
        return allowed_hosts(self.client.get("allowed_hosts"))


def resolve_client(
    client: Mapping[str, Any], api_name: str, *, embeddable: bool = True
) -> ClientSettings:
    """Look up the values that `client` leaves open; its secrets are in no text from then on.

    Args:
        client: the `client` dictionary of a dlt REST configuration.
        api_name: the API's name, the section under which settings are looked up first.
        embeddable: False to use the embedded API only if `sandbox.enabled` says so, as the rows
            are loaded into an unknown warehouse.

    Returns:
        The resolved settings; without a `base_url`, those of the embedded API.

    Raises:
        MissingSettingError: a setting is missing: `base_url`, if anything points to an API or a
            warehouse of one's own.
        SettingsError: a setting has the wrong type.
    """
    base_url = configured_base_url(client, api_name)
    given = without_open_values(client)
    auth = given.pop("auth", None)
    if not base_url:
        unknown = None if embeddable else "the warehouse is not that of the settings"
        reason = no_sandbox(client, api_name, unknown)
        if reason:
            advice = f"The embedded API is not used, as {reason}; `sandbox.enabled = true` uses it."
            raise missing_setting("base_url", api_name, advice)
        return _embedded_client(given)
    learn_secrets(base_url)
    check_url("base_url", base_url, api_name)
    base_url, authorization = split_credentials(base_url)
    known: dict[str, Any] = without_placeholders({**given, "base_url": base_url}, api_name)
    if authorization:
        known["headers"] = {**authorization, **(known.get("headers") or {})}
    learn_secrets(known)
    if isinstance(auth, dict) and auth.get("type") in OAUTH2_TYPES:
        return ClientSettings(known, resolve_oauth2(auth, api_name), embedded=False)
    auth = without_placeholders(auth, api_name)
    learn_secrets(auth, "auth")
    return ClientSettings({**known, "auth": auth} if auth else known, None, embedded=False)


def configured_base_url(client: Mapping[str, Any], api_name: str) -> str | None:
    """Return the base URL of runs, None if none is set; starts nothing."""
    given = {name: value for name, value in client.items() if name == "base_url"}
    return resolve_settings(LocationSettings(), api_name, without_open_values(given)).base_url


def describe_location(client: Mapping[str, Any], api_name: str) -> str:
    """Return the location of an API for display; starts nothing, and needs no setting.

    Args:
        client: the `client` dictionary of a dlt REST configuration.
        api_name: the API's name.
    """
    if base_url := configured_base_url(client, api_name):
        return without_credentials(base_url).partition("?")[0]
    kind = "an unknown address" if no_sandbox(client, api_name) else "the embedded API"
    return f"{kind}, as no `base_url` is set"


def no_sandbox(client: Mapping[str, Any], api_name: str, unknown: str | None = None) -> str | None:
    """Return the reason not to use the embedded API where no `base_url` is set, None for none.

    Its synthetic rows must never get into a warehouse of one's own, as when the settings stand in
    another folder than the one in which a command runs.

    Args:
        client: the `client` dictionary of a dlt REST configuration.
        api_name: the API's name.
        unknown: a reason that goes behind `sandbox.enabled` and before all others.

    Raises:
        SettingsError: `sandbox.enabled` is neither true nor false.
    """
    enabled = _sandbox_settings().enabled
    if enabled is not None:
        return None if enabled else "`sandbox.enabled` is false"
    own = unknown or own_destination()
    return own or _own_credential(client.get("auth"), api_name)


def _own_credential(auth: Any, api_name: str) -> str | None:
    """Return the words for a credential that points to an API of one's own, None for none."""
    if auth is not None and not isinstance(auth, dict):
        return "`api.py` has an `auth`"
    names = OAUTH2_CREDENTIALS
    if auth and auth.get("type") not in OAUTH2_TYPES:
        names = tuple(name for name in auth if name not in ("type", "name", "location"))
    written = without_open_values(auth or {})
    given = {STOCK_NAMES.get(name, name) for name in written if written[name]}
    for name in names:
        if name in given or look_up(name, "sources", api_name):
            return f"`{name}` is set"
    return None


def _sandbox_settings() -> SandboxSettings:
    return resolved(SandboxSettings(), ("sandbox",))


def _embedded_client(given: dict[str, Any]) -> ClientSettings:
    # only a run that needs the embedded API pays for importing and starting its web server
    from analytics_assets.sandbox import embedded_sandbox

    setting = _sandbox_settings().today
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
    headers = without_open_values(given.get("headers") or {})
    client = {**given, "headers": headers, "base_url": sandbox.base_url}
    return ClientSettings(client, oauth2, embedded=True)
