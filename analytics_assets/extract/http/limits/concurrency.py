"""How many pages to ask for ahead of the one that is worked on."""

import math
import time
from collections.abc import Callable

SHORTEST_LOOK = 0.05  # seconds of pages by which one size is held against another
FEWEST_PAGES = 4
FASTER = 0.9  # of the time a page took before: less than that is worth more requests at once
AS_FAST = 1.03  # of the time a page took before: up to that, fewer requests do as well
CLIMBED = 1.5  # times what a page took at this size: fewer requests at once may do as well
FIRST_REST = 64  # pages to stay at a size before the next try; twice as many after each
LONGEST_REST = 1024


class Window:
    """Finds the number of pages to read ahead by which a read is fastest.

    It grows as long as more makes the pages come faster, and gets smaller where fewer do as well:
    where an API answers at once, nothing is read ahead. When the API asks for less it is halved,
    and so it is when pages come to take longer, unless that makes them slower still.

    Args:
        most: the largest size.
        adaptive: whether to change at all; otherwise the size is always `most`.
        throttle_count: returns how often the API has asked for less so far.
        clock: seconds of a clock.
    """

    def __init__(
        self,
        most: int,
        adaptive: bool = True,
        throttle_count: Callable[[], int] = int,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.most = most if most > 1 else 0
        self._adaptive = adaptive
        self._times_slowed_down = throttle_count
        self._clock = clock
        self._slowed_down = throttle_count()
        self.size = 0 if adaptive else self.most
        self._tried_from: tuple[int, float] | None = None  # the size before, its seconds a page
        self._upwards = True
        self._next_rest = FIRST_REST
        self._climbed_before = False
        self._begin_rest(pages=0)

    def page(self) -> None:
        """Say that a page came."""
        if not self._adaptive or not self.most:
            return
        if self._times_slowed_down() != self._slowed_down:
            self._slowed_down = self._times_slowed_down()
            self._rest_at(self.size // 2)
        self._pages += 1
        if not self._pages:
            self._since = self._clock()
        seconds = self._clock() - self._since
        if self._pages >= max(FEWEST_PAGES, self.size) and seconds >= SHORTEST_LOOK:
            pages = self._pages
            self._look()
            if self._tried_from is None:
                self._look_while_resting(pages, seconds)
            else:
                self._end_try(*self._tried_from, seconds / pages)

    def _look_while_resting(self, pages: int, seconds: float) -> None:
        """Try another size once this one was long enough, or pages come to take longer."""
        usual = self._rested_seconds / self._rested_pages if self._rested_pages else math.inf
        climbed = self.size > 0 and seconds / pages > usual * CLIMBED
        if climbed and self._climbed_before:
            self._next_rest = FIRST_REST
            self._try(False, seconds / pages)
            return
        self._climbed_before = climbed
        if climbed:  # once may be an accident
            return
        self._rested_pages += pages
        self._rested_seconds += seconds
        if self._rested_pages >= self._rest:
            upwards = self._upwards if 0 < self.size < self.most else self.size == 0
            self._upwards = not upwards
            self._try(upwards, self._rested_seconds / self._rested_pages)

    def _end_try(self, size: int, before: float, seconds: float) -> None:
        """Try on, stay at the size, or go back, by the seconds that a page took."""
        upwards = self.size > size
        pays = seconds < before * (FASTER if upwards else AS_FAST)
        if pays and upwards and self.size < self.most:
            self._try(upwards, seconds)
        else:
            self._rest_at(self.size if pays else size)

    def _try(self, upwards: bool, seconds: float) -> None:
        self._tried_from = (self.size, seconds)
        # what is on its way already comes as fast as before
        on_their_way = 0 if upwards else self.size
        self.size = min(self.most, max(2, self.size * 2)) if upwards else self.size // 2
        self._look(but_first=on_their_way)

    def _rest_at(self, size: int) -> None:
        # what is on its way beyond the size comes as fast as before
        on_their_way = max(0, self.size - size)
        self.size, self._tried_from = size, None
        self._begin_rest(self._next_rest)
        self._look(but_first=on_their_way)
        self._next_rest = min(LONGEST_REST, self._next_rest * 2)

    def _begin_rest(self, pages: int) -> None:
        self._rest = pages
        self._rested_pages, self._rested_seconds = 0, 0.0
        self._climbed_before = False
        self._look()

    def _look(self, but_first: int = 0) -> None:
        """Time the pages that come from now on."""
        self._pages, self._since = -but_first, self._clock()
