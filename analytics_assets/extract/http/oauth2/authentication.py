"""OAuth2 for server-to-server APIs: one token, renewed ahead of its expiry by one thread at a time.

RFC 6749 (client credentials, refresh token, password, client authentication), RFC 7523 (JWT
bearer).
"""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import requests
from dlt.sources.helpers.rest_client.auth import AuthConfigBase

from analytics_assets.config.settings.oauth2 import OAuth2Settings
from analytics_assets.config.settings.request import RequestSettings
from analytics_assets.config.settings.resolution import resolved
from analytics_assets.extract.http.oauth2.grants import Grant, JwtBearerGrant, PasswordGrant
from analytics_assets.extract.http.oauth2.lifetime import lifetime_of
from analytics_assets.extract.http.oauth2.refresh_token import RefreshTokenGrant
from analytics_assets.extract.http.oauth2.token_request import basic_credentials, request_token
from analytics_assets.redaction.configuration import learn_secrets
from analytics_assets.redaction.redactor import NEWEST, IssuedSecrets, redact

MAX_LEEWAY = 60.0  # seconds
LEEWAY_SHARE = 0.2  # of a token's lifetime, so that one of 2 seconds can still be used


class OAuth2(AuthConfigBase):
    """Signs requests with a token that all users of this object share.

    Works as dlt's `client.auth` and as the `auth` of plain `requests`.

    Args:
        settings: the token endpoint, the client and its grant.
        request_settings: timeout and retries of token requests.
        clock: returns the seconds of a clock that never goes back.

    Example:
        >>> settings = OAuth2Settings()
        >>> settings.token_url = "https://auth.example.com/token"
        >>> settings.client_id, settings.client_secret = "me", "secret"
        >>> session = requests.Session()
        >>> session.auth = OAuth2(settings)
    """

    def __init__(
        self,
        settings: OAuth2Settings,
        request_settings: RequestSettings | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._grant = _grant_of(settings)
        self._lock = threading.Lock()
        self._header = ""  # `Authorization`, by RFC 6750 section 2.1
        self._renew_at = 0.0
        self._failure: Exception | None = None
        self._issued = IssuedSecrets(redact)
        self._issued_headers: dict[str, None] = {}  # the newest ones
        self._request_settings = request_settings or resolved(RequestSettings())
        self.resolve()  # dlt 1.31 would otherwise look up this object's fields; it has none

    def __deepcopy__(self, memo: Mapping[int, Any]) -> "OAuth2":
        """Return the same object: dlt copies configurations, which share one token."""
        return self

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Put a valid token on the request, after requesting one where needed.

        Raises:
            TokenError: the token endpoint gave none.
        """
        failure = self._failure
        with self._lock:
            if not self._header or self._clock() >= self._renew_at:
                self._renew(failure)
            header = self._header
        if request.headers.get("Authorization") != header:
            request.headers = request.headers.copy()  # those of other pages in flight stay
            request.headers["Authorization"] = header
        return request

    def signed(self, request: requests.PreparedRequest) -> bool:
        """True if the request carries a token of this object.

        False for a request that was redirected to another host: `requests` removes the header.
        """
        return request.headers.get("Authorization") in self._issued_headers

    def renew(self, request: requests.PreparedRequest) -> None:
        """Replace the token that the API refused, unless another thread has done so already.

        Raises:
            TokenError: the token endpoint gave none.
        """
        failure = self._failure
        with self._lock:
            if self._header in ("", request.headers["Authorization"]):
                self._renew(failure)

    def _renew(self, last_failure: Exception | None) -> None:
        """Request a token, unless a request of another thread failed while this one waited."""
        if self._failure and self._failure is not last_failure:
            raise self._failure
        try:
            self._request_token()
        except Exception as error:
            self._failure = error
            raise

    def _request_token(self) -> None:
        learn_secrets(self._settings)
        redact.add(basic_credentials(self._settings))
        with self._grant.parameters() as parameters:
            for secret in parameters.values():
                self._issued.add(secret)
            answer = request_token(self._settings, self._request_settings, self._grant, parameters)
            if replaced := answer.refresh_token:
                self._issued.add(replaced)
                self._grant.rotate(replaced)
        self._issued.add(answer.access_token)
        lifetime = lifetime_of(answer.fields, self._settings.default_lifetime)
        leeway = min(MAX_LEEWAY, LEEWAY_SHARE * lifetime)
        self._header = f"Bearer {answer.access_token}"
        self._renew_at = self._clock() + lifetime - leeway
        self._issued_headers[self._header] = None
        for oldest in list(self._issued_headers)[:-NEWEST]:
            del self._issued_headers[oldest]


def _grant_of(settings: OAuth2Settings) -> Grant:
    if settings.private_key:
        return JwtBearerGrant(settings)
    if settings.refresh_token:
        return RefreshTokenGrant(settings)
    return PasswordGrant(settings) if settings.user_name else Grant(settings)
