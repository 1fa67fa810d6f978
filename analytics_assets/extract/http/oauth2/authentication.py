"""OAuth2 for server-to-server APIs: one token, renewed ahead of its expiry by one thread at a time.

RFC 6749 (client credentials, refresh token, client authentication), RFC 7523 (JWT bearer).
"""

import base64
import threading
import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import requests
from dlt.sources.helpers.rest_client.auth import AuthConfigBase

from analytics_assets.config.settings import OAuth2Settings
from analytics_assets.extract.http.errors import ApiError, NoAnswerError, excerpt
from analytics_assets.extract.http.oauth2.refresh_token import RefreshToken
from analytics_assets.extract.http.redaction import Redact, Redactor
from analytics_assets.extract.http.request_settings import RequestSettings
from analytics_assets.extract.http.session import build_session

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION_LIFETIME = 3600  # seconds; Google refuses more
LONGEST_LEEWAY = 60.0  # seconds
LEEWAY_SHARE = 0.2  # of a token's life, so that one that lives 2 seconds can still be used


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
        >>> session = requests.Session()
        >>> session.auth = OAuth2(settings)
    """

    def __init__(
        self, settings: OAuth2Settings, request_settings: RequestSettings | None = None
    ) -> None:
        self._settings = settings
        self._refresh_token = (
            RefreshToken(settings.refresh_token, Path(settings.refresh_token_dir))
            if settings.refresh_token
            else None
        )
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._issued_headers: set[str] = set()
        self.redact = Redactor([*settings.secrets, _basic_credentials(settings)])
        self._session = build_session(
            self.redact, settings=request_settings, address_setting="token_url"
        )
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

    def _fetch(self) -> None:
        with self._refresh_token.in_use() if self._refresh_token else nullcontext() as in_use:
            answer = self._ask(_grant(self._settings, in_use))
            rotated = answer.get("refresh_token")
            if self._refresh_token and isinstance(rotated, str) and rotated:
                self.redact.add(rotated)
                self._refresh_token.replace(rotated)
        value = answer.get("access_token")
        if not isinstance(value, str) or not value:
            raise TokenError(
                f"The token endpoint {self._settings.token_url} answered without an "
                f"`access_token`{_oauth_error(answer, self.redact)}."
            )
        lifetime = _lifetime(answer, self._settings.default_lifetime)
        leeway = min(LONGEST_LEEWAY, LEEWAY_SHARE * lifetime)
        self._token = Token(value, time.monotonic() + lifetime - leeway)
        self.redact.add(value)
        self._issued_headers.add(self._token.header)

    def _ask(self, grant: Mapping[str, str]) -> dict[str, Any]:
        url = str(self._settings.token_url)
        for secret in ("refresh_token", "assertion"):
            self.redact.add(grant.get(secret, ""))
        arguments = _token_request(self._settings, grant)
        try:
            # a redirect would carry the client's secret to wherever it points
            response = self._session.post(url, **arguments, allow_redirects=False)
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
            mend = _mend(answer, response.status_code)
            raise TokenError(f"{what}{_oauth_error(answer, self.redact)}. {mend}".rstrip())
        mend = "" if response.status_code >= requests.codes.server_error else " (check `token_url`)"
        shown = excerpt(response, self.redact)
        raise TokenError(f"{what} with something that is no token{mend}{shown}")


def _token_request(settings: OAuth2Settings, grant: Mapping[str, str]) -> dict[str, Any]:
    """Return the arguments of the token request: its body, and how the client proves itself."""
    fields = {**grant, **(settings.token_params or {})}
    headers = {"Accept": "application/json"}
    how = settings.client_authentication
    if not settings.private_key:
        client = {"client_id": settings.client_id, "client_secret": settings.client_secret}
        fields |= {"scope": settings.scope} if settings.scope else {}
        fields |= {name: value for name, value in client.items() if value and how != "basic"}
        if how == "basic":
            headers["Authorization"] = f"Basic {_basic_credentials(settings)}"
    body = "json" if how == "json" and not settings.private_key else "data"
    # a no-op auth keeps requests from adding credentials for this host from ~/.netrc
    return {body: fields, "headers": headers, "auth": lambda request: request}


def _grant(settings: OAuth2Settings, refresh_token: str | None) -> dict[str, str]:
    if settings.private_key:
        return {"grant_type": JWT_BEARER, "assertion": _assertion(settings)}
    if refresh_token:
        return {"grant_type": "refresh_token", "refresh_token": refresh_token}
    return {"grant_type": "client_credentials"}


def _assertion(settings: OAuth2Settings) -> str:
    """Sign the claims of RFC 7523 section 3 with the service account's key."""
    import jwt  # with the cryptography behind it 0.03 s, which other grants need not wait for

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


def _basic_credentials(settings: OAuth2Settings) -> str:
    """Return what goes behind `Basic`, both parts form-encoded first (RFC 6749 section 2.3.1)."""
    parts = (quote_plus(str(part or "")) for part in (settings.client_id, settings.client_secret))
    return base64.b64encode(":".join(parts).encode()).decode()


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
        except (ValueError, TypeError, OverflowError):
            continue
    return default


def _seconds_until(moment: Any) -> float:
    try:
        timestamp = float(moment)
    except ValueError:
        until = datetime.fromisoformat(moment)
        timestamp = (until if until.tzinfo else until.replace(tzinfo=UTC)).timestamp()
    return timestamp - time.time()


def _oauth_error(answer: Mapping[str, Any], redact: Redact) -> str:
    code, description = answer.get("error"), answer.get("error_description")
    if not code:
        return ""
    return redact(f": {code} ({description})" if description else f": {code}")


def _mend(answer: Mapping[str, Any], status: int) -> str:
    nothing_there = status in (requests.codes.not_found, requests.codes.method_not_allowed)
    mends = {
        "invalid_client": "Check `client_id` and `client_secret`.",
        "unauthorized_client": "The client may not use this grant.",
        "invalid_grant": "Check `refresh_token` or `private_key`; it may have expired.",
        "invalid_scope": "Check `scope`.",
        "unsupported_grant_type": "Set `refresh_token` or `private_key` if the endpoint asks for "
        "one of those grants.",
    }
    return mends.get(str(answer.get("error")), "Check `token_url`." if nothing_there else "")
