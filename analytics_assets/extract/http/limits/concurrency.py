"""The number of pages that are requested ahead of the one that is read."""

import math
import threading
import time
from collections.abc import Callable

MIN_SECONDS = 0.05  # of pages by which one size is compared with another
MIN_PAGES = 4
FASTER = 0.9  # of the time per page before: below it, more requests in flight pay off
AS_FAST = 1.03  # of the time per page before: up to it, fewer requests are enough
SLOWER = 1.5  # of the usual time per page at this size: above it, fewer may be enough
FIRST_SETTLED = 64  # pages to stay at a size before the next trial; twice as many after each
BEGUN_SETTLED = 256  # pages at the maximum, if a read begins with it
MAX_SETTLED = 1024
WORTHWHILE = 0.01  # seconds of waiting for a page, above which a read begins with more ahead
FEWEST = 4  # unless the API throttles: with fewer, libcurl is called more often for each page
GROWTH = 4  # after each such wait
PAUSE = 1.0  # seconds without a page, in which nobody waits for one: nothing is measured


class Concurrency:
    """Finds the number of pages to request ahead by which the reads of an API are fastest.

    It begins with a few, and with many if the first pages take long. From then on it grows as long
    as pages arrive faster, and shrinks if fewer are enough. It is halved when the API throttles
    requests, and when pages begin to take longer, unless that makes them slower. Safe to use from
    several threads.

    Args:
        maximum: the largest size.
        adaptive: False keeps the size at `maximum`.
        throttle_count: returns the number of throttled responses so far.
        clock: returns the seconds of a clock.
    """

    def __init__(
        self,
        maximum: int,
        adaptive: bool = True,
        throttle_count: Callable[[], int] = int,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.maximum = maximum if maximum > 1 else 0
        self._adaptive = adaptive
        self._throttle_count = throttle_count
        self._clock = clock
        self._lock = threading.Lock()
        self._throttled = throttle_count()
        self._fewest = min(FEWEST, self.maximum)
        self.size = self._fewest if adaptive else self.maximum
        self._trial_from: tuple[int, float] | None = None  # the size before, its seconds a page
        self._upwards = True
        self._next_settled = FIRST_SETTLED
        self._slower_before = False
        self._is_beginning = True
        self._arrived_at = clock()
        self._settle(pages=0)

    def record_page(self, waited: float = 0.0) -> None:
        """Count a page that arrived, and adapt the size.

        Args:
            waited: the seconds in which a read waited for it.
        """
        if self._adaptive and self.maximum:
            with self._lock:
                self._adapt(waited)

    def _adapt(self, waited: float) -> None:
        before, self._arrived_at = self._arrived_at, self._clock()
        if self._throttle_count() != self._throttled:
            self._throttled = self._throttle_count()
            self._is_beginning = False
            self._settle_at(self.size // 2 if self.size > 3 else 0)  # one at a time is none ahead
        if self._is_beginning:
            self._begin(waited)
            return
        if self._arrived_at - before - waited > PAUSE:
            self._measure()
            return
        self._pages += 1
        if not self._pages:
            self._since = self._clock()
        seconds = self._clock() - self._since
        if self._pages >= max(MIN_PAGES, self.size) and seconds >= MIN_SECONDS:
            pages = self._pages
            self._measure()
            if self._trial_from is None:
                self._judge_settled(pages, seconds)
            else:
                self._judge_trial(*self._trial_from, seconds / pages)

    def _begin(self, waited: float) -> None:
        self._is_beginning = waited >= WORTHWHILE and self.size < self.maximum
        if self._is_beginning:
            self.size = min(self.maximum, self.size * GROWTH)
        else:
            self._settle(BEGUN_SETTLED if self.size == self.maximum else 0)

    def _judge_settled(self, pages: int, seconds: float) -> None:
        """Try another size if this one lasted long enough, or pages begin to take longer."""
        usual = self._settled_seconds / self._settled_pages if self._settled_pages else math.inf
        slower = self.size > self._fewest and seconds / pages > usual * SLOWER
        if slower and self._slower_before:
            self._next_settled = FIRST_SETTLED
            self._try(False, seconds / pages)
            return
        self._slower_before = slower
        if slower:  # once may be a coincidence
            return
        self._settled_pages += pages
        self._settled_seconds += seconds
        if self._settled_pages >= self._settled_until:
            is_between = self._fewest < self.size < self.maximum
            upwards = self._upwards if is_between else self.size <= self._fewest
            self._upwards = not upwards
            self._try(upwards, self._settled_seconds / self._settled_pages)

    def _judge_trial(self, size: int, before: float, seconds: float) -> None:
        """Try a larger size, keep the size, or return to the last one, by the seconds per page."""
        upwards = self.size > size
        pays = seconds < before * (FASTER if upwards else AS_FAST)
        if pays and self._fewest < self.size < self.maximum:
            self._try(upwards, seconds if upwards else before)
        else:
            self._settle_at(self.size if pays else size)

    def _try(self, upwards: bool, seconds: float) -> None:
        self._trial_from = (self.size, seconds)
        # pages in flight already arrive as fast as before
        in_flight = 0 if upwards else self.size
        larger = min(self.maximum, max(2, self.size * 2))
        self.size = larger if upwards else max(self._fewest, self.size // 2)
        self._measure(skipped=in_flight)

    def _settle_at(self, size: int) -> None:
        # pages in flight beyond the size arrive as fast as before
        in_flight = max(0, self.size - size)
        self.size, self._trial_from = size, None
        self._settle(self._next_settled)
        self._measure(skipped=in_flight)
        self._next_settled = min(MAX_SETTLED, self._next_settled * 2)

    def _settle(self, pages: int) -> None:
        self._settled_until = pages
        self._settled_pages, self._settled_seconds = 0, 0.0
        self._slower_before = False
        self._measure()

    def _measure(self, skipped: int = 0) -> None:
        """Time the pages that arrive from now on, but for the first few."""
        self._pages, self._since = -skipped, self._clock()
