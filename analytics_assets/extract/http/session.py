"""Requests to an API: signed anew for each attempt, retried, counted, and clear when they fail.

Built on dlt's request client, which brings the retries and `Retry-After`
(https://dlthub.com/docs/general-usage/http/requests).
"""

import math
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, ClassVar, Protocol
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import requests
from dlt.common.configuration import configspec, resolve_configuration
from dlt.common.configuration.specs import BaseConfiguration
from dlt.sources.helpers.requests import Client
from requests.exceptions import (
    ChunkedEncodingError,
    ContentDecodingError,
    RequestException,
    Timeout,
    TooManyRedirects,
)
from requests.exceptions import ConnectionError as RequestsConnectionError
from urllib3 import HTTPResponse
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError

from analytics_assets.extract.http.cancellation import InterruptibleAdapter, pause
from analytics_assets.extract.http.errors import (
    BodyError,
    NoAnswerError,
    RedirectError,
    describe_request,
)
from analytics_assets.extract.http.limits.rate_limit import Pace, PaceSettings
from analytics_assets.extract.http.redaction import Redact

RETRIED_STATUSES = (429, 500, 502, 503, 504)
BROKEN_OFF = (
    RequestsConnectionError,
    Timeout,
    ChunkedEncodingError,
    ContentDecodingError,
    HTTPError,
)
QUICK = 10.0  # seconds for a piece of an answer; Dagster gives the whole tick of a sensor 60
PIECE = 64 * 1024  # bytes of a body between two looks at the clock


@configspec
class RequestSettings(BaseConfiguration):
    """dlt's own `runtime.request_*` settings, with the defaults that this project asks for.

    Args:
        request_timeout: seconds to wait for a connection, and for each next piece of an answer.
        request_deadline: seconds in which the whole answer to one attempt must have come.
        request_max_attempts: the first attempt and its retries.
        request_backoff_factor: the waits are this times 1, 2, 4, ... seconds.
        request_max_retry_delay: seconds that a wait, `Retry-After` included, is cut to.
    """

    request_timeout: float = 60
    request_deadline: float = 600
    request_max_attempts: int = 4
    request_backoff_factor: float = 2
    request_max_retry_delay: float = 3600

    __section__: ClassVar[str] = "runtime"


def one_quick_try() -> RequestSettings:
    """Return settings for a look at an API that somebody waits for: no retry, short timeouts."""
    settings = RequestSettings()
    settings.request_timeout = QUICK
    settings.request_deadline = 3 * QUICK
    settings.request_max_attempts = 1
    return settings


class Signer(Protocol):
    """What a session needs of an auth object."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Put a valid token on the request."""

    def signed(self, request: requests.PreparedRequest) -> bool:
        """Tell whether the request carries a token of this auth."""

    def renew(self, request: requests.PreparedRequest) -> None:
        """Get a new token, unless the one on the request has been replaced already."""


@dataclass
class Traffic:
    """What a session has done so far; safe to update from several threads.

    Args:
        requests: requests sent, retries included.
        retries: requests sent again after a failure or a 401.
        seconds_answering: seconds between sending a request and having its whole answer.
        seconds_backing_off: seconds waited before retries.
    """

    requests: int = 0
    retries: int = 0
    seconds_answering: float = 0.0
    seconds_backing_off: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    @property
    def seconds_waiting(self) -> float:
        """Seconds spent waiting for the API, one way or the other."""
        return self.seconds_answering + self.seconds_backing_off

    def add(self, answering: float, backed_off: float | None) -> None:
        """Count one attempt.

        Args:
            answering: seconds it took.
            backed_off: seconds since the attempt before it ended; None for a first attempt.
        """
        with self._lock:
            self.requests += 1
            self.seconds_answering += answering
            if backed_off is not None:
                self.retries += 1
                self.seconds_backing_off += backed_off


