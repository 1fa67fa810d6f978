"""Requests by a session of requests, one at a time: the user's own, or for a proxy."""

import time
from collections.abc import Mapping
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.cookies import RequestsCookieJar
from requests.exceptions import (
    ChunkedEncodingError,
    ContentDecodingError,
    HTTPError,
    RequestException,
    Timeout,
)
from requests.exceptions import ConnectionError as RequestsConnectionError
from urllib3 import HTTPResponse
from urllib3.exceptions import HTTPError as Urllib3Error
from urllib3.exceptions import MaxRetryError, NewConnectionError

from analytics_assets.config.settings.request import RequestSettings
from analytics_assets.extract.http.compat import answer_due
from analytics_assets.extract.http.transport.body import (
    CHUNK_BYTES,
    FIRST_ERROR,
    LargeBodyError,
    decoded,
    reason_of,
)
from analytics_assets.extract.http.transport.origin import AnonymousRequest
from analytics_assets.extract.http.transport.transfer import Answer, Failure, Transfer

INCOMPLETE = (
    RequestsConnectionError,
    Timeout,
    ChunkedEncodingError,
    ContentDecodingError,
    Urllib3Error,
)
INTERIM = (
    "the API sent an interim answer ({}), which the package requests takes for the final one. "
    "It is read right without `session` in `client` and without a proxy"
)


class SessionTransport:
    """Sends requests by a session, with its headers, cookies, adapters, proxies and certificates.

    Args:
        session: sends the requests.
        settings: timeouts; a timeout of the session's own goes before.
        lock: is held while the session is used, as sessions of requests are not for threads.
    """

    is_parallel = False

    def __init__(self, session: requests.Session, settings: RequestSettings, lock: Lock) -> None:
        self.session = session
        self._lock = lock
        self._settings = settings
        self._timeout = getattr(session, "timeout", None) or settings.request_timeout
        self._environment: dict[tuple[str, str], Mapping[str, Any]] = {}
        self._ended: list[Transfer] = []

    def send(self, transfer: Transfer) -> None:
        """Send the request of a transfer, and wait for its answer."""
        transfer.received = 0
        with self._lock:
            started = time.monotonic()
            ends = started + transfer.seconds_left(self._settings.request_deadline)
            try:
                transfer.answer = self._exchange(transfer, ends)
            except (RequestException, Urllib3Error) as error:
                late = time.monotonic() >= ends
                transfer.answer = Failure(self._lateness) if late else _failure(error)
            except ValueError as error:  # requests 2.34 parses the target of a redirect, too
                reason = f"the session cannot use the answer: {error}"
                transfer.answer = Failure(reason, is_final=True)
        transfer.seconds = transfer.answering = time.monotonic() - started
        self._ended.append(transfer)

    @property
    def _lateness(self) -> str:
        deadline = self._settings.request_deadline
        return f"it took longer than `request_deadline`, {deadline:g} seconds"

    def _exchange(self, transfer: Transfer, ends: float) -> Answer:
        request = transfer.request
        given = self._settings_for(str(request.url))
        with answer_due(self.session, request, given, ends):
            try:
                response = self._sent(request, given)
            except HTTPError as error:  # a session of dlt's may refuse a status itself
                if error.response is None:
                    raise
                response = error.response
            if response.status_code < requests.codes.ok:
                response.close()  # else the answer behind it would be that of the next request
                return Failure(INTERIM.format(response.status_code), is_final=True)
            try:
                content = self._content(response, transfer, ends)
            except BaseException:
                response.close()
                raise
        reason = response.reason or ""
        return transfer.page(response.status_code, reason, response.headers, content)

    def _sent(
        self, request: requests.PreparedRequest, settings: Mapping[str, Any]
    ) -> requests.Response:
        session = self.session
        if not isinstance(request, AnonymousRequest):
            return session.send(request, **settings, timeout=self._timeout, allow_redirects=False)
        cookies, session.cookies = session.cookies, RequestsCookieJar()  # those of the API stay so
        try:
            settings = {**settings, "cert": None}
            return session.send(request, **settings, timeout=self._timeout, allow_redirects=False)
        finally:
            session.cookies = cookies

    def _settings_for(self, url: str) -> Mapping[str, Any]:
        """Return the proxies and certificates for a host; reading the environment takes 0.5 ms."""
        parts = urlsplit(url)
        host = parts.scheme, parts.netloc
        if host not in self._environment:
            self._environment[host] = self.session.merge_environment_settings(
                url, {}, True, None, None
            )
        return self._environment[host]

    def _content(self, response: requests.Response, transfer: Transfer, ends: float) -> bytes:
        """Read the body within the deadline: the socket's timeout holds for each chunk alone."""
        raw, status, limit = response.raw, response.status_code, transfer.limit
        if not isinstance(raw, HTTPResponse):
            content = response.content or b""  # which an adapter or a hook has read
            transfer.received = len(content)
            return content
        chunks: list[bytes] = []
        left = limit.at(status)
        while left >= 0 and (chunk := raw.read1(CHUNK_BYTES, decode_content=False)):
            chunks.append(chunk)
            left -= len(chunk)
            transfer.received += len(chunk)
            if time.monotonic() > ends:
                break
        if time.monotonic() > ends:  # what breaks off behind the last chunk is complete to Python
            raise Timeout(self._lateness)
        if left < 0 and status < FIRST_ERROR:
            raise LargeBodyError(limit.reason)
        if left < 0:
            response.close()
        # decoded after the checks, as many chunks may arrive before the first decoded byte
        if chunks:
            return decoded(b"".join(chunks), status, response.headers, limit)
        return response.content or b""

    def collect(self) -> list[Transfer]:
        """Return the transfers whose attempt has ended."""
        ended, self._ended = self._ended, []
        return ended

    def wait(self, _seconds: float) -> bool:
        """Return False: no request is in flight once it was sent."""
        return False

    def in_flight(self) -> list[Transfer]:
        """Return the transfers that have not been collected."""
        return self._ended

    def drop(self) -> None:
        """Drop the answers that were not collected."""
        self._ended.clear()

    def close(self) -> None:
        """Drop the answers; the connections of the session stay open for the next read."""
        self.drop()


def _failure(error: RequestException | Urllib3Error) -> Failure:
    cause: Any = error.args[0] if isinstance(error, RequestException) and error.args else error
    if isinstance(cause, MaxRetryError) and cause.reason is not None:
        cause = cause.reason
    refused = isinstance(cause, NewConnectionError)
    is_final = isinstance(error, LargeBodyError) or not isinstance(error, INCOMPLETE)
    return Failure(reason_of(cause), at_address=refused, is_final=is_final)
