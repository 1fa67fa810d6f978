"""Requests over libcurl: many at a time, over connections that it keeps open."""

import os
import time
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any

import requests
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.exceptions import HTTPError

from analytics_assets.extract.http.request_settings import RequestSettings
from analytics_assets.extract.http.transport.body import decoded, reason_of
from analytics_assets.extract.http.transport.header_lines import (
    header_value,
    parsed_lines,
    request_lines,
)
from analytics_assets.extract.http.transport.transfer import Answer, Ended, Failure, Transfer

if TYPE_CHECKING:
    import pycurl

MIN_POLL = 0.002  # seconds between two checks where libcurl cannot wait for its sockets
CHECK_SECONDS = 1.0  # between two checks for connections over which nothing arrives
STALLED = -1  # in the place of an error of libcurl


@dataclass(eq=False)
class _Attempt:
    transfer: Transfer
    content: BytesIO = field(default_factory=BytesIO)
    lines: list[bytes] = field(default_factory=list)
    progress: tuple[int, int, float] = (0, 0, 0.0)  # bytes and headers received, bytes sent
    progressed_at: float = field(default_factory=time.monotonic)


class CurlTransport:
    """Sends requests over HTTP/1.1 by libcurl, without a proxy.

    Args:
        settings: timeouts.
        session: its rules hold for redirects; it sends nothing.
        cookies: the cookies of the API, which its reads share.
        verify: True, False or the file by which certificates are verified, as in `requests`.
    """

    is_parallel = True

    def __init__(
        self,
        settings: RequestSettings,
        session: requests.Session,
        cookies: "pycurl.CurlShare",
        verify: bool | str = True,
    ) -> None:
        self.session = session
        self._settings = settings
        self._cookies = cookies
        self._verify = verify
        self._multi: pycurl.CurlMulti | None = None
        self._idle: list[pycurl.Curl] = []
        self._attempts: dict[pycurl.Curl, _Attempt] = {}
        self._check_at = 0.0

    def send(self, transfer: Transfer) -> None:
        """Send the request of a transfer."""
        import pycurl  # takes 0.02 s, which a process without a request does not need

        request = transfer.request
        lines, body = request_lines(request), _content(request)
        url = str(request.url)
        if self._multi is None:
            self._multi = pycurl.CurlMulti()
        handle = self._idle.pop() if self._idle else self._new_handle()
        attempt = _Attempt(transfer)
        handle.setopt(pycurl.URL, url)
        if body is None and request.method == "GET":
            handle.setopt(pycurl.HTTPGET, 1)
            handle.unsetopt(pycurl.CUSTOMREQUEST)
        else:
            handle.setopt(pycurl.POSTFIELDS, body or b"")
            handle.setopt(pycurl.CUSTOMREQUEST, str(request.method))
        if own_cookies := request.headers.get("Cookie"):
            # beside those of the API, in one header
            handle.setopt(pycurl.COOKIE, header_value("Cookie", own_cookies))
        else:
            handle.unsetopt(pycurl.COOKIE)
        handle.setopt(pycurl.HTTPHEADER, lines)
        handle.setopt(pycurl.WRITEDATA, attempt.content)
        handle.setopt(pycurl.HEADERFUNCTION, attempt.lines.append)
        self._multi.add_handle(handle)
        self._attempts[handle] = attempt

    def _new_handle(self) -> "pycurl.Curl":
        import pycurl

        handle = pycurl.Curl()
        settings = self._settings
        handle.setopt(pycurl.SHARE, self._cookies)
        handle.setopt(pycurl.COOKIEFILE, "")  # reads none, and begins to keep those of the API
        handle.setopt(pycurl.NOSIGNAL, 1)
        handle.setopt(pycurl.NOPROXY, "*")
        handle.setopt(pycurl.PATH_AS_IS, 1)
        handle.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
        handle.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        handle.setopt(pycurl.CONNECTTIMEOUT_MS, max(1, round(settings.request_timeout * 1000)))
        handle.setopt(pycurl.TIMEOUT_MS, max(1, round(settings.request_deadline * 1000)))
        if self._verify:
            file = self._verify if isinstance(self._verify, str) else DEFAULT_CA_BUNDLE_PATH
            handle.setopt(pycurl.CAPATH if os.path.isdir(file) else pycurl.CAINFO, file)
        else:
            handle.setopt(pycurl.SSL_VERIFYPEER, 0)
            handle.setopt(pycurl.SSL_VERIFYHOST, 0)
        return handle

    def collect(self) -> list[Ended]:
        """Send and receive without waiting; return the attempts that have ended meanwhile."""
        ended: list[Ended] = []
        if self._multi is None or not self._attempts:
            return ended
        self._multi.perform()
        left = 1
        while left:
            left, complete, failed = self._multi.info_read()
            ended += [self._end(handle) for handle in complete]
            ended += [self._end(handle, code, text) for handle, code, text in failed]
        now = time.monotonic()
        if now >= self._check_at:
            self._check_at = now + min(CHECK_SECONDS, self._settings.request_timeout / 10)
            ended += [self._end(handle, STALLED) for handle in self._stalled(now)]
        return ended

    def _stalled(self, now: float) -> "list[pycurl.Curl]":
        """Return the handles over which nothing was sent or received within the timeout.

        libcurl's own limit is one of the average speed over several seconds.
        """
        import pycurl

        found = []
        for handle, attempt in self._attempts.items():
            progress = (
                attempt.content.tell(),
                len(attempt.lines),
                handle.getinfo(pycurl.SIZE_UPLOAD_T),
            )
            connected = handle.getinfo(pycurl.PRETRANSFER_TIME) > 0
            if progress != attempt.progress or not connected:
                attempt.progress, attempt.progressed_at = progress, now
            elif now - attempt.progressed_at > self._settings.request_timeout:
                found.append(handle)
        return found

    def _end(self, handle: "pycurl.Curl", code: int = 0, text: str = "") -> Ended:
        import pycurl

        assert self._multi is not None, "something was sent"
        attempt = self._attempts.pop(handle)
        self._multi.remove_handle(handle)
        seconds = handle.getinfo(pycurl.TOTAL_TIME)
        answering = seconds - handle.getinfo(pycurl.PRETRANSFER_TIME)
        outcome: Answer | Failure
        if code:
            outcome = self._failure(handle, code, text, seconds)
        else:
            status = handle.getinfo(pycurl.RESPONSE_CODE)
            reason, headers = parsed_lines(attempt.lines)
            try:
                content = decoded(attempt.content.getvalue(), headers)
                outcome = Answer(status, reason, headers, content)
            except HTTPError as error:
                outcome = Failure(reason_of(error))
        self._idle.append(handle)
        return Ended(attempt.transfer, outcome, seconds, answering)

    def _failure(self, handle: "pycurl.Curl", code: int, text: str, seconds: float) -> Failure:
        import pycurl

        settings = self._settings
        timeout = f"`request_timeout`, {settings.request_timeout:g} seconds"
        if code == STALLED:
            return Failure(f"Read timed out: nothing arrived within {timeout}")
        if code == pycurl.E_OPERATION_TIMEDOUT:
            if seconds < settings.request_deadline:
                return Failure(f"no connection was made within {timeout}", at_address=True)
            deadline = f"`request_deadline`, {settings.request_deadline:g} seconds"
            return Failure(f"it took longer than {deadline}")
        if code == pycurl.E_COULDNT_CONNECT:
            number = handle.getinfo(pycurl.OS_ERRNO)
            return Failure(f"{text} ({os.strerror(number)})" if number else text, at_address=True)
        if code == pycurl.E_GOT_NOTHING:
            return Failure("the connection was closed without an answer")
        return Failure(
            text or f"libcurl failed with its error {code}",
            at_address=code == pycurl.E_COULDNT_RESOLVE_HOST,
            is_final=code in (pycurl.E_UNSUPPORTED_PROTOCOL, pycurl.E_URL_MALFORMAT),
        )

    def wait(self, seconds: float) -> None:
        """Wait for data on a socket, for some seconds at most."""
        if self._multi is None or not self._attempts:
            time.sleep(seconds)
            return
        seconds = min(seconds, max(MIN_POLL, self._check_at - time.monotonic()))
        if self._multi.select(seconds) < 0:
            # libcurl cannot wait without an open socket, or for descriptors above 1,024
            time.sleep(min(seconds, MIN_POLL))

    def in_flight(self) -> list[Transfer]:
        """Return the transfers that have not ended."""
        return [attempt.transfer for attempt in self._attempts.values()]

    def drop(self) -> None:
        """Drop the transfers in flight, and close their connections."""
        while self._attempts:
            handle, _ = self._attempts.popitem()
            assert self._multi is not None, "something was sent"
            self._multi.remove_handle(handle)
            handle.close()

    def close(self) -> None:
        """Close all connections; the next request opens new ones."""
        self.drop()
        while self._idle:
            self._idle.pop().close()
        if self._multi:
            self._multi.close()
            self._multi = None


def shared_cookies() -> "pycurl.CurlShare":
    """Return cookies that several transports keep together, also in threads."""
    import pycurl

    share = pycurl.CurlShare()
    share.setopt(pycurl.SH_SHARE, pycurl.LOCK_DATA_COOKIE)
    return share


def _content(request: requests.PreparedRequest) -> bytes | None:
    """Return the body of a request; one that can be read only once is kept in the request."""
    body: Any = request.body
    if body is None or isinstance(body, bytes):
        return body
    if isinstance(body, str):
        return body.encode()
    whole: Any = body.read() if hasattr(body, "read") else b"".join(map(_as_bytes, body))
    request.body = _as_bytes(whole)
    return request.body


def _as_bytes(part: str | bytes) -> bytes:
    return part.encode() if isinstance(part, str) else part
