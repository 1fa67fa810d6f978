"""OAuth2 for server-to-server APIs: one token, renewed ahead of its expiry by one thread at a time.

RFC 6749 (client credentials, refresh token, password, client authentication), RFC 7523 (JWT
bearer).
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

import requests
from dlt.sources.helpers.rest_client.auth import AuthConfigBase

from analytics_assets.config.settings.oauth2 import OAuth2Settings
from analytics_assets.config.settings.request import RequestSettings
from analytics_assets.config.settings.resolution import resolved
from analytics_assets.extract.http.oauth2.grants import Grant, JwtBearerGrant, PasswordGrant
from analytics_assets.extract.http.oauth2.lifetime import lifetime_of
from analytics_assets.extract.http.oauth2.refresh_token import MAX_WAIT, RefreshTokenGrant
from analytics_assets.extract.http.oauth2.shared_refresh_token import SharedRefreshTokenGrant
from analytics_assets.extract.http.oauth2.token_request import basic_credentials, request_token
from analytics_assets.extract.http.shared_store.store import SharedStoreError
from analytics_assets.extract.http.shared_store.tokens import SharedTokens
from analytics_assets.redaction.configuration import learn_secrets
from analytics_assets.redaction.redactor import NEWEST, IssuedSecrets, redact

logger = logging.getLogger(__name__)
MAX_LEEWAY = 60.0  # seconds
LEEWAY_SHARE = 0.2  # of a token's lifetime, so that one of 2 seconds can still be used


class OAuth2(AuthConfigBase):
    """Signs requests with a token that all users of this object share.

    Works as dlt's `client.auth` and as the `auth` of plain `requests`.

    Args:
        settings: the token endpoint, the client and its grant.
        request_settings: timeout and retries of token requests.
        clock: returns the seconds of a clock that never goes back.
        shared: the tokens that processes share; None for a token of this process alone.

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
        shared: SharedTokens | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._shared = shared
        self._grant = _grant_of(settings, shared)
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
                self._renew(failure, refused=request.headers["Authorization"])

    def _renew(self, last_failure: Exception | None, refused: str = "") -> None:
        """Obtain a token, unless a request of another thread failed while this one waited."""
        if self._failure and self._failure is not last_failure:
            raise self._failure
        try:
            learn_secrets(self._settings)
            redact.add(basic_credentials(self._settings))
            if self._shared:
                self._obtain_shared(self._shared, refused)
            else:
                self._request_token()
        except Exception as error:
            self._failure = error
            raise

    def _obtain_shared(self, shared: SharedTokens, refused: str) -> None:
        """Take the token of another process, or request one that others take.

        Without the store, which has no other token then, this process has a token of its own.
        """
        with ExitStack() as alone:
            try:
                if self._take(shared, refused):
                    return
                alone.enter_context(shared.alone(shared.name, MAX_WAIT))
                if self._take(shared, refused):
                    return
            except SharedStoreError as error:
                logger.warning("The token is one of this process alone, as %s.", error)
            token, lifetime = self._request_token()
            fields = {"access_token": token, "lifetime": lifetime}
            try:
                shared.write(shared.name, fields, lifetime)
            except SharedStoreError as error:
                logger.warning("Other processes cannot use the new token, as %s.", error)

    def _take(self, shared: SharedTokens, refused: str) -> bool:
        """Take the token in the store; return False if there is none that can be used."""
        found = shared.read(shared.name)
        if found is None or found.left is None:
            return False
        token, lifetime = found.fields["access_token"], found.fields["lifetime"]
        if f"Bearer {token}" == refused or found.left <= _leeway(lifetime):
            return False
        self._use(token, found.left - _leeway(lifetime))
        return True

    def _request_token(self) -> tuple[str, float]:
        """Request a token, and use it; return it with its lifetime in seconds."""
        with self._grant.parameters() as parameters:
            for secret in parameters.values():
                self._issued.add(secret)
            answer = request_token(self._settings, self._request_settings, self._grant, parameters)
            if replaced := answer.refresh_token:
                self._issued.add(replaced)
                self._grant.rotate(replaced)
        token = answer.access_token
        lifetime = lifetime_of(answer.fields, self._settings.default_lifetime)
        self._use(token, lifetime - _leeway(lifetime))
        return token, lifetime

    def _use(self, token: str, seconds: float) -> None:
        self._issued.add(token)
        self._header = f"Bearer {token}"
        self._renew_at = self._clock() + seconds
        self._issued_headers[self._header] = None
        for oldest in list(self._issued_headers)[:-NEWEST]:
            del self._issued_headers[oldest]


def _leeway(lifetime: float) -> float:
    return min(MAX_LEEWAY, LEEWAY_SHARE * lifetime)


def _grant_of(settings: OAuth2Settings, shared: SharedTokens | None) -> Grant:
    if settings.private_key:
        return JwtBearerGrant(settings)
    if settings.refresh_token and shared:
        return SharedRefreshTokenGrant(settings, shared)
    if settings.refresh_token:
        return RefreshTokenGrant(settings)
    return PasswordGrant(settings) if settings.user_name else Grant(settings)
