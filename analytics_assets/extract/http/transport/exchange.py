"""A request over libcurl, and its answer as it arrives."""

import time
from collections.abc import Mapping
from typing import Any
from weakref import ref

import pycurl
import requests
from urllib3.exceptions import HTTPError

from analytics_assets.extract.http.page import Page
from analytics_assets.extract.http.transport.body import (
    AHEAD_BYTES,
    ERROR_BYTES,
    BodyLimit,
    LargeBodyError,
    decoded,
    reason_of,
)
from analytics_assets.extract.http.transport.header_lines import (
    Headers,
    header_value,
    request_lines,
)
from analytics_assets.extract.http.transport.transfer import Answer, Failure, Transfer


class Memory:
    """The memory of the answers of one transport: those in flight, and those that wait.

    Attributes:
        in_flight: the bytes that have arrived of the answers in flight.
    """

    def __init__(self) -> None:
        self.in_flight = 0
        self._waiting: list[ref[Page]] = []  # large ones, until the read has decoded them

    def has_room(self, limit: BodyLimit) -> bool:
        """Return True if more may arrive of an answer with this limit."""
        return self.in_flight <= limit.size + AHEAD_BYTES

    def keeps(self, page: Page, limit: BodyLimit) -> bool:
        """Return True if a page may wait beside the others."""
        if len(page.content) <= ERROR_BYTES:
            return True
        self._waiting = [each for each in self._waiting if each()] + [ref(page)]
        waiting = [found for each in self._waiting if (found := each())]
        return sum(len(each.content) for each in waiting) <= limit.size + AHEAD_BYTES


class Exchange:
    """A handle of libcurl, the transfer that it serves, and what has arrived of its answer.

    Args:
        handle: the handle.
        memory: that of all answers of the transport.

    Attributes:
        refusal: the reason why the rest of the body was not taken; "" if it was.
    """

    __slots__ = (
        *("handle", "headers", "left", "lines", "memory", "parts", "progress", "progressed_at"),
        *("refusal", "seconds", "transfer"),
    )

    def __init__(self, handle: pycurl.Curl, memory: Memory) -> None:
        self.handle, self.memory = handle, memory
        self.headers: Mapping[str, str] | None = None  # for which a GET needs its URL alone
        self.parts: list[bytes] = []
        self.lines: list[bytes] = []
        self.seconds = 0.0
        handle.setopt(pycurl.WRITEFUNCTION, self._receive)
        handle.setopt(pycurl.HEADERFUNCTION, self.lines.append)

    def begin(self, transfer: Transfer, seconds: float) -> None:
        """Set the request to send.

        Args:
            transfer: the transfer that it serves.
            seconds: in which the answer must arrive.

        Raises:
            ApiError: a header cannot be sent.
        """
        request = transfer.request
        is_plain = request.method == "GET" and request.body is None
        if not is_plain or request.headers is not self.headers:
            self._set_options(request, is_plain)
            self.headers = request.headers if is_plain else None
        self.handle.setopt(pycurl.URL, str(request.url))
        if seconds != self.seconds:
            self.handle.setopt(pycurl.TIMEOUT_MS, max(1, round(seconds * 1000)))
            self.seconds = seconds
        self.transfer, self.left, self.refusal = transfer, transfer.limit.size, ""
        self.progress = (0, 0, 0.0)  # parts and lines received, bytes sent
        self.progressed_at = time.monotonic()

    def answer(self, status: int) -> Answer:
        """Return the page that has arrived, or the reason why its body cannot be decoded.

        Args:
            status: the status of the answer.
        """
        headers = Headers(self.lines)
        try:
            content = decoded(b"".join(self.parts), status, headers, self.transfer.limit)
        except HTTPError as error:
            return Failure(reason_of(error), is_final=isinstance(error, LargeBodyError))
        page = self.transfer.page(status, headers.reason, headers, content)
        if not self.memory.keeps(page, self.transfer.limit):
            return Failure(self.transfer.limit.reason_of_all, is_final=True)
        return page

    def end(self) -> Transfer:
        """Forget what has arrived; return the transfer."""
        transfer = self.transfer
        transfer.received = transfer.limit.size - self.left
        self.memory.in_flight -= sum(map(len, self.parts))
        self.parts.clear()
        self.lines.clear()
        del self.transfer
        return transfer

    def _receive(self, part: bytes) -> int | None:
        """Keep a part of the body, or end the transfer if the body is too large."""
        self.left -= len(part)
        limit = self.transfer.limit
        taken = limit.size - self.left
        if not self.memory.has_room(limit):
            self.refusal = limit.reason_of_all
        elif self.left < 0 or (taken > ERROR_BYTES and taken > limit.at(self.status)):
            self.refusal = limit.reason
        if self.refusal:
            return 0
        self.memory.in_flight += len(part)
        self.parts.append(part)
        return None

    @property
    def status(self) -> int:
        """The status by the lines that have arrived."""
        first = [line for line in self.lines if line.startswith(b"HTTP/")][-1]
        return int(first.split()[1])

    def _set_options(self, request: requests.PreparedRequest, is_plain: bool) -> None:
        handle, lines, body = self.handle, request_lines(request), _content(request)
        if own_cookies := request.headers.get("Cookie"):
            # beside those of the API, in one header
            handle.setopt(pycurl.COOKIE, header_value("Cookie", own_cookies))
        else:
            handle.unsetopt(pycurl.COOKIE)
        handle.setopt(pycurl.HTTPHEADER, lines)
        if is_plain:
            handle.setopt(pycurl.HTTPGET, 1)
            handle.unsetopt(pycurl.CUSTOMREQUEST)
        else:
            handle.setopt(pycurl.POSTFIELDS, body or b"")
            handle.setopt(pycurl.CUSTOMREQUEST, str(request.method))


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
