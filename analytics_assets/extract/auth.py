"""OAuth2 for server-to-server APIs: one token, renewed ahead of its expiry by one thread at a time.

RFC 6749 (client credentials, refresh token, client authentication), RFC 7523 (JWT bearer).
"""

import base64
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import quote_plus

import jwt
import requests
from dlt.sources.helpers.rest_client.auth import AuthConfigBase

from analytics_assets.extract.session import (
    ApiError,
    NoAnswerError,
    RequestSettings,
    build_session,
    excerpt,
)
from analytics_assets.settings import OAuth2Settings

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION_LIFETIME = 3600  # seconds; Google refuses more
LONGEST_LEEWAY = 60.0  # seconds
LEEWAY_SHARE = 0.2  # of a token's life, so that one that lives 2 seconds can still be used
SHORTEST_SECRET = 4  # blotting out less than this would make messages unreadable


class TokenError(ApiError):
    """The token endpoint gave no token; the message holds its error code or what came instead."""


@dataclass(frozen=True)
class Token:
    """An access token, and when to replace it.

    Args:
        value: what goes behind `Bearer`.
        renew_at: time of the monotonic clock, in seconds, from which on it is not used any more.
    """

    value: str
    renew_at: float

    @property
    def header(self) -> str:
        """The `Authorization` header (RFC 6750 section 2.1)."""
        return f"Bearer {self.value}"


class OAuth2(AuthConfigBase):
    """Signs requests with a token that all users of this object share.

    Works as dlt's `client.auth` and as the `auth` of plain `requests`.

    Args:
        settings: what the token endpoint must be told.
        request_settings: timeout and retries of token requests.

    Example:
        >>> settings = OAuth2Settings()
        >>> settings.token_url = "https://auth.example.com/token"
        >>> settings.client_id, settings.client_secret = "me", "secret"
        >>> auth = OAuth2(settings)
        >>> auth.redact("client_secret=secret was refused")
        'client_secret=*** was refused'
    """

    def __init__(
        self, settings: OAuth2Settings, request_settings: RequestSettings | None = None
    ) -> None:
        self._settings = settings
        self._refresh_token: str | None = settings.refresh_token
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._issued_headers: set[str] = set()
        self._secrets = _spellings(settings)
        self._session = build_session(self.redact, settings=request_settings)
        self.resolve()  # dlt 1.31 would otherwise look up this object's fields, and there are none

    def __deepcopy__(self, memo: Mapping[int, Any]) -> "OAuth2":
        """Stay one object: dlt copies configurations, and there is one token for all of them."""
        return self

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Put a valid token on the request, fetching one first where needed.

        Raises:
            TokenError: no token could be had.
        """
        with self._lock:
            if self._token is None or time.monotonic() >= self._token.renew_at:
                self._fetch()
            assert self._token is not None
            request.headers["Authorization"] = self._token.header
        return request

    def signed(self, request: requests.PreparedRequest) -> bool:
        """Tell whether the request carries a token from here.

        False for a request that was redirected to another host: `requests` takes the header off.
        """
        return request.headers.get("Authorization") in self._issued_headers

    def renew(self, request: requests.PreparedRequest) -> None:
        """Replace the token that the API refused, unless another thread has done so already.

        Raises:
            TokenError: no token could be had.
        """
        with self._lock:
            if self._token is None or self._token.header == request.headers["Authorization"]:
                self._fetch()

    def redact(self, text: str) -> str:
        """Blot out of `text` every secret that is known here, tokens included."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    def _fetch(self) -> None:
        answer = self._ask()
        value = answer.get("access_token")
        if not isinstance(value, str) or not value:
            raise TokenError(
                f"The token endpoint {self._settings.token_url} answered without an "
                f"`access_token`{_oauth_error(answer, self.redact)}."
            )
        rotated = answer.get("refresh_token")
        if isinstance(rotated, str) and rotated:
            self._refresh_token = rotated
            self._secrets.append(rotated)
        lifetime = _lifetime(answer, self._settings.default_lifetime)
        leeway = min(LONGEST_LEEWAY, LEEWAY_SHARE * lifetime)
        self._token = Token(value, time.monotonic() + lifetime - leeway)
        self._secrets.append(value)
        self._issued_headers.add(self._token.header)

    def _ask(self) -> dict[str, Any]:
        url = str(self._settings.token_url)
        try:
            # a redirect would carry the client's secret to wherever it points
            response = self._session.post(
                url, **_token_request(self._settings, self._refresh_token), allow_redirects=False
            )
        except NoAnswerError as error:
            raise TokenError(f"The token endpoint could not be reached: {error}") from None
        try:
            answer = response.json()
        except requests.JSONDecodeError:
            answer = None
        if isinstance(answer, dict) and response.ok and not response.is_redirect:
            return answer
        what = f"The token endpoint {url} answered {response.status_code}"
        if isinstance(answer, dict) and "error" in answer:
            raise TokenError(f"{what}{_oauth_error(answer, self.redact)}. {_mend(answer)}".rstrip())
        raise TokenError(f"{what} with something that is no token{excerpt(response, self.redact)}")


