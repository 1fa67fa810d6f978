"""Faults: what the API does wrong on purpose, and for how many requests."""

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

ANY_PATH = "*"
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_JSON_TYPES: dict[str, tuple[type, ...]] = {
    "path": (str,),
    "times": (int, type(None)),
    "after": (int,),
    "day": (str, type(None)),
    "status": (int, type(None)),
    "retry_after": (str, type(None)),
    "delay": (int, float),
    "drop": (bool,),
    "cut_body": (bool,),
    "error_body": (bool,),
    "expired_token": (bool,),
    "body": (str, type(None)),
    "content_type": (str, type(None)),
    "headers": (dict, type(None)),
}


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something that goes wrong with requests for one path.

    Kinds can be combined, such as a delay before a cut body. Of the kinds that replace the body,
    ``body`` goes before ``error_body``, which goes before ``status`` and ``expired_token``.

    Args:
        path: The exact path, such as ``/v1/traffic_sources``, or ``*`` for every path.
        times: How many requests it hits; None means every one.
        after: How many requests for the path, counted since the fault was added, it spares first.
        day: The day, such as ``2026-01-31``, that a request must ask for by ``start_date`` and
            ``end_date`` to be hit or counted; None means any request.
        status: The status to answer with.
        retry_after: A Retry-After header to answer with.
        delay: Seconds to wait before anything is answered.
        drop: The connection is closed without a byte of an answer.
        cut_body: The connection is closed halfway through the body that Content-Length announces.
        error_body: The body is an error object, under status 200 unless ``status`` says otherwise.
        expired_token: Every token becomes invalid and the answer is 401.
        body: Replaces the body; JSON unless ``content_type`` says otherwise.
        content_type: Replaces the content type.
        headers: Headers to add to the answer.

    Raises:
        ValueError: A value is out of range, or nothing would go wrong.
    """

    path: str
    times: int | None = 1
    after: int = 0
    day: str | None = None
    status: int | None = None
    retry_after: str | None = None
    delay: float = 0
    drop: bool = False
    cut_body: bool = False
    error_body: bool = False
    expired_token: bool = False
    body: str | None = None
    content_type: str | None = None
    headers: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        """Refuse what could not be carried out."""
        if self.path != ANY_PATH and not self.path.startswith("/"):
            raise ValueError("path must be '*' or start with '/'")
        if self.times is not None and self.times < 1:
            raise ValueError("times must be at least 1, or null for always")
        if self.after < 0:
            raise ValueError("after must not be negative")
        if self.day is not None and not _is_day(self.day):
            raise ValueError("day must be a date such as 2026-01-31")
        if not 0 <= self.delay < float("inf"):
            raise ValueError("delay must be a number of seconds")
        if self.status is not None and not 200 <= self.status <= 599:
            raise ValueError("status must be between 200 and 599")
        for name, value in self.added_headers().items():
            if not (_HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(value)):
                raise ValueError(f"{name!r} is not a header that can be sent")
        if not self._does_something():
            raise ValueError("the fault does nothing: name what goes wrong")

    def concerns(self, path: str, query: Mapping[str, str]) -> bool:
        """Tell whether it is about such a request.

        Args:
            path: The path of the request.
            query: Its parameters.
        """
        if self.path not in (path, ANY_PATH):
            return False
        if self.day is None:
            return True
        return query.get("start_date", "~") <= self.day <= query.get("end_date", "")

    def added_headers(self) -> dict[str, str]:
        """Tell the headers that go over the ones of the answer.

        Returns:
            The headers by their names in lower case.
        """
        named = {name.lower(): value for name, value in (self.headers or {}).items()}
        if self.retry_after is not None:
            named["retry-after"] = self.retry_after
        if self.content_type is not None:
            named["content-type"] = self.content_type
        return named

    def _does_something(self) -> bool:
        flags = (self.drop, self.cut_body, self.error_body, self.expired_token, self.delay > 0)
        replaces = self.status is not None or self.body is not None
        return any(flags) or replaces or bool(self.added_headers())


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def fault_from_json(value: Any) -> Fault:
    """Read a fault from a JSON value.

    Args:
        value: The value, expected to be an object with the fields of ``Fault``.

    Returns:
        The fault.

    Raises:
        ValueError: It is not such an object; the message says why.
    """
    if not isinstance(value, dict):
        raise ValueError("a fault must be a JSON object")
    unknown = sorted(value.keys() - {known.name for known in fields(Fault)})
    if unknown:
        raise ValueError(f"unknown field {unknown[0]!r}")
    if "path" not in value:
        raise ValueError("path is missing")
    for name, given in value.items():
        # bool is an int in Python, but true is not a number in JSON.
        fits = isinstance(given, _JSON_TYPES[name])
        if not fits or (isinstance(given, bool) and bool not in _JSON_TYPES[name]):
            raise ValueError(f"{name} must not be {given!r}")
    if not all(isinstance(text, str) for text in (value.get("headers") or {}).values()):
        raise ValueError("headers must be an object of strings")
    return Fault(**value)


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

    def __len__(self) -> int:
        """Tell how many faults have not been used up."""
        with self._lock:
            return len(self._pending)

    def add(self, fault: Fault) -> None:
        """Let something go wrong from the next request on.

        Args:
            fault: What goes wrong. Where several would hit a request, the one added first does.
        """
        with self._lock:
            self._pending.append(_Pending(fault, fault.after, fault.times))

    def clear(self) -> None:
        """Forget every fault."""
        with self._lock:
            self._pending.clear()

    def take(self, path: str, query: Mapping[str, str]) -> Fault | None:
        """Count one request, and tell what goes wrong with it.

        Args:
            path: The path of the request.
            query: Its parameters.

        Returns:
            The fault that hits it, if any does.
        """
        with self._lock:
            taken: _Pending | None = None
            for pending in self._pending:
                if not pending.fault.concerns(path, query):
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
