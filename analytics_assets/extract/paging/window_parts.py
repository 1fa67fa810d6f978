"""A window that may be requested in halves, as the API samples answers about long spans."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import requests

from analytics_assets.config.text.place import placed
from analytics_assets.config.times.window import TimeWindow
from analytics_assets.extract.paging.position import copied

WINDOWS_HALVED, WINDOWS_SAMPLED = "windows_halved", "windows_sampled"
DAY = timedelta(days=1)


class SampledWindowError(Exception):
    """An answer about a window is sampled, and parts of the window can be requested instead."""


@dataclass(frozen=True)
class WindowParts:
    """A window, in the parts that one request may ask for at least.

    Args:
        parts: consecutive spans of time, one after the other; those of partitions, as the rows of
            a week are not the sum of the rows of its days.
        is_whole: True for all parts of a load; False for a half of them.
        is_first: True if it begins with the first part of a load.
    """

    parts: Sequence[TimeWindow]
    is_whole: bool = True
    is_first: bool = True

    @property
    def window(self) -> TimeWindow:
        """The span of all parts."""
        return replace(self.parts[0], end=self.parts[-1].end)

    @property
    def is_divisible(self) -> bool:
        """True if its halves can be requested, and no row is in both."""
        return len(self.parts) > 1 and self.window.reach.end == self.window.end

    @property
    def halves(self) -> "tuple[WindowParts, WindowParts]":
        """The first and the second half of its parts."""
        half = len(self.parts) // 2
        first = WindowParts(self.parts[:half], False, self.is_first)
        return first, WindowParts(self.parts[half:], False, False)

    @property
    def name(self) -> str:
        """The days of the window, for metadata."""
        first, end = self.window.days
        return f"{first}" if end - first == DAY else f"{first} to {end - DAY}"

    def request(self, first: requests.Request) -> requests.Request:
        """Return the request for the window.

        Args:
            first: the request for the whole window, which is left as it is.
        """
        if self.is_whole:
            return first
        request = copied(first)
        request.hooks = first.hooks  # the entry's `response_actions`
        parts: dict[str, Any] = vars(request)
        parts.update(placed(parts, self.window.params))
        return request


def read_in_halves(
    whole: WindowParts,
    read: Callable[[WindowParts], Iterator[Any]],
    halved: Callable[[WindowParts], None],
) -> Iterator[Any]:
    """Yield the rows of a window; where an answer is sampled, those of its halves.

    Args:
        whole: the window.
        read: yields the rows of a window, or raises `SampledWindowError` before the first one.
        halved: receives each window that is read in halves.
    """
    waiting = [whole]
    while waiting:
        window = waiting.pop(0)
        try:
            yield from read(window)
        except SampledWindowError:
            halved(window)
            waiting[:0] = window.halves
