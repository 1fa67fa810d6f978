"""Pages requested ahead of time over a few connections that libcurl keeps busy.

A page takes a tenth of the time that it takes in dlt's client. Only complete responses with status
200 are accepted: after any other, such as an error or one to retry, dlt's client must request the
page.
"""

import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

import requests
from requests.structures import CaseInsensitiveDict
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from analytics_assets.extract.http.adapter import Signer
from analytics_assets.extract.http.limits.rate_limit import RateLimit
from analytics_assets.extract.http.request_settings import RequestSettings
from analytics_assets.extract.http.traffic import Traffic

if TYPE_CHECKING:
    import pycurl

MAX_POLL = 1.0  # seconds between two checks of the rate limit
MIN_POLL = 0.002  # seconds between two checks where libcurl cannot wait for its sockets


class RawPage(NamedTuple):
    """A page as it arrived.

    Args:
        content: the body, decoded by its `Content-Encoding`.
        status_code: the HTTP status.
        headers: by any case of their names.
    """

    content: bytes
    status_code: int
    headers: Mapping[str, str]


@dataclass(eq=False)
class _Transfer:
    """A request for a page, and its response.

    Args:
        request: a request for another page, whose headers are used.
        url: the URL of this page.
    """

    request: requests.PreparedRequest
    url: str
    handle: "pycurl.Curl | None" = None  # while it is in flight
    content: BytesIO = field(default_factory=BytesIO)
    lines: list[bytes] = field(default_factory=list)
    ended: bool = False
    page: RawPage | None = None


