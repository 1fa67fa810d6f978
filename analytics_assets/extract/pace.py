"""How fast an API may be asked: at most so many requests at once, so many a second, and not now."""

import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import ClassVar, Protocol

from dlt.common.configuration import configspec
from dlt.common.configuration.specs import BaseConfiguration

from analytics_assets.extract.giving_up import pause

SLOWED_DOWN = (429, 503)
LONGEST_NAP = 0.05  # seconds until a thread looks again whether it may go on
EPOCH = 1_000_000_000  # a larger reset is a moment, a smaller one is seconds
MILLISECONDS = 100_000_000_000
LEFT = ("RateLimit-Remaining", "X-RateLimit-Remaining", "X-Rate-Limit-Remaining")
RESET = ("RateLimit-Reset", "X-RateLimit-Reset", "X-Rate-Limit-Reset")


@configspec
class PaceSettings(BaseConfiguration):
    """How fast an API may be asked.

    Args:
        max_in_flight: the most requests that wait for their answer at once.
        max_per_second: the most requests that begin in a second; None for no limit.
        adaptive: whether to read ahead only as far as it makes the read faster, and less when the
            API asks for less; otherwise as many requests as are allowed are always on their way.
    """

    max_in_flight: int = 16
    max_per_second: float | None = None
    adaptive: bool = True

    __section__: ClassVar[str] = "reading"


class Answered(Protocol):
    """What an answer says of the pace."""

    @property
    def status_code(self) -> int:
        """The HTTP status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The fields, by any case of their names."""


class Pace:
    """Lets requests to one host begin, one after the other, as fast as it may be asked.

    Safe to use from several threads.

    Args:
        settings: the limits.
        longest_hold: seconds that a wait which the API asks for is cut to.
    """

    def __init__(self, settings: PaceSettings, longest_hold: float) -> None:
        self.max_in_flight = settings.max_in_flight
        self.adaptive = settings.adaptive
        self._gap = 1 / settings.max_per_second if settings.max_per_second else 0.0
        self._longest_hold = longest_hold
        self._lock = threading.Lock()
        self._in_flight = 0
        self._next = 0.0  # of the monotonic clock, as all times here
        self._held_until = 0.0
        self._left: int | None = None
        self._left_until = 0.0
        self.times_slowed_down = 0

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait until a request may be sent, and count it as being on its way until the end.

        Raises:
            GivenUpError: the read was given up meanwhile.
        """
        while wait := self.try_to_start():
            pause(wait)
        try:
            yield
        finally:
            self.end()

    def end(self) -> None:
        """Say that a request which was started is no longer on its way."""
        with self._lock:
            self._in_flight -= 1

    def try_to_start(self) -> float:
        """Start a request, or say after how many seconds to try again."""
        with self._lock:
            now = time.monotonic()
            if self._left is not None and now >= self._left_until:
                self._left = None
            until = max(self._next, self._held_until, self._left_until if self._left == 0 else 0)
            if until > now:
                return min(until - now, 1.0)
            if self._in_flight >= self.max_in_flight:
                return LONGEST_NAP
            self._in_flight += 1
            self._next = max(self._next, now - self._gap) + self._gap if self._gap else 0.0
            if self._left is not None:
                self._left -= 1
            return 0.0

    def heed(self, response: Answered) -> None:
        """Take from an answer how the API wants to be asked from now on.

        `Retry-After` (RFC 9110 section 10.2.3) holds back all requests to the host. So does a
        quota that is used up, until its reset: `X-RateLimit-Remaining` and `-Reset` (seconds, or
        seconds or milliseconds since 1970), or the fields of draft-ietf-httpapi-ratelimit-headers.
        """
        slowed_down = response.status_code in SLOWED_DOWN
        hold = _retry_after(response.headers.get("Retry-After", "")) if slowed_down else 0.0
        left, reset = _quota(response.headers)
        if not slowed_down and left is None:
            return
        with self._lock:
            now = time.monotonic()
            self.times_slowed_down += slowed_down
            self._held_until = max(self._held_until, now + min(hold, self._longest_hold))
            if left is not None and reset is not None:
                known = self._left if self._left is not None else left
                # answers come in another order than the API counted the requests
                self._left = max(0, min(left, known))
                self._left_until = now + min(reset, self._longest_hold)


def _retry_after(value: str) -> float:
    if value.strip().isdecimal():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return 0.0


def _quota(headers: Mapping[str, str]) -> tuple[int | None, float | None]:
    """Return how many requests are left, and for how many seconds."""
    structured = headers.get("RateLimit", "")
    left = re.search(r"\b(?:r|remaining)=(\d+)", structured)
    reset = re.search(r"\b(?:t|reset)=(\d+)", structured)
    if left and reset:
        return int(left[1]), float(reset[1])
    remaining = next((headers[name] for name in LEFT if name in headers), "")
    until = next((headers[name] for name in RESET if name in headers), "")
    try:
        return int(remaining), _seconds(float(until))
    except ValueError:
        return None, None


def _seconds(reset: float) -> float:
    if reset >= MILLISECONDS:
        reset /= 1000
    return max(0.0, reset - time.time() if reset >= EPOCH else reset)
