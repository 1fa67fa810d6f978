"""Limits that a host announces to one process, and that hold for all of them."""

import logging
import math
import time
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

from analytics_assets.extract.http.limits.headers import Quota, quota_of
from analytics_assets.extract.http.limits.host import POLL_SECONDS, PROBE_SECONDS, HostLimits
from analytics_assets.extract.http.shared_store.keeper import Keeper
from analytics_assets.extract.http.shared_store.statements import (
    END_PROBE,
    FORGET,
    LOOK,
    PAUSE,
    TAKE_OF_QUOTA,
    WRITE_QUOTA,
)
from analytics_assets.extract.http.shared_store.store import SharedStore, SharedStoreError

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0  # between two looks at the pauses that other processes have found
STALE_SECONDS = 2.0  # after a look was due, from which on a request waits for it
FAILED_SECONDS = 30.0  # before the next look at a store that could not be reached
USED_SECONDS = 5.0  # after a request, for which the pauses are looked at
KEPT_SECONDS = 3600.0  # after the end of a limit, for which it stays in the store
FEW = 1000  # requests left of a quota, from which on all processes count them together


class SharedHostLimits(HostLimits):
    """The limits that a host has announced to any process.

    A pause (`Retry-After`, or a quota that is used up) is written into the store, and read from it
    before the first request and every second. The requests of a quota are counted there once few
    are left. Without a pause, and with a large quota, no request asks the store.

    Args:
        store: the store.
        keeper: looks at the store every second.
        host: the host, with its port if it has one.
        longest: seconds of the longest wait. What is stored for longer, by a process with another
            setting or a server with another clock, is forgotten.
        clock: returns the seconds of a clock that never goes back.
    """

    is_shared = True

    def __init__(
        self,
        store: SharedStore,
        keeper: Keeper,
        host: str,
        longest: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(clock)
        self._store, self._keeper, self._name = store, keeper, host
        self._longest = longest
        self._keeping = Lock()
        self._look_at = self._used_at = -math.inf
        self._is_counted = self._is_warned = False
        self._is_probed = self._is_answered = False  # a new quota; without one
        self._found_until = 0.0  # a pause that is not in the store yet
        self._found: tuple[float, Quota] | None = None  # a quota, with the time of its answer

    def acquire(self) -> float:
        """Take one of the remaining requests.

        Returns:
            0, or the seconds until there may be one.
        """
        self._used_at = self._clock()
        if self._used_at > self._look_at + STALE_SECONDS:
            self.keep()
        self._keeper.keep(self)
        if (self._is_counted or self._found) and not self.pause:
            try:
                return self._take()
            except SharedStoreError as error:
                self._warn(error)
        return super().acquire()

    def observe(self, status: int, headers: Mapping[str, str], max_delay: float) -> None:
        """Update the limits by any response of the host; see `HostLimits`."""
        before = self.pause
        super().observe(status, headers, max_delay)
        quota = quota_of(headers)
        if quota and (self._is_counted or quota.remaining <= FEW):
            reset = min(quota.reset, max_delay)
            self._found = self._clock(), Quota(quota.remaining, reset)
            self._is_counted = quota.remaining <= FEW
        elif self._is_probed and not quota:
            self._is_answered = True
        if (pause := self.pause) > before:
            self._found_until = self._clock() + pause
            self._keeper.wake()

    @property
    def is_kept(self) -> bool:
        """True while requests are sent to the host."""
        return self._clock() < self._used_at + USED_SECONDS

    def keep(self) -> None:
        """Write what this process has found, and look at what others have."""
        with self._keeping:
            now = self._clock()
            try:
                if self._found_until > now:
                    self._write(PAUSE, seconds=self._found_until - now)
                    self._found_until = 0.0
                if self.is_kept and now >= self._look_at:
                    self._look_at = now + LOOK_SECONDS
                    self._look()
            except SharedStoreError as error:
                self._look_at = now + FAILED_SECONDS
                self._warn(error)

    def give_back(self) -> None:
        """Do nothing: what a host has announced holds without this process, too."""

    def _look(self) -> None:
        found = self._store.run(LOOK, {"host": self._name}, creates=False)
        for pause, reset in found:
            if not -KEPT_SECONDS <= max(pause, reset) <= self._longest:
                self._write(FORGET, kept=KEPT_SECONDS, longest=self._longest)
                continue
            with self._lock:
                self._retry_at = max(self._retry_at, self._clock() + max(0.0, pause))
            self._is_counted = self._is_counted or reset > 0
        if self._is_warned:
            self._is_warned = False
            logger.warning("The limits that other processes find are known again.")

    def _take(self) -> float:
        """Take one of the requests that are left for all processes."""
        found, self._found = self._found, None
        if found:
            at, quota = found
            reset = quota.reset - (self._clock() - at)
            self._write(WRITE_QUOTA, remaining=quota.remaining, reset=reset)
        elif self._is_answered:
            self._write(END_PROBE)
        self._is_answered = False
        ((wait, remaining, self._is_probed),) = self._write(TAKE_OF_QUOTA) or [(0.0, None, False)]
        self._is_counted = remaining is None or remaining <= FEW
        return float(wait)

    def _write(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        waits = {"probe": PROBE_SECONDS, "poll": POLL_SECONDS}
        return self._store.run(statement, {"host": self._name, **waits, **values}, self._name)

    def _warn(self, error: SharedStoreError) -> None:
        if not self._is_warned:
            self._is_warned = True
            logger.warning(
                "The limits that %s announces to other processes are not known, as %s.",
                *(self._name, error),
            )
