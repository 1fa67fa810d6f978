"""How many pages to ask for ahead of the one that is worked on."""

import time
from collections.abc import Callable

SHORTEST_LOOK = 0.05  # seconds of pages by which one size is held against another
FEWEST_PAGES = 4
FASTER = 0.9  # of the time a page took before: less than that is worth more requests at once
AS_FAST = 1.03  # of the time a page took before: up to that, fewer requests do as well
FIRST_REST = 64  # pages to stay at a size before the next try; twice as many after each


class Window:
    """Finds the number of pages to read ahead by which a read is fastest.

    It grows as long as more makes the pages come faster, and gets smaller where fewer do as well:
    where an API answers at once, nothing is read ahead. When the API asks for less it is halved.

    Args:
        most: the largest size.
        adaptive: whether to change at all; otherwise the size is always `most`.
        times_slowed_down: returns how often the API has asked for less so far.
        clock: seconds of a clock.
    """

    def __init__(
        self,
        most: int,
        adaptive: bool = True,
        times_slowed_down: Callable[[], int] = int,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.most = most if most > 1 else 0
        self._adaptive = adaptive
        self._times_slowed_down = times_slowed_down
        self._clock = clock
        self._slowed_down = times_slowed_down()
        self.size = 0 if adaptive else self.most
        self._tried_from: tuple[int, float] | None = None  # the size before, its seconds a page
        self._upwards = True
        self._next_rest = FIRST_REST
        self._look(FEWEST_PAGES)

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
        if self._pages >= max(self._enough, self.size) and seconds >= SHORTEST_LOOK:
            self._decide(seconds / self._pages)

    def _decide(self, seconds: float) -> None:
        """Try another size, stay at it, or go back, by the seconds that a page took."""
        if self._tried_from is None:
            upwards = self._upwards if 0 < self.size < self.most else self.size == 0
            self._upwards = not upwards
            self._try(upwards, seconds)
            return
        size, before = self._tried_from
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
        self._look(FEWEST_PAGES, on_their_way)

    def _rest_at(self, size: int) -> None:
        self.size, self._tried_from = size, None
        self._look(self._next_rest)
        self._next_rest *= 2

    def _look(self, pages: int, but_first: int = 0) -> None:
        """Time at least so many pages, and one of each request that is on its way."""
        self._enough = pages
        self._pages, self._since = -but_first, self._clock()
