"""A window that is requested in pieces: as the policy says, and in halves where it is sampled."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import requests

from analytics_assets.config.entry.place import placed
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
        longest: the most parts that one request may ask for; None for all.
        is_halved: True to request a sampled window again in halves; False to take it.
        is_whole: True for all parts of a load; False for some of them.
        is_first: True if it begins with the first part of a load.
    """

    parts: Sequence[TimeWindow]
    longest: int | None = None
    is_halved: bool = True
    is_whole: bool = True
    is_first: bool = True

    @property
    def window(self) -> TimeWindow:
        """The span of all parts."""
        return replace(self.parts[0], end=self.parts[-1].end)

    @property
    def is_divisible(self) -> bool:
        """True if its halves can be requested, and no row is in both."""
        ends = self.window.reach.end == self.window.end
        return self.is_halved and len(self.parts) > 1 and ends

    @property
    def pieces(self) -> "list[WindowParts]":
        """Consecutive pieces, of as many parts as one request may ask for."""
        parts, longest = self.parts, self.longest or len(self.parts)
        cuts = range(0, len(parts), longest)
        return [self._piece(parts[at : at + longest], at == 0) for at in cuts]

    @property
    def halves(self) -> "tuple[WindowParts, WindowParts]":
        """The first and the second half of its parts."""
        half = len(self.parts) // 2
        first, second = self.parts[:half], self.parts[half:]
        return self._piece(first, self.is_first), self._piece(second, False)

    def _piece(self, parts: Sequence[TimeWindow], is_first: bool) -> "WindowParts":
        is_whole = self.is_whole and len(parts) == len(self.parts)
        return replace(self, parts=parts, is_whole=is_whole, is_first=is_first)

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
    """Yield the rows of a window, piece by piece; of a sampled piece, those of its halves.

    Args:
        whole: the window.
        read: yields the rows of a window, or raises `SampledWindowError` before the first one.
        halved: receives each window that is read in halves.
    """
    waiting = whole.pieces
    while waiting:
        window = waiting.pop(0)
        try:
            yield from read(window)
        except SampledWindowError:
            halved(window)
            waiting[:0] = window.halves
