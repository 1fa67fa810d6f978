"""Where an API is and how to sign in, looked up with dlt's own providers when a run needs it.

A value that `api.py` leaves open (`dlt.config.value`, `dlt.secrets.value`, or not there at all) is
taken from the environment, `.dlt/secrets.toml` or `.dlt/config.toml`, first under
`sources.<api name>.<setting>`, then `sources.<setting>`, then `<setting>`.
https://dlthub.com/docs/general-usage/credentials/setup
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, TypeVar, get_type_hints
from urllib.parse import urlsplit, urlunsplit

import dlt
from dlt.common.configuration import configspec, resolve_configuration
from dlt.common.configuration.exceptions import ConfigValueCannotBeCoercedException
from dlt.common.configuration.specs import BaseConfiguration
from dlt.common.typing import ConfigValueSentinel, TSecretStrValue
from pydantic import TypeAdapter, ValidationError

from analytics_assets.config.errors import AnalyticsAssetsError

HARMLESS = ("accept", "accept-encoding", "accept-language", "content-type", "user-agent")
OAUTH2_TYPES = ("oauth2", "oauth2_client_credentials")
# dlt's names for what the seed of this project, and RFC 6749 deployments, call otherwise
STOCK_NAMES = {
    "access_token_url": "token_url",
    "access_token_request_data": "token_params",
    "default_token_expiration": "default_lifetime",
}
Spec = TypeVar("Spec", bound=BaseConfiguration)


class SettingsError(AnalyticsAssetsError):
    """A setting is missing or cannot be used; the message names it and where to put it."""


@configspec
class OAuth2Settings(BaseConfiguration):
    """What a token endpoint must be told, and how.

    The grant follows from what is set: a private key means JWT bearer (RFC 7523), a refresh token
    means `refresh_token`, otherwise `client_credentials` (RFC 6749 section 4.4).

    Args:
        token_url: the token endpoint.
        client_id: the client, or the service account's e-mail address for JWT bearer.
        client_secret: the client's secret.
        refresh_token: a refresh token that was granted once.
        refresh_token_dir: the folder that keeps what the token endpoint replaces it by.
        private_key: PEM private key of a service account; RS256 signs with it.
        private_key_id: the key's id, sent as `kid`.
        private_key_passphrase: the passphrase of an encrypted key.
        scope: scopes, separated by spaces.
        token_params: further parameters of the token request, such as `audience`.
        client_authentication: how the client proves itself: in the `form`, by HTTP `basic`
            (RFC 6749 section 2.3.1), or in a `json` body.
        default_lifetime: seconds a token lives when its answer does not say.
    """

    token_url: str | None = None
    client_id: str | None = None
    client_secret: TSecretStrValue | None = None
    refresh_token: TSecretStrValue | None = None
    refresh_token_dir: str = ".dlt/refresh_tokens"  # noqa: S105  # a folder, no secret
    private_key: TSecretStrValue | None = None
    private_key_id: str | None = None
    private_key_passphrase: TSecretStrValue | None = None
    scope: str | None = None
    token_params: dict[str, Any] | None = None
    client_authentication: Literal["form", "basic", "json"] = "form"
    default_lifetime: float = 3600

    @property
    def secrets(self) -> list[str]:
        """The values that must never be shown."""
        values = [self.client_secret, self.refresh_token, self.private_key]
        values += [self.private_key_passphrase, *(self.token_params or {}).values()]
        return [value for value in values if value and isinstance(value, str)]


@configspec
class LocationSettings(BaseConfiguration):
    """Where the API is; None stands for the embedded one."""

    base_url: str | None = None


@configspec
class SandboxSettings(BaseConfiguration):
    """The embedded API's clock: its today, as an ISO date; None is the real day."""

    today: str | None = None


@dataclass(frozen=True)
class ClientSettings:
    """The `client` part of the configuration with nothing left open.

    Args:
        client: dlt's `client` dictionary: base URL, headers, paginator and any stock auth.
        oauth2: what to sign in with, or None where `client.auth` is not OAuth2.
        embedded: whether this is the embedded API with its synthetic rows.
    """

    client: dict[str, Any]
    oauth2: OAuth2Settings | None
    embedded: bool

    @property
    def base_url(self) -> str:
        """The API's base URL, to be shown: without a user name and a password."""
        return without_credentials(str(self.client["base_url"]))

    @property
    def secrets(self) -> list[str]:
        """The values that must never be shown."""
        headers = self.client.get("headers") or {}
        unknown = [str(value) for name, value in headers.items() if name.lower() not in HARMLESS]
        if self.oauth2:
            return [*unknown, *self.oauth2.secrets]
        auth = self.client.get("auth")
        if not isinstance(auth, dict):
            return unknown
        basic = f"{auth.get('username')}:{auth.get('password')}"
        secrets = [auth.get(name) for name in ("token", "api_key", "password")]
        encoded = b64encode(basic.encode()).decode()
        return [*unknown, *(str(secret) for secret in secrets if secret), encoded]


