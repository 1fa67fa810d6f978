"""Faults of a server, and the requests that they hit."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from analytics_assets_tests.support.http.exchange import Answer, Exchange, Request, head

ANY_PATH = "*"

Does = Callable[[Exchange], None]
"""Sends the answer, or none."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something that goes wrong with some requests.

    Kinds can be combined, such as a delay before a cut body. Without a status and a body, the
    answer is the server's own.

    Args:
        path: The exact path of the requests, or ``*``.
        offset: The ``offset`` of the requests; None for any.
        day: A day between ``start_date`` and ``end_date`` of the requests; None for any.
        times: The number of requests that it hits; None for all.
        after: The number of such requests, counted since the fault was added, that it spares.
        delay: Seconds before anything else happens.
        expired_token: All tokens become invalid, and the status is 401 if none is given.
        does: Sends something else altogether.
        drop: The connection is closed without a byte of an answer.
        status: The status of the answer.
        body: The body of the answer: bytes or text as they are, anything else as JSON.
        content_type: The answer's content type.
        retry_after: The answer's Retry-After header.
        headers: More headers of the answer.
        cut_body: The connection is closed halfway through the body that Content-Length announces.
    """

    path: str = ANY_PATH
    offset: int | None = None
    day: str | None = None
    times: int | None = 1
    after: int = 0
    delay: float = 0
    expired_token: bool = False
    does: Does | None = None
    drop: bool = False
    status: int | None = None
    body: Any = None
    content_type: str | None = None
    retry_after: str | None = None
    headers: Mapping[str, str] | None = None
    cut_body: bool = False

    def concerns(self, request: Request) -> bool:
        """Return True if such a request is hit, or counted among those that are spared."""
        query = request.query
        return (
            self.path in (request.path, ANY_PATH)
            and self.offset in (None, request.number("offset"))
            and (
                self.day is None
                or query.get("start_date", "~") <= self.day <= query.get("end_date", "")
            )
        )

    def hit(self, exchange: Exchange) -> None:
        """Answer a request wrongly."""
        if self.expired_token:
            exchange.server.revoke_tokens()
        exchange.wait(self.delay)
        if self.does:
            self.does(exchange)
        elif self.drop:
            exchange.send()
        elif self.cut_body:
            answer = self._answer(exchange)
            exchange.request.status = answer.status
            length = {"Content-Length": str(len(answer.content))}
            first_half = answer.content[: len(answer.content) // 2]
            exchange.send(head(answer.status, answer.all_headers | length) + first_half)
        else:
            exchange.answer(self._answer(exchange))

    def _answer(self, exchange: Exchange) -> Answer:
        status = self.status or (401 if self.expired_token else None)
        if self.body is not None:
            body = self.body.encode() if isinstance(self.body, str) else self.body
            answer = Answer(body, status or 200)
        elif status:
            message = f"This request is answered with status {status}."
            answer = Answer({"error": {"code": f"status_{status}", "message": message}}, status)
        else:
            answer = exchange.proper()
        added = {
            "Content-Type": self.content_type,
            "Retry-After": self.retry_after,
            **(self.headers or {}),
        }
        named = {name.title(): value for name, value in added.items() if value is not None}
        return Answer(answer.body, answer.status, {**answer.all_headers, **named})


@dataclass
class _Pending:
    fault: Fault
    spared: int
    left: int | None


class Faults:
    """The faults of one server, counted down as requests come in."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: list[_Pending] = []

    def add(self, fault: Fault) -> None:
        """Add a fault for the next requests; of several, the one added first hits."""
        with self._lock:
            self._pending.append(_Pending(fault, fault.after, fault.times))

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._pending.clear()

    def take(self, request: Request) -> Fault | None:
        """Count a request, and return the fault that hits it."""
        with self._lock:
            taken: _Pending | None = None
            for pending in self._pending:
                if not pending.fault.concerns(request):
                    continue
                if pending.spared > 0:
                    pending.spared -= 1
                elif taken is None:
                    taken = pending
            if taken is None:
                return None
            if taken.left is not None:
                taken.left -= 1
                if taken.left == 0:
                    self._pending.remove(taken)
            return taken.fault