def _token_request(settings: OAuth2Settings, refresh_token: str | None) -> dict[str, Any]:
    """Return the arguments of the token request: its body, and how the client proves itself."""
    fields = {**_grant(settings, refresh_token), **(settings.token_params or {})}
    if settings.scope and not settings.private_key:
        fields["scope"] = settings.scope
    client = {"client_id": settings.client_id, "client_secret": settings.client_secret}
    headers = {"Accept": "application/json"}
    if settings.private_key:
        return {"data": fields, "headers": headers}
    if settings.client_authentication == "basic":
        headers["Authorization"] = _basic(settings)
        # a no-op auth keeps requests from replacing the header by one from ~/.netrc
        return {"data": fields, "headers": headers, "auth": lambda request: request}
    fields = {**fields, **{key: value for key, value in client.items() if value}}
    body = "json" if settings.client_authentication == "json" else "data"
    return {body: fields, "headers": headers}


def _grant(settings: OAuth2Settings, refresh_token: str | None) -> dict[str, str]:
    if settings.private_key:
        return {"grant_type": JWT_BEARER, "assertion": _assertion(settings)}
    if refresh_token:
        return {"grant_type": "refresh_token", "refresh_token": refresh_token}
    return {"grant_type": "client_credentials"}


def _assertion(settings: OAuth2Settings) -> str:
    """Sign the claims of RFC 7523 section 3 with the service account's key."""
    # environment variables often carry a PEM key with its line ends written as \n
    pem = str(settings.private_key).replace("\\n", "\n").encode()
    passphrase = settings.private_key_passphrase
    now = int(time.time())
    claims = {
        "iss": settings.client_id,
        "sub": settings.client_id,
        "aud": settings.token_url,
        "iat": now,
        "exp": now + ASSERTION_LIFETIME,
    }
    if settings.scope:
        claims["scope"] = settings.scope
    try:
        # only this grant pays for importing the cryptography
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        key = load_pem_private_key(pem, passphrase.encode() if passphrase else None)
        return jwt.encode(
            claims,
            key,  # type: ignore[arg-type]  # a key of another kind than RSA is refused below
            algorithm="RS256",
            headers={"kid": settings.private_key_id} if settings.private_key_id else None,
        )
    except (ValueError, TypeError, jwt.PyJWTError) as error:
        raise TokenError(
            f"The setting `private_key` cannot sign: {type(error).__name__}. Give a PEM private "
            "key for RSA, and `private_key_passphrase` if it is encrypted."
        ) from None


def _basic(settings: OAuth2Settings) -> str:
    """Return the HTTP Basic header, both parts form-encoded first (RFC 6749 section 2.3.1)."""
    parts = (quote_plus(str(part or "")) for part in (settings.client_id, settings.client_secret))
    return "Basic " + base64.b64encode(":".join(parts).encode()).decode()


def _lifetime(answer: Mapping[str, Any], default: float) -> float:
    """Return the seconds that a token lives from now on: `expires_in`, `expires_at`, or `default`.

    `expires_at` is no part of RFC 6749; it comes as seconds since 1970 or as an ISO date and time.
    """
    for name, seconds_from in (("expires_in", float), ("expires_at", _seconds_until)):
        value = answer.get(name)
        if value is None or isinstance(value, bool):
            continue
        try:
            return max(0.0, seconds_from(value))
        except (ValueError, TypeError):
            continue
    return default


def _seconds_until(moment: Any) -> float:
    try:
        timestamp = float(moment)
    except ValueError:
        timestamp = datetime.fromisoformat(moment).timestamp()
    return timestamp - time.time()


def _oauth_error(answer: Mapping[str, Any], redact: partial[str] | Any) -> str:
    code, description = answer.get("error"), answer.get("error_description")
    if not code:
        return ""
    return redact(f": {code} ({description})" if description else f": {code}")


def _mend(answer: Mapping[str, Any]) -> str:
    mends = {
        "invalid_client": "Check `client_id` and `client_secret`.",
        "unauthorized_client": "The client may not use this grant.",
        "invalid_grant": "Check `refresh_token` or `private_key`; it may have expired.",
        "invalid_scope": "Check `scope`.",
        "unsupported_grant_type": "Set `refresh_token` or `private_key` if the endpoint asks for "
        "one of those grants.",
    }
    return mends.get(str(answer.get("error")), "")


def _spellings(settings: OAuth2Settings) -> list[str]:
    secrets = [secret for secret in settings.secrets if len(secret) >= SHORTEST_SECRET]
    encoded = [quote_plus(secret) for secret in secrets]
    return [*secrets, *encoded, _basic(settings).removeprefix("Basic ")]