def resolve_client(client: Mapping[str, Any], api_name: str) -> ClientSettings:
    """Fill in what `client` leaves open, from dlt's providers; the embedded API is the default.

    Args:
        client: the `client` dictionary of a dlt REST configuration.
        api_name: the API's name, the section under which settings are looked up first.

    Returns:
        The resolved settings.

    Raises:
        SettingsError: a setting is missing or has the wrong type.
    """
    base_url = configured_base_url(client, api_name)
    given = _without_open_values(client)
    auth = given.pop("auth", None)
    if not base_url:
        return _embedded_client(given)
    _refuse_other_than_http("base_url", base_url, api_name)
    client = {**given, "base_url": base_url}
    if isinstance(auth, dict) and auth.get("type") in OAUTH2_TYPES:
        return ClientSettings(client, resolve_oauth2(auth, api_name), embedded=False)
    if isinstance(auth, dict):
        auth = {name: _filled_in(name, value, api_name) for name, value in auth.items()}
    return ClientSettings({**client, "auth": auth} if auth else client, None, embedded=False)


def resolve_oauth2(auth: Mapping[str, Any], api_name: str) -> OAuth2Settings:
    """Fill in what an `oauth2` dictionary leaves open.

    Args:
        auth: the seed's keys (`token_url`) or dlt's own (`access_token_url`), and any other field
            of `OAuth2Settings`.
        api_name: the section under which settings are looked up first.

    Returns:
        The settings, complete for the grant that follows from them.

    Raises:
        SettingsError: one is missing, unknown, or has the wrong type.
    """
    given = {STOCK_NAMES.get(key, key): value for key, value in _without_open_values(auth).items()}
    given.pop("type", None)
    for key in given:
        if key not in OAuth2Settings.get_resolvable_fields():
            raise SettingsError(
                f"`auth` of the {api_name} API has an unknown key {key!r}; known keys are "
                f"{', '.join(f'`{known}`' for known in OAuth2Settings.get_resolvable_fields())}."
            )
    settings = _resolve(OAuth2Settings(), api_name, given)
    required = ["token_url", "client_id"]
    if not (settings.private_key or settings.refresh_token):
        required.append("client_secret")
    for name in required:
        if not getattr(settings, name):
            raise _missing(name, api_name)
    _refuse_other_than_http("token_url", str(settings.token_url), api_name)
    return settings


def configured_base_url(client: Mapping[str, Any], api_name: str) -> str | None:
    """Return the base URL that runs will use, or None for the embedded API; starts nothing."""
    given = {name: value for name, value in client.items() if name == "base_url"}
    return _resolve(LocationSettings(), api_name, _without_open_values(given)).base_url


def without_credentials(url: str) -> str:
    """Return `url` without the user name and password that it may hold."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _refuse_other_than_http(name: str, url: str, api_name: str) -> None:
    if not url.startswith(("http://", "https://")):
        raise SettingsError(
            f"The setting `{name}` of the {api_name} API is {without_credentials(url)!r}, which is "
            "no URL such as 'https://api.example.com'."
        )


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


def _without_open_values(given: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: value
        for key, value in given.items()
        if value is not None and not isinstance(value, ConfigValueSentinel)
    }


def _filled_in(name: str, value: Any, api_name: str) -> Any:
    """Return a value of one of dlt's own auth dictionaries, looked up if it was left open."""
    if not isinstance(value, ConfigValueSentinel):
        return value
    for key in (f"sources.{api_name}.{name}", f"sources.{name}", name):
        found: Any = dlt.secrets.get(key) or dlt.config.get(key)
        if found:
            return found
    raise _missing(name, api_name)


def _missing(name: str, api_name: str) -> SettingsError:
    file = "config.toml" if name == "token_url" else "secrets.toml"
    return SettingsError(
        f"The {api_name} API needs the setting `{name}`, which is missing: set the environment "
        f'variable {name.upper()} or write {name} = "..." into .dlt/{file}.'
    )


def _resolve(spec: Spec, api_name: str, given: Mapping[str, Any]) -> Spec:
    hints, explicit = get_type_hints(type(spec)), {}
    for name, value in given.items():
        try:
            # dlt 1.31 checks the type of what it looks up, but not of what it is given
            explicit[name] = TypeAdapter(hints[name]).validate_python(value)
        except ValidationError:
            raise _wrong_type(name, hints[name], api_name) from None
    try:
        return resolve_configuration(
            spec, sections=("sources", api_name), explicit_value=explicit or None
        )
    except ConfigValueCannotBeCoercedException as error:
        raise _wrong_type(error.field_name, error.hint, api_name) from None


def _wrong_type(name: str, hint: Any, api_name: str) -> SettingsError:
    return SettingsError(
        f"The setting `{name}` of the {api_name} API cannot be used: it must be of type "
        f"{getattr(hint, '__name__', hint)}."
    )
