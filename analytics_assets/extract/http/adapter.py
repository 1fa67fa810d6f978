"""One attempt of a request: signed, counted, within the rate limit, its body read in time."""

import time
from collections.abc import Iterator
from typing import Any, Protocol

import requests
from requests.adapters import HTTPAdapter
from requests.exceptions import (
    ChunkedEncodingError,
    ContentDecodingError,
    RequestException,
    Timeout,
)
from requests.exceptions import ConnectionError as RequestsConnectionError
from urllib3 import HTTPResponse
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError

from analytics_assets.extract.http.cancellation import watch_socket, watched_exchange
from analytics_assets.extract.http.compat import (
    call_before_response,
    close_idle_connections,
    set_body,
)
from analytics_assets.extract.http.errors import NoAnswerError, describe_request
from analytics_assets.extract.http.limits.rate_limit import RateLimit
from analytics_assets.extract.http.redaction import Redact
from analytics_assets.extract.http.request_settings import RequestSettings
from analytics_assets.extract.http.traffic import Traffic

INCOMPLETE = (
    RequestsConnectionError,
    Timeout,
    ChunkedEncodingError,
    ContentDecodingError,
    HTTPError,
)
CHUNK_BYTES = 64 * 1024  # of a body between two checks of the deadline


class Signer(Protocol):
    """An auth object whose token can be renewed."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Put a valid token on the request."""

    def signed(self, request: requests.PreparedRequest) -> bool:
        """True if the request carries a token of this auth."""

    def renew(self, request: requests.PreparedRequest) -> None:
        """Get a new token, unless the one on the request has been replaced already."""


class ApiAdapter(HTTPAdapter):
    """Sends one attempt of a request; `ApiSession` calls it again for each retry.

    Each attempt has its own signature, a new token after a 401, its place in the rate limit and in
    the counts. The body is read here, so that an interrupted one is retried.

    Args:
        redact: removes secrets from a text.
        auth: signs the requests that it has signed before; None if the API needs no OAuth2.
        traffic: counts requests.
        rate_limit: the rate limit.
        settings: the deadline of an attempt, and the longest wait for the rate limit.
        address_setting: the setting with the requests' address, for errors.
    """

    def __init__(
        self,
        redact: Redact,
        auth: Signer | None,
        traffic: Traffic,
        rate_limit: RateLimit,
        settings: RequestSettings,
        address_setting: str = "base_url",
    ) -> None:
        super().__init__(pool_maxsize=rate_limit.max_in_flight)
        self._rate_limit = rate_limit
        self._address_setting = address_setting
        self._redact = redact
        self._auth = auth
        self._traffic = traffic
        self._deadline = settings.request_deadline
        self._max_wait = settings.max_wait

    def init_poolmanager(self, *args, **kwargs):  # type: ignore[no-untyped-def]
        """Make connections whose waits end when their read is cancelled."""
        super().init_poolmanager(*args, **kwargs)
        call_before_response(self.poolmanager, watch_socket)

    def proxy_manager_for(self, *args, **kwargs):  # type: ignore[no-untyped-def]
        """Make connections to a proxy whose waits end when their read is cancelled."""
        manager = super().proxy_manager_for(*args, **kwargs)
        call_before_response(manager, watch_socket)
        return manager

    def close(self) -> None:
        """Close all connections that are not in use."""
        for manager in (self.poolmanager, *self.proxy_manager.values()):
            close_idle_connections(manager)
        super().close()

    def send(
        self, request: requests.PreparedRequest, *args: Any, **kwargs: Any
    ) -> requests.Response:
        """Send the request once, or twice if its token is refused.

        Raises:
            NoAnswerError: no complete response arrived.
        """
        auth = self._auth if self._auth and self._auth.signed(request) else None
        if auth:
            auth(request)
        response = self._attempt(request, *args, **kwargs)
        if auth and response.status_code == requests.codes.unauthorized:
            auth.renew(request)
            auth(request)
            self._traffic.record_retry()
            response = self._attempt(request, *args, **kwargs)
        return response

    def _attempt(
        self, request: requests.PreparedRequest, *args: Any, **kwargs: Any
    ) -> requests.Response:
        with self._rate_limit.slot(self._max_wait):
            response = self._exchange(request, *args, **kwargs)
        self._rate_limit.observe(response)
        return response

    def _exchange(
        self, request: requests.PreparedRequest, *args: Any, **kwargs: Any
    ) -> requests.Response:
        started = time.monotonic()
        failure: RequestException | HTTPError | None = None
        try:
            with watched_exchange():
                response = super().send(request, *args, **kwargs)
                self._read_body(response, started)
        except INCOMPLETE as error:
            failure = error
        finally:
            self._traffic.record_attempt(time.monotonic() - started)
        if failure:
            # raised outside of `except`, as the original error, whose text holds the URL with its
            # query, would otherwise stay attached as the context
            raise self._no_answer(request, failure)
        return response

    def _no_answer(
        self, request: requests.PreparedRequest, failure: RequestException | HTTPError
    ) -> NoAnswerError:
        cause = _cause(failure)
        reason = cause if isinstance(cause, str) else f"{type(cause).__name__}: {cause}"
        refused = isinstance(cause, NewConnectionError)
        hint = f" (check `{self._address_setting}`)" if refused else ""
        where = describe_request(request, self._redact)
        return NoAnswerError(
            f"{where}: no whole answer: {self._redact(reason)}{hint}", request=request
        )

    def _read_body(self, response: requests.Response, started: float) -> None:
        """Read the body within the deadline; `response.content` has it from then on."""
        try:
            body = b"".join(self._chunks(response.raw, started))
        except Exception:
            response.close()
            raise
        # decoded after the deadline's checks, as many chunks may arrive before the first byte
        set_body(response, body)

    def _chunks(self, raw: HTTPResponse, started: float) -> Iterator[bytes]:
        """Yield chunks as they arrive: the socket's timeout holds for each of them alone."""
        while chunk := raw.read1(CHUNK_BYTES, decode_content=False):
            if time.monotonic() - started > self._deadline:
                raise Timeout(f"it took longer than `request_deadline`, {self._deadline:g} seconds")
            yield chunk


def _cause(error: RequestException | HTTPError) -> Any:
    """Return the error of a lower level that was wrapped, or the text in its place."""
    cause = error.args[0] if isinstance(error, RequestException) and error.args else error
    if isinstance(cause, MaxRetryError) and cause.reason is not None:
        return cause.reason
    return cause
