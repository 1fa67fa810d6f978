"""The session of an API: retries, redirects, proxies, and prefetched responses."""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any
from urllib.parse import urlsplit

import requests
from dlt.common.configuration import resolve_configuration
from dlt.sources.helpers.requests import Session
from requests.adapters import BaseAdapter
from requests.exceptions import HTTPError, TooManyRedirects
from tenacity import RetryCallState, Retrying, stop_after_attempt, wait_exponential

from analytics_assets.extract.http.adapter import ApiAdapter, Signer
from analytics_assets.extract.http.cancellation import in_cancel_scope
from analytics_assets.extract.http.cancellation import sleep as cancellable_sleep
from analytics_assets.extract.http.compat import with_encoded_dots
from analytics_assets.extract.http.errors import (
    BodyError,
    NoAnswerError,
    RedirectError,
    describe_request,
)
from analytics_assets.extract.http.limits.headers import retry_after
from analytics_assets.extract.http.limits.rate_limit import RateLimit
from analytics_assets.extract.http.limits.settings import LimitSettings
from analytics_assets.extract.http.redaction import Redact
from analytics_assets.extract.http.request_settings import RequestSettings
from analytics_assets.extract.http.traffic import Traffic

RETRIED_STATUSES = (429, 500, 502, 503, 504)
RETRIED_ERRORS = (NoAnswerError, BodyError)

PendingResponse = Future[requests.Response]


class PendingResponses:
    """Prefetched responses, by their requests."""

    def __init__(self) -> None:
        self._responses: dict[tuple[Any, ...], PendingResponse] = {}

    def add(self, request: requests.PreparedRequest, response: PendingResponse) -> None:
        """Keep a response until the same request is sent."""
        self._responses[_identity(request)] = response

    def __contains__(self, request: requests.PreparedRequest) -> bool:
        """True until the response to the request is taken."""
        return _identity(request) in self._responses

    def take(self, request: requests.PreparedRequest) -> PendingResponse | None:
        """Remove and return the response to a request; None if there is none."""
        return self._responses.pop(_identity(request), None) if self._responses else None


def _identity(request: requests.PreparedRequest) -> tuple[Any, ...]:
    return request.method, request.url, request.body


