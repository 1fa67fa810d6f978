"""The rate limit: requests in flight, requests a second, and what the host announces."""

import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Protocol
from weakref import WeakSet

from analytics_assets.config.settings.request import LimitSettings
from analytics_assets.extract.http.errors import QuotaError
from analytics_assets.extract.http.limits.concurrency import Concurrency
from analytics_assets.extract.http.limits.host import POLL_SECONDS, HostLimits
from analytics_assets.extract.http.shared_store.limit import SharedLimit

MAX_SLEEP = 1.0  # seconds after which a longer wait is checked again


class Collecting(Protocol):
    """A read with requests in flight."""

    def collect(self) -> bool:
        """Receive what has arrived, without waiting; return True if a request has ended."""


class RateLimit:
    """Starts requests to one host one after the other, within the limits.

    Of the reads that wait, the one with the fewest requests in flight is next, so that a resource
    of many pages leaves places to others. Safe to use from several threads.

    Args:
        settings: the limits that are set.
        max_delay: upper limit in seconds of a wait that the API asks for.
        host: the limits that the host announces.
        clock: returns the seconds of a clock that never goes back.
        shared: the limits of all processes; None if they hold for this process alone.
    """

    def __init__(
        self,
        settings: LimitSettings,
        max_delay: float,
        host: HostLimits | None = None,
        clock: Callable[[], float] = time.monotonic,
        shared: SharedLimit | None = None,
    ) -> None:
        self.max_in_flight = settings.in_flight
        self._interval = 1 / settings.max_per_second if settings.max_per_second else 0.0
        if shared:  # has the intervals of all
            self._interval = 0.0
        self._max_delay = max_delay
        self._shared = shared
        self._host = host or HostLimits(clock)
        self.concurrency = Concurrency(
            settings.in_flight, settings.adaptive, lambda: self._host.throttle_count
        )
        self._clock = clock
        self._freed = threading.Condition()
        self._in_flight = Counter[Collecting | None]()
        self._waiting = set[Collecting]()
        self._next_start = 0.0
        self._reads: WeakSet[Collecting] = WeakSet()

    def try_acquire(self, max_wait: float = math.inf, read: Collecting | None = None) -> float:
        """Start a request if one may start now; else the read waits, until `end_wait`.

        Args:
            max_wait: seconds; if the host asks for a longer wait, the request fails at once.
            read: the read of the request; None for a request of its own.

        Returns:
            0 if it counts as in flight from now on, else the seconds until the next try.

        Raises:
            QuotaError: the host asks for a longer wait.
            NoAnswerError: the store with the limits of all processes cannot be reached.
            SharedStoreError: the store refuses.
        """
        wait = self._acquire(read, max_wait)
        if wait > max_wait:
            raise QuotaError(
                f"The API accepts no request for another {wait:.0f} seconds "
                "(`Retry-After`, or its quota of requests is used up)."
            )
        return min(wait, MAX_SLEEP)

    def register(self, read: Collecting) -> None:
        """Add a read whose answers may be collected by those that wait for a place in flight."""
        with self._freed:
            self._reads.add(read)

    @property
    def pause(self) -> float:
        """Seconds until the host accepts a request, as far as it announces; 0.0 if it does."""
        return self._host.pause

    @property
    def reads(self) -> int:
        """The number of reads that have not ended."""
        with self._freed:
            return len(self._reads)

    def collect_others(self, read: Collecting) -> bool:
        """Collect the answers of other reads, for one that waits for a place in flight.

        A read does not receive while its rows are worked on, or its child resources are read.

        Returns:
            True if a request has ended.
        """
        with self._freed:
            others = [each for each in self._reads if each is not read]
        return any(each.collect() for each in others)

    def release(self, read: Collecting | None = None) -> None:
        """End a request that was in flight."""
        if self._shared:
            self._shared.release()
        with self._freed:
            self._remove(read)
            self._freed.notify_all()

    def wait(self, seconds: float) -> None:
        """Wait for the end of a request in flight, for some seconds at most."""
        with self._freed:
            self._freed.wait(seconds)

    def end_wait(self, read: Collecting) -> None:
        """Leave places in flight to the other reads."""
        with self._freed:
            self._waiting.discard(read)

    def _acquire(self, read: Collecting | None, max_wait: float) -> float:
        is_shared = self._shared or self._host.is_shared
        with self._freed:
            wait = self._wait_of(read)
            if not wait and not is_shared:
                wait = self._host.acquire()
            if not wait:
                self._in_flight[read] += 1
                self._next_start = self._clock() + self._interval
            self._note_wait(read, wait)
        if wait or not is_shared:
            return wait
        # without the lock: others may end their requests while the store is asked
        try:
            wait = self._begin_shared(max_wait)
        except BaseException:
            wait = math.inf
            raise
        finally:
            if wait:
                with self._freed:
                    self._remove(read)
                    self._note_wait(read, wait)
        return wait

    def _begin_shared(self, max_wait: float) -> float:
        """Return the seconds until a request may begin that counts in all processes; 0 for now."""
        wait = self._host.pause
        if not wait and self._shared:
            wait = self._shared.acquire(max_wait)
        if wait:
            return wait
        wait = self._host.acquire()
        if wait and self._shared:
            self._shared.release(is_unused=True)
        return wait

    def _wait_of(self, read: Collecting | None) -> float:
        """Return the seconds until a request may begin by the limits of this process."""
        now = self._clock()
        if self._next_start > now:
            return self._next_start - now
        own = self._in_flight[read]
        is_full = self._in_flight.total() >= self.max_in_flight
        if is_full or any(self._in_flight[other] < own for other in self._waiting):
            return POLL_SECONDS
        return 0.0

    def _note_wait(self, read: Collecting | None, wait: float) -> None:
        if wait and read:
            self._waiting.add(read)
        if not wait:
            self._waiting.discard(read)

    def _remove(self, read: Collecting | None) -> None:
        self._in_flight[read] -= 1
        if not self._in_flight[read]:
            del self._in_flight[read]

    def observe(self, status: int, headers: Mapping[str, str]) -> None:
        """Update the limits that the host announces by a response.

        `Retry-After` (RFC 9110 section 10.2.3) delays all requests to the host. So does a quota
        that is used up, until its reset.

        Args:
            status: the HTTP status of any response of the host.
            headers: its headers, by any case of their names.
        """
        self._host.observe(status, headers, self._max_delay)