class ApiAdapter(InterruptibleAdapter):
    """Sends one attempt of a request. dlt's client calls it again for each retry.

    The place for what must happen per attempt: a fresh signature, a new token after a 401, the
    count, and reading the body where a break in it is still retried.

    Args:
        redact: takes secrets out of a text.
        auth: signs the requests that it has signed before; None where the API needs no OAuth2.
        traffic: where attempts are counted.
        deadline: seconds in which the whole answer to one attempt must have come.
        pace: how fast the API may be asked.
        patience: seconds; where the API asks for a longer wait, there is none.
        address_setting: the setting that says where requests go, for errors.
    """

    def __init__(
        self,
        redact: Redact,
        auth: Signer | None,
        traffic: Traffic,
        pace: Pace,
        deadline: float,
        patience: float = math.inf,
        address_setting: str = "base_url",
    ) -> None:
        super().__init__(pool_maxsize=pace.max_in_flight)
        self._pace = pace
        self._patience = patience
        self._address_setting = address_setting
        self._redact = redact
        self._auth = auth
        self._traffic = traffic
        self._deadline = deadline
        self._last_attempts: WeakKeyDictionary[requests.PreparedRequest, float] = (
            WeakKeyDictionary()
        )

    def send(
        self, request: requests.PreparedRequest, *args: Any, **kwargs: Any
    ) -> requests.Response:
        """Send the request once, or twice if its token is refused.

        Raises:
            NoAnswerError: no whole answer came; dlt's client retries it.
        """
        auth = self._auth if self._auth and self._auth.signed(request) else None
        if auth:
            auth(request)
        response = self._attempt(request, *args, **kwargs)
        if auth and response.status_code == requests.codes.unauthorized:
            auth.renew(request)
            auth(request)
            response = self._attempt(request, *args, **kwargs)
        return response

    def _attempt(
        self, request: requests.PreparedRequest, *args: Any, **kwargs: Any
    ) -> requests.Response:
        with self._pace.turn(self._patience):
            response = self._attempt_now(request, *args, **kwargs)
        self._pace.heed(response)
        return response

    def _attempt_now(
        self, request: requests.PreparedRequest, *args: Any, **kwargs: Any
    ) -> requests.Response:
        started = time.monotonic()
        last_attempt = self._last_attempts.get(request)
        failure: RequestException | HTTPError | None = None
        try:
            with self.waiting():
                response = super().send(request, *args, **kwargs)
                self._read_body(response, started)
        except BROKEN_OFF as error:
            failure = error
        finally:
            ended = time.monotonic()
            self._last_attempts[request] = ended
            self._traffic.add(ended - started, last_attempt and started - last_attempt)
        if failure:
            # raised out here because the original, whose text holds the URL with its query, would
            # otherwise stay attached as the context
            reason = self._redact(_reason(failure))
            what = describe_request(request, self._redact)
            nobody = isinstance(_cause(failure), NewConnectionError)
            mend = f" (check `{self._address_setting}`)" if nobody else ""
            raise NoAnswerError(f"{what}: no whole answer: {reason}{mend}", request=request)
        return response

    def _read_body(self, response: requests.Response, started: float) -> None:
        """Read the body, while there is time; `response.content` has it from then on."""
        raw = response.raw
        try:
            body = b"".join(self._pieces(raw, started))
        except Exception:
            response.close()
            raise
        # unpacked behind the clock, as a packed body may come in many pieces before it gives a byte
        response.raw = HTTPResponse(BytesIO(body), raw.headers, raw.status, preload_content=False)
        try:
            _ = response.content
        finally:
            response.raw = raw  # requests takes cookies from it

    def _pieces(self, raw: HTTPResponse, started: float) -> Iterator[bytes]:
        """Give what has arrived as it arrives: a timeout of the socket holds for each piece."""
        while piece := raw.read1(PIECE, decode_content=False):
            if time.monotonic() - started > self._deadline:
                raise Timeout(
                    f"its pieces took longer than `request_deadline`, {self._deadline:g} seconds"
                )
            yield piece


