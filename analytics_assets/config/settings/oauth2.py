"""Settings of OAuth2: the token endpoint, the client and the grant."""

from collections.abc import Mapping
from typing import Any, Literal

from dlt.common.configuration import configspec
from dlt.common.configuration.specs import BaseConfiguration
from dlt.common.typing import TSecretStrValue

from analytics_assets.config.errors import SettingsError, listed
from analytics_assets.config.settings.look_up import (
    check_url,
    missing_setting,
    resolve_settings,
    without_open_values,
    without_placeholders,
)

OAUTH2_TYPES = ("oauth2", "oauth2_client_credentials")
# any of them belongs to an API of one's own
OAUTH2_CREDENTIALS = (
    *("token_url", "client_id", "client_secret"),
    *("refresh_token", "private_key", "user_password"),
)
# dlt's own names of these settings
STOCK_NAMES = {
    "access_token_url": "token_url",
    "access_token_request_data": "token_params",
    "default_token_expiration": "default_lifetime",
}


@configspec
class OAuth2Settings(BaseConfiguration):
    """Settings of OAuth2: the token endpoint, the client and the grant.

    A private key selects the grant JWT bearer (RFC 7523), a refresh token `refresh_token`, a user's
    name `password` (RFC 6749 section 4.3), and none of them `client_credentials` (section 4.4).

    Args:
        token_url: the token endpoint.
        client_id: the client, or the service account's e-mail address for JWT bearer.
        client_secret: the client's secret.
        refresh_token: a refresh token that was granted once.
        refresh_token_dir: the folder that keeps the refresh tokens by which it was replaced.
        private_key: PEM private key of a service account; RS256 signs with it.
        private_key_id: the key's id, sent as `kid`.
        private_key_passphrase: the passphrase of an encrypted key.
        user_name: the user who signs in.
        user_password: the user's password.
        scope: scopes, separated by spaces.
        token_params: further parameters of the token request, such as `audience`.
        client_authentication: the place of the client's credentials: in the `form`, in HTTP `basic`
            (RFC 6749 section 2.3.1), or in a `json` body.
        token_field: the field of the response that has the token.
        default_lifetime: lifetime of a token in seconds if its response has no `expires_in`.
    """

    token_url: str | None = None
    client_id: str | None = None
    client_secret: TSecretStrValue | None = None
    refresh_token: TSecretStrValue | None = None
    refresh_token_dir: str = ".dlt/refresh_tokens"  # noqa: S105  # a folder, no secret
    private_key: TSecretStrValue | None = None
    private_key_id: str | None = None
    private_key_passphrase: TSecretStrValue | None = None
    user_name: str | None = None  # `username` may be set in any shell
    user_password: TSecretStrValue | None = None
    scope: str | None = None
    token_params: dict[str, Any] | None = None
    client_authentication: Literal["form", "basic", "json"] = "form"
    token_field: str = "access_token"  # noqa: S105  # a name, no secret
    default_lifetime: float = 3600


def resolve_oauth2(auth: Mapping[str, Any], api_name: str) -> OAuth2Settings:
    """Look up the values that an `oauth2` dictionary leaves open.

    Args:
        auth: the seed's keys (`token_url`) or dlt's own (`access_token_url`), and any other field
            of `OAuth2Settings`.
        api_name: the section under which settings are looked up first.

    Returns:
        The settings, complete for their grant.

    Raises:
        SettingsError: one is missing, unknown, or has the wrong type.
    """
    written = without_placeholders(without_open_values(auth), api_name)
    given = {STOCK_NAMES.get(key, key): value for key, value in written.items()}
    given.pop("type", None)
    known = OAuth2Settings.get_resolvable_fields()
    for key in given:
        if key not in known:
            raise SettingsError(
                f"`auth` of the {api_name} API has an unknown key {key!r}; known keys are "
                f"{listed(known)}."
            )
    settings = resolve_settings(OAuth2Settings(), api_name, given)
    required = ["token_url"]
    if settings.private_key or settings.refresh_token:
        required.append("client_id")
    else:
        required += ["user_password"] if settings.user_name else ["client_id", "client_secret"]
    for name in required:
        if not getattr(settings, name):
            raise missing_setting(name, api_name)
    check_url("token_url", str(settings.token_url), api_name)
    return settings
