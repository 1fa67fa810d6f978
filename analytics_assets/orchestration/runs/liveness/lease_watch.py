"""Leases as an observer sees them: those that are not renewed any more have expired.

No clocks of two machines are compared. A lease expires when its value stays the same for a time
that the observer measures by itself. Time in which it did not look does not count: neither the one
in which it slept, nor the one in which the database was away for all.
"""

import time
from collections.abc import Callable, Mapping
from threading import Lock
from typing import NamedTuple

EXPIRED_AFTER = 55.0  # seconds; three renewals are missed by then
LONGEST_GAP = 30.0  # seconds between two looks that count; the sensor looks as often

Unchanged = Mapping[str, tuple[str, float, float]]
"""Values of leases by their keys, the seconds for which each is unchanged, and the last look."""


class _Seen(NamedTuple):
    """A lease, the seconds for which it was seen unchanged, and the moment of the last look."""

    value: str
    unchanged: float
    at: float


class LeaseWatch:
    """Remembers the values of leases.

    Args:
        clock: returns seconds, by a clock that later processes have, too; a step of it counts as
            the longest gap between two looks at most.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock, self._lock = clock, Lock()
        self._seen: dict[str, _Seen] = {}

    def expired(self, leases: Mapping[str, str]) -> set[str]:
        """Look at all leases, and return those that have expired.

        Args:
            leases: the values of all by their keys.
        """
        with self._lock:
            now = self._clock()
            self._seen = {key: self._look(key, value, now) for key, value in leases.items()}
            return {key for key, seen in self._seen.items() if seen.unchanged >= EXPIRED_AFTER}

    def _look(self, key: str, value: str, now: float) -> _Seen:
        value = value.partition(" ")[0]  # of its process and the count of renewals
        before = self._seen.get(key)
        if before is None or before.value != value:
            return _Seen(value, 0.0, now)
        gap = min(max(now - before.at, 0.0), LONGEST_GAP)
        return _Seen(value, before.unchanged + gap, now)

    @property
    def unchanged(self) -> Unchanged:
        """The leases that were not renewed between two looks, for a process that looks later."""
        with self._lock:
            return {key: (*seen,) for key, seen in self._seen.items() if seen.unchanged}

    def recall(self, unchanged: Unchanged) -> None:
        """Take over the looks of an earlier process, at leases that this one has not seen yet.

        Args:
            unchanged: those of the earlier process.
        """
        with self._lock:
            for key, seen in unchanged.items():
                self._seen.setdefault(key, _Seen(*seen))