class CurlPrefetcher:
    """Requests pages, and returns them in the order in which they were requested.

    Args:
        rate_limit: the API's rate limit.
        traffic: counts requests.
        settings: timeouts.
        signer: signs requests again; None if their headers stay the same.
        verify: True, False or the file by which certificates are verified, as in `requests`.
    """

    def __init__(
        self,
        rate_limit: RateLimit,
        traffic: Traffic,
        settings: RequestSettings,
        signer: Signer | None,
        verify: bool | str = True,
    ) -> None:
        self._rate_limit = rate_limit
        self._traffic = traffic
        self._settings = settings
        self._signer = signer
        self._verify = verify
        self._multi: pycurl.CurlMulti | None = None
        self._idle: list[pycurl.Curl] = []
        self._requested: deque[_Transfer] = deque()
        self._queued: deque[_Transfer] = deque()
        self._in_flight: dict[pycurl.Curl, _Transfer] = {}

    def request(self, like: requests.PreparedRequest, url: str) -> None:
        """Request a page.

        Args:
            like: a request for another page, whose headers are used.
            url: the URL of this page.
        """
        transfer = _Transfer(like, url)
        self._requested.append(transfer)
        self._queued.append(transfer)

    def next_page(self) -> RawPage | None:
        """Wait for the page that was requested first.

        Returns:
            The page; None if its response is incomplete or has another status than 200.
        """
        transfer = self._requested.popleft()
        while True:
            wait = self._start_queued()
            self._perform()
            if transfer.ended:
                return transfer.page
            self._wait(wait or MAX_POLL)

    def _start_queued(self) -> float:
        """Start the requests that may start now.

        Returns:
            The seconds until the next one may start; 0 if none is left.
        """
        while self._queued:
            if wait := self._rate_limit.try_acquire():
                return wait
            self._start(self._queued.popleft())
        return 0.0

    def _start(self, transfer: _Transfer) -> None:
        import pycurl

        if self._multi is None:
            self._multi = pycurl.CurlMulti()
        try:
            if self._signer:
                self._signer(transfer.request)
        except BaseException:
            self._rate_limit.release()
            raise
        handle = self._idle.pop() if self._idle else self._new_handle()
        transfer.handle = handle
        headers = dict(transfer.request.headers)
        handle.setopt(pycurl.URL, transfer.url)
        handle.setopt(pycurl.ACCEPT_ENCODING, headers.pop("Accept-Encoding", None))
        handle.setopt(pycurl.HTTPHEADER, [_line(name, headers[name]) for name in headers])
        handle.setopt(pycurl.WRITEDATA, transfer.content)
        handle.setopt(pycurl.HEADERFUNCTION, transfer.lines.append)
        self._multi.add_handle(handle)
        self._in_flight[handle] = transfer

    def _new_handle(self) -> "pycurl.Curl":
        import pycurl

        handle = pycurl.Curl()
        settings, timeout = self._settings, max(1, round(self._settings.request_timeout))
        handle.setopt(pycurl.NOSIGNAL, 1)
        handle.setopt(pycurl.NOPROXY, "*")  # with a proxy, dlt's client requests the pages
        handle.setopt(pycurl.PATH_AS_IS, 1)
        handle.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
        handle.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        handle.setopt(pycurl.CONNECTTIMEOUT, timeout)
        handle.setopt(pycurl.LOW_SPEED_LIMIT, 1)  # byte a second, over this time:
        handle.setopt(pycurl.LOW_SPEED_TIME, timeout)
        handle.setopt(pycurl.TIMEOUT_MS, round(settings.request_deadline * 1000))
        if self._verify:
            file = self._verify if isinstance(self._verify, str) else DEFAULT_CA_BUNDLE_PATH
            handle.setopt(pycurl.CAINFO, file)
        else:
            handle.setopt(pycurl.SSL_VERIFYPEER, 0)
            handle.setopt(pycurl.SSL_VERIFYHOST, 0)
        return handle

    def _perform(self) -> None:
        """Send and receive without waiting, and end the transfers that are complete or failed."""
        if self._multi is None:
            return
        self._multi.perform()
        left = 1
        while left:
            left, complete, failed = self._multi.info_read()
            for handle in complete:
                self._end(handle, complete=True)
            for handle, _, _ in failed:
                self._end(handle, complete=False)

    def _end(self, handle: "pycurl.Curl", complete: bool) -> None:
        import pycurl

        transfer = self._detach(handle)
        transfer.ended = True
        self._traffic.record_attempt(handle.getinfo(pycurl.TOTAL_TIME))
        if complete:
            status, headers = handle.getinfo(pycurl.RESPONSE_CODE), _headers(transfer.lines)
            page = RawPage(transfer.content.getvalue(), status, headers)
            self._rate_limit.observe(page)
            transfer.page = page if status == requests.codes.ok else None
        self._idle.append(handle)

    def _detach(self, handle: "pycurl.Curl") -> _Transfer:
        assert self._multi is not None, "something was started"
        transfer = self._in_flight.pop(handle)
        self._multi.remove_handle(handle)
        self._rate_limit.release()
        return transfer

    def _wait(self, seconds: float) -> None:
        """Wait for data on a socket, for some seconds at most."""
        # libcurl's `select` cannot wait without an open socket, or for descriptors above 1,024
        if self._multi is None or not self._in_flight or self._multi.select(seconds) < 0:
            time.sleep(min(seconds, MIN_POLL))

    def discard(self) -> None:
        """Drop the pages in flight."""
        self._requested.clear()
        self._queued.clear()
        for handle in list(self._in_flight):
            self._detach(handle)
            handle.close()

    def close(self) -> None:
        """Close all connections."""
        self.discard()
        for handle in self._idle:
            handle.close()
        self._idle.clear()
        if self._multi:
            self._multi.close()
            self._multi = None


def _line(name: str, value: str | bytes) -> str:
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    return f"{name}: {text}" if text else f"{name};"  # by which libcurl sends an empty header


def _headers(lines: Iterable[bytes]) -> Mapping[str, str]:
    """Read header lines; of several responses, such as `100 Continue`, the last one counts."""
    found: CaseInsensitiveDict[str] = CaseInsensitiveDict()
    for line in lines:
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon and name.startswith("HTTP/"):
            found.clear()
        elif colon:
            value = value.strip()
            found[name] = f"{found[name]}, {value}" if name in found else value
    return found
