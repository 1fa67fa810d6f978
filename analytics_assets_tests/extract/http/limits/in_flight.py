"""A count of what several threads do at once."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

TIMEOUT = 60.0  # seconds, on a busy machine


class InFlight:
    """Counts how many threads are within, and lets none out before `many` have been.

    Args:
        many: the number that is expected at once.
    """

    def __init__(self, many: int) -> None:
        self.most = self._now = 0
        self._many, self._condition = many, threading.Condition()

    @contextmanager
    def counted(self) -> Iterator[None]:
        with self._condition:
            self._now += 1
            self.most = max(self.most, self._now)
            self._condition.notify_all()
            self._condition.wait_for(lambda: self.most >= self._many, timeout=TIMEOUT)
        yield
        with self._condition:
            self._now -= 1
