"""Bodies of pages, asked for ahead of time over a few connections that libcurl keeps busy.

A page costs a tenth of what it costs by dlt's client, and Python waits for none of it. In return
only plain answers are taken: for any other, a retry or an error say, the page is to be asked for by
dlt's client.
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

LONGEST_LOOK = 1.0  # seconds until it is looked again whether an answer is there
NAP = 0.002  # seconds between looks where libcurl cannot wait for its sockets


class Body(NamedTuple):
    """A page as it came.

    Args:
        content: the bytes, unpacked.
        status_code: the HTTP status.
        headers: by any case of their names.
    """

    content: bytes
    status_code: int
    headers: Mapping[str, str]


@dataclass(eq=False)
class _Transfer:
    """A page that was asked for.

    Args:
        request: one for another page, whose headers are used.
        url: this page's.
    """

    request: requests.PreparedRequest
    url: str
    handle: "pycurl.Curl | None" = None  # while it is on its way
    content: BytesIO = field(default_factory=BytesIO)
    lines: list[bytes] = field(default_factory=list)
    ended: bool = False
    body: Body | None = None


class Bodies:
    """Asks for pages, and gives their bodies in the order in which they were asked for.

    Args:
        rate_limit: how fast the API may be asked.
        traffic: where requests are counted.
        settings: how long to wait.
        signer: signs requests anew; None if their headers stay the same.
        verify: whether, or by which file, to check certificates, as `requests` has it.
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
        self._asked: deque[_Transfer] = deque()
        self._to_start: deque[_Transfer] = deque()
        self._on_their_way: dict[pycurl.Curl, _Transfer] = {}

    def ask(self, request: requests.PreparedRequest, url: str) -> None:
        """Ask for a page.

        Args:
            request: one for another page, whose headers are used.
            url: this page's.
        """
        transfer = _Transfer(request, url)
        self._asked.append(transfer)
        self._to_start.append(transfer)

    def take(self) -> Body | None:
        """Wait for the page that was asked for first; None if its answer is not a plain one."""
        transfer = self._asked.popleft()
        while True:
            wait = self._start_waiting()
            self._work()
            if transfer.ended:
                return transfer.body
            self._look(wait or LONGEST_LOOK)

    def _start_waiting(self) -> float:
        """Start what may start now; return after how many seconds more may, 0 if nothing waits."""
        while self._to_start:
            if wait := self._rate_limit.try_acquire():
                return wait
            self._start(self._to_start.popleft())
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
        handle = self._idle.pop() if self._idle else self._connect()
        transfer.handle = handle
        headers = dict(transfer.request.headers)
        handle.setopt(pycurl.URL, transfer.url)
        handle.setopt(pycurl.ACCEPT_ENCODING, headers.pop("Accept-Encoding", None))
        handle.setopt(pycurl.HTTPHEADER, [_line(name, headers[name]) for name in headers])
        handle.setopt(pycurl.WRITEDATA, transfer.content)
        handle.setopt(pycurl.HEADERFUNCTION, transfer.lines.append)
        self._multi.add_handle(handle)
        self._on_their_way[handle] = transfer

    def _connect(self) -> "pycurl.Curl":
        import pycurl

        handle = pycurl.Curl()
        settings, waits = self._settings, max(1, round(self._settings.request_timeout))
        handle.setopt(pycurl.NOSIGNAL, 1)
        handle.setopt(pycurl.NOPROXY, "*")  # another way to the API is left to dlt's client
        handle.setopt(pycurl.PATH_AS_IS, 1)
        handle.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
        handle.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        handle.setopt(pycurl.CONNECTTIMEOUT, waits)
        handle.setopt(pycurl.LOW_SPEED_LIMIT, 1)  # byte a second, over this time:
        handle.setopt(pycurl.LOW_SPEED_TIME, waits)
        handle.setopt(pycurl.TIMEOUT_MS, round(settings.request_deadline * 1000))
        if self._verify:
            given = self._verify if isinstance(self._verify, str) else DEFAULT_CA_BUNDLE_PATH
            handle.setopt(pycurl.CAINFO, given)
        else:
            handle.setopt(pycurl.SSL_VERIFYPEER, 0)
            handle.setopt(pycurl.SSL_VERIFYHOST, 0)
        return handle

    def _work(self) -> None:
        """Let libcurl send and receive what it can, and take what has come whole."""
        if self._multi is None:
            return
        self._multi.perform()
        left = 1
        while left:
            left, came, failed = self._multi.info_read()
            for handle in came:
                self._end(handle, whole=True)
            for handle, _, _ in failed:
                self._end(handle, whole=False)

    def _end(self, handle: "pycurl.Curl", whole: bool) -> None:
        import pycurl

        transfer = self._leave(handle)
        transfer.ended = True
        self._traffic.record(handle.getinfo(pycurl.TOTAL_TIME), None)
        if whole:
            status, headers = handle.getinfo(pycurl.RESPONSE_CODE), _headers(transfer.lines)
            body = Body(transfer.content.getvalue(), status, headers)
            self._rate_limit.observe(body)
            transfer.body = body if status == requests.codes.ok else None
        self._idle.append(handle)

    def _leave(self, handle: "pycurl.Curl") -> _Transfer:
        assert self._multi is not None, "something was started"
        transfer = self._on_their_way.pop(handle)
        self._multi.remove_handle(handle)
        self._rate_limit.release()
        return transfer

    def _look(self, seconds: float) -> None:
        """Wait until something comes, and no longer than this."""
        # libcurl's select cannot wait where nothing is open, nor for a process's 1,025th open file
        if self._multi is None or not self._on_their_way or self._multi.select(seconds) < 0:
            time.sleep(min(seconds, NAP))

    def forget(self) -> None:
        """Drop what is on its way."""
        self._asked.clear()
        self._to_start.clear()
        for handle in list(self._on_their_way):
            self._leave(handle)
            handle.close()

    def close(self) -> None:
        """Leave no request or connection behind."""
        self.forget()
        for handle in self._idle:
            handle.close()
        self._idle.clear()
        if self._multi:
            self._multi.close()
            self._multi = None


def _line(name: str, value: str | bytes) -> str:
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    return f"{name}: {text}" if text else f"{name};"  # by which libcurl means an empty one


def _headers(lines: Iterable[bytes]) -> Mapping[str, str]:
    """Read the header lines of an answer, of which the last one counts."""
    found: CaseInsensitiveDict[str] = CaseInsensitiveDict()
    for line in lines:
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon and name.startswith("HTTP/"):
            found.clear()
        elif colon:
            value = value.strip()
            found[name] = f"{found[name]}, {value}" if name in found else value
    return found