class ApiSession(Session):
    """A session that retries, and uses prefetched responses.

    Retries are made here, as those of dlt 1.31's `Client` replace `send` on the object and
    multiply: requests follows a redirect by the session's own `send`.

    Args:
        adapter: sends one attempt.
        settings: timeout and retries.
        redact: removes secrets from a text.
        traffic: counts retries.
        sleep: waits for some seconds between attempts.
    """

    def __init__(
        self,
        adapter: BaseAdapter,
        settings: RequestSettings,
        redact: Redact = str,
        traffic: Traffic | None = None,
        sleep: Callable[[float], None] = cancellable_sleep,
    ) -> None:
        super().__init__(timeout=settings.request_timeout, raise_for_status=False)
        self.pending = PendingResponses()
        self._settings = settings
        self._redact = redact
        self._traffic = traffic or Traffic()
        self._sleep = sleep
        self._thread = threading.local()
        self._environment: dict[tuple[str, str], Mapping[str, Any]] = {}
        self._backoff = wait_exponential(
            multiplier=settings.request_backoff_factor, max=settings.request_max_retry_delay
        )
        self.mount("http://", adapter)
        self.mount("https://", adapter)

    def __deepcopy__(self, memo: Mapping[int, Any]) -> "ApiSession":
        """Return the same object, as dlt copies the configuration that contains it."""
        return self

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """Prepare a request; a segment `%2E%2E` of its path stays one."""
        prepared: requests.PreparedRequest = super().prepare_request(request)
        prepared.url = with_encoded_dots(str(prepared.url))
        return prepared

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Return the prefetched response, or send the request.

        429, 500, 502, 503, 504, connection errors, timeouts and bodies cut short are retried.

        Raises:
            NoAnswerError: no complete response arrived, after the retries.
            RedirectError: there were too many redirects.
        """
        # a prefetching thread gets here by a redirect, and would wait for itself
        pending = None if in_cancel_scope() else self.pending.take(request)
        if pending:
            return pending.result()
        if getattr(self._thread, "sends", False):
            # a redirect, which is retried with the whole request
            return self._send_once(request, **kwargs)
        self._thread.sends = True
        try:
            return self._retrying()(self._send_once, request, **kwargs)
        except TooManyRedirects:
            where = describe_request(request, self._redact)
            raise RedirectError(
                f"{where}: the API redirects {self.max_redirects} times and on: check `base_url` "
                "and `path`; a login page may be behind it."
            ) from None
        finally:
            self._thread.sends = False

    def _send_once(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        response: requests.Response = super().send(request, **kwargs)  # type: ignore[no-untyped-call]
        return response

    def merge_environment_settings(
        self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any
    ) -> Any:
        """Add the environment's proxies and certificates; read once per host.

        requests reads the whole environment for each request, which takes 0.5 ms.
        """
        parts = urlsplit(str(url))
        host = parts.scheme, parts.netloc
        if proxies or any(each is not None for each in (stream, verify, cert)):
            return super().merge_environment_settings(url, proxies, stream, verify, cert)
        if host not in self._environment:
            self._environment[host] = super().merge_environment_settings(
                url, proxies, stream, verify, cert
            )
        return dict(self._environment[host])

    def _retrying(self) -> Retrying:
        return Retrying(
            sleep=self._back_off,
            stop=stop_after_attempt(self._settings.request_max_attempts),
            wait=self._delay,
            retry=_is_retried,
            retry_error_callback=_outcome,
        )

    def _back_off(self, seconds: float) -> None:
        started = time.monotonic()
        self._sleep(seconds)
        self._traffic.record_retry(time.monotonic() - started)

    def _delay(self, state: RetryCallState) -> float:
        """Return the seconds before the next attempt: by `Retry-After`, else by the backoff."""
        response = _response(state)
        asked = retry_after(response.headers.get("Retry-After", "")) if response is not None else 0
        if asked:
            return min(asked, self._settings.request_max_retry_delay)
        return self._backoff(state)


def build_session(
    redact: Redact = str,
    auth: Signer | None = None,
    traffic: Traffic | None = None,
    settings: RequestSettings | None = None,
    rate_limit: RateLimit | None = None,
    address_setting: str = "base_url",
) -> ApiSession:
    """Make a session with retries.

    429, 500, 502, 503, 504, connection errors, timeouts and bodies cut short are retried, at most
    three times, after 2, 4 and 8 seconds or after the time in `Retry-After`.

    Args:
        redact: removes secrets from a text.
        auth: renews the token of the requests it has signed.
        traffic: counts requests and retries.
        settings: timeout and retries; dlt's `runtime.request_*` settings if not given.
        rate_limit: the rate limit.
        address_setting: the setting with the requests' address, for errors.

    Returns:
        A `requests.Session`, as dlt's `client.session` takes it.
    """
    settings = settings or resolve_configuration(RequestSettings())
    rate_limit = rate_limit or RateLimit(LimitSettings(), settings.request_max_retry_delay)
    traffic = traffic or Traffic()
    adapter = ApiAdapter(redact, auth, traffic, rate_limit, settings, address_setting)
    return ApiSession(adapter, settings, redact, traffic)


def _response(state: RetryCallState) -> requests.Response | None:
    """Return the response of an attempt, also if a hook raised an error for its status."""
    assert state.outcome, "an attempt ended"
    error = state.outcome.exception()
    if error is None:
        found: requests.Response = state.outcome.result()
        return found
    return error.response if isinstance(error, HTTPError) else None


def _is_retried(state: RetryCallState) -> bool:
    response = _response(state)
    if response is not None and response.status_code in RETRIED_STATUSES:
        return True
    assert state.outcome, "an attempt ended"
    return isinstance(state.outcome.exception(), RETRIED_ERRORS)


def _outcome(state: RetryCallState) -> Any:
    """Return the response of the last attempt, or raise its error."""
    assert state.outcome, "an attempt ended"
    return state.outcome.result()
