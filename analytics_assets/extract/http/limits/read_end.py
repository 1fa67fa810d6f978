"""The early end of a read: cancelled by another thread, or by its deadline."""

import math
import threading
import time
from dataclasses import dataclass, field

from analytics_assets.extract.http.errors import CancelledReadError, ReadDeadlineError


@dataclass(frozen=True)
class ReadEnd:
    """Ends the wait for a page.

    Args:
        cancelled: ends it if another thread sets it.
        at: the time, by `time.monotonic`, at which it ends.
    """

    cancelled: threading.Event = field(default_factory=threading.Event)
    at: float = math.inf

    @classmethod
    def after(cls, seconds: float | None, cancelled: threading.Event | None = None) -> "ReadEnd":
        """Return the end of a read that begins now.

        Args:
            seconds: its deadline; None for no limit.
            cancelled: ends it if another thread sets it.
        """
        at = math.inf if seconds is None else time.monotonic() + seconds
        return cls(cancelled or threading.Event(), at)

    def check(self) -> float:
        """Return the seconds that are left.

        Raises:
            CancelledReadError: another thread cancelled the read.
            ReadDeadlineError: the read takes too long.
        """
        if self.cancelled.is_set():
            raise CancelledReadError
        left = self.at - time.monotonic()
        if left <= 0:
            raise ReadDeadlineError
        return left
