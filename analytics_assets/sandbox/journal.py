"""The journal of requests, for tests to count what a client sent."""

import threading
import time
from collections import deque
from dataclasses import dataclass, field

# An embedded server may run for weeks.
_CAPACITY = 10_000


@dataclass
class RequestRecord:
    """One request.

    Args:
        method: The HTTP method.
        path: The path, without the query.
        query: The query's parameters.
        authorized: Whether it had an Authorization header.
        status: The status it was answered with; None until then, or if it never was.
        moment: When it came in, in seconds since the epoch.
    """

    method: str
    path: str
    query: dict[str, str]
    authorized: bool
    status: int | None = None
    moment: float = field(default_factory=time.time)


class Journal:
    """The latest requests of one server, in the order in which they came in."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: deque[RequestRecord] = deque(maxlen=_CAPACITY)

    def add(self, record: RequestRecord) -> None:
        """Note a request.

        Args:
            record: The request; its status may be filled in later.
        """
        with self._lock:
            self._records.append(record)

    def records(self) -> list[RequestRecord]:
        """Tell the requests so far.

        Returns:
            A list of its own, oldest first.
        """
        with self._lock:
            return list(self._records)