def build_session(
    redact: Redact = str,
    auth: Signer | None = None,
    traffic: Traffic | None = None,
    settings: RequestSettings | None = None,
    pace: Pace | None = None,
    address_setting: str = "base_url",
) -> requests.Session:
    """Make a session that retries as the project asks.

    429, 500, 502, 503, 504, connection errors, timeouts and bodies cut short are retried, at most
    three times, after 2, 4 and 8 seconds or after what `Retry-After` says.

    Args:
        redact: takes secrets out of a text.
        auth: renews the token of the requests it has signed.
        traffic: where attempts are counted.
        settings: timeout and retries; dlt's `runtime.request_*` settings if not given.
        pace: how fast the API may be asked.
        address_setting: the setting that says where requests go, for errors.

    Returns:
        A `requests.Session`, as dlt's `client.session` takes it.
    """
    settings = settings or resolve_configuration(RequestSettings())
    pace = pace or Pace(PaceSettings(), settings.request_max_retry_delay)
    session = Client(
        request_timeout=settings.request_timeout,
        raise_for_status=False,
        status_codes=RETRIED_STATUSES,
        exceptions=(NoAnswerError, BodyError),
        request_max_attempts=settings.request_max_attempts,
        request_backoff_factor=settings.request_backoff_factor,
        request_max_retry_delay=settings.request_max_retry_delay,
    ).session
    # somebody waits for what is not even tried a second time
    patience = settings.request_timeout if settings.request_max_attempts == 1 else math.inf
    adapter = ApiAdapter(
        redact,
        auth,
        traffic or Traffic(),
        pace,
        settings.request_deadline,
        patience,
        address_setting,
    )
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    # tenacity's own attribute of what it wraps: waits between attempts end with their read
    session.send.retry.sleep = pause  # type: ignore[attr-defined]
    _retry_redirects_once(session, redact)
    _look_up_proxies_once(session)
    return session


def _look_up_proxies_once(session: requests.Session) -> None:
    """Keep what the environment says of a host; requests goes through all of it per request."""
    merge = session.merge_environment_settings
    known: dict[tuple[str, str], Any] = {}

    def merge_once(url: Any, *given: Any) -> Any:
        parts = urlsplit(str(url))
        host = parts.scheme, parts.netloc
        if any(given):
            return merge(url, *given)
        if host not in known:
            known[host] = merge(url, *given)
        return dict(known[host])

    session.merge_environment_settings = merge_once  # type: ignore[method-assign, assignment]


def _retry_redirects_once(session: requests.Session, redact: Redact) -> None:
    """Keep retries from multiplying: requests follows a redirect by the session's own `send`.

    dlt 1.31 puts its retries around that method, so that a redirect's target would be retried by
    itself, and then again together with the redirect.
    """
    retried, within = session.send, threading.local()

    def send(request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        if getattr(within, "a_send", False):
            return type(session).send(session, request, **kwargs)
        within.a_send = True
        try:
            return retried(request, **kwargs)
        except TooManyRedirects:
            what = describe_request(request, redact)
            raise RedirectError(
                f"{what}: the API redirects {session.max_redirects} times and on: check `base_url` "
                "and `path`; a login page may be behind it."
            ) from None
        finally:
            within.a_send = False

    session.send = send  # type: ignore[method-assign]


def _reason(error: RequestException | HTTPError) -> str:
    cause = _cause(error)
    return cause if isinstance(cause, str) else f"{type(cause).__name__}: {cause}"


def _cause(error: RequestException | HTTPError) -> Any:
    """Return the error of a lower level that was wrapped, or what was said instead of one."""
    cause = error.args[0] if isinstance(error, RequestException) and error.args else error
    if isinstance(cause, MaxRetryError) and cause.reason is not None:
        return cause.reason
    return cause
