"""Limits that a host announces in its responses."""

import threading
import time
from collections.abc import Callable, Mapping

from analytics_assets.extract.http.limits.headers import quota_of, retry_after
from analytics_assets.extract.http.limits.status import is_throttled

POLL_SECONDS = 0.05  # between two checks of a limit that may end at any time
PROBE_SECONDS = 1.0  # between two requests while no response has the new quota
SAME_RESET = 2.0  # seconds: a later reset belongs to the next quota


class HostLimits:
    """The limits that a host has announced so far; they hold for all requests to it.

    Args:
        clock: returns the seconds of a clock that never goes back.

    Attributes:
        is_shared: True if other processes share them, so that to take a request may take a while.
    """

    is_shared = False

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._retry_at = 0.0
        self._remaining: int | None = None  # requests of the quota; None if unknown
        self._reset_at = 0.0
        self._probe_until = 0.0
        self.throttle_count = 0  # responses that throttled requests

    def acquire(self) -> float:
        """Take one of the remaining requests.

        Returns:
            0, or the seconds until there may be one.
        """
        with self._lock:
            now = self._clock()
            until = max(self._retry_at, self._probe_until)
            if self._remaining == 0:
                until = max(until, self._reset_at)
            if until > now:
                # the probe's response may arrive at any time
                return POLL_SECONDS if until == self._probe_until else until - now
            if self._remaining is not None and now >= self._reset_at:
                # the new quota is unknown: one request probes it, the others wait for its response
                self._probe_until = now + PROBE_SECONDS if self._remaining == 0 else 0.0
                self._remaining = None
            elif self._probe_until:  # without a response so far: this request probes it, too
                self._probe_until = now + PROBE_SECONDS
            if self._remaining is not None:
                self._remaining -= 1
            return 0.0

    @property
    def pause(self) -> float:
        """Seconds until the host accepts a request; 0.0 if it does."""
        with self._lock:
            until = max(self._retry_at, self._reset_at if self._remaining == 0 else 0.0)
            return max(0.0, until - self._clock())

    def observe(self, status: int, headers: Mapping[str, str], max_delay: float) -> None:
        """Update the limits by any response of the host.

        Args:
            status: its HTTP status.
            headers: its headers, by any case of their names.
            max_delay: upper limit of a wait in seconds.
        """
        throttled = is_throttled(status, headers)
        delay = retry_after(headers.get("Retry-After", "")) if throttled else 0.0
        quota = quota_of(headers)
        if not throttled and quota is None and not self._probe_until:
            return
        with self._lock:
            now = self._clock()
            self._probe_until = 0.0
            self.throttle_count += throttled
            self._retry_at = max(self._retry_at, now + min(delay, max_delay))
            if quota:
                reset_at = now + min(quota.reset, max_delay)
                same = self._remaining is not None and reset_at <= self._reset_at + SAME_RESET
                # responses arrive in another order than the API counted the requests
                self._remaining = (
                    min(quota.remaining, self._remaining or 0) if same else quota.remaining
                )
                self._reset_at = reset_at
