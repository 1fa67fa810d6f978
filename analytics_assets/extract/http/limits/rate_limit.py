"""How fast an API may be asked: at most so many requests at once, so many a second, and not now."""

import math
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import ClassVar, Protocol

from dlt.common.configuration import configspec
from dlt.common.configuration.specs import BaseConfiguration

from analytics_assets.config.settings import SettingsError
from analytics_assets.extract.http.cancellation import sleep
from analytics_assets.extract.http.errors import NoAnswerError
from analytics_assets.extract.http.limits.headers import quota_of, retry_after

SLOWED_DOWN = (429, 503)
LONGEST_NAP = 0.05  # seconds until a thread looks again whether it may go on
LONGEST_WAIT = 1.0  # seconds until it looks again where it knows how long it takes
SAME_RESET = 2.0  # seconds: a reset that is later than that is the one after


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

    def on_resolved(self) -> None:
        """Refuse limits by which no request could ever be sent.

        Raises:
            SettingsError: a limit is not above zero.
        """
        for name in ("max_in_flight", "max_per_second"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise SettingsError(
                    f"The setting `reading.{name}` is {value:g}; it must be more than 0. To ask "
                    "for one page at a time, set `reading.max_in_flight` to 1."
                )


class Answered(Protocol):
    """What an answer says of the pace."""

    @property
    def status_code(self) -> int:
        """The HTTP status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The fields, by any case of their names."""


class Host:
    """What a host has asked for so far; it holds for all requests to it, whatever their limits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held_until = 0.0  # of the monotonic clock, as all times here
        self._left: int | None = None
        self._left_until = 0.0
        self._asks_until = 0.0
        self.times_slowed_down = 0

    def wait(self) -> float:
        """Take one of the requests that are left, or say for how many seconds there is none."""
        with self._lock:
            now = time.monotonic()
            until = max(self._held_until, self._asks_until)
            if self._left == 0:
                until = max(until, self._left_until)
            if until > now:
                # an answer may say at any time that there are more
                return LONGEST_NAP if until == self._asks_until else until - now
            if self._left is not None and now >= self._left_until:
                # nobody knows how many there are now: one asks, the others wait for its answer
                self._asks_until = now + LONGEST_WAIT if self._left == 0 else 0.0
                self._left = None
            if self._left is not None:
                self._left -= 1
            return 0.0

    def heed(self, answer: Answered, longest_hold: float) -> None:
        """Take from an answer how the host wants to be asked from now on.

        Args:
            answer: the answer.
            longest_hold: seconds that a wait is cut to.
        """
        slowed_down = answer.status_code in SLOWED_DOWN
        hold = retry_after(answer.headers.get("Retry-After", "")) if slowed_down else 0.0
        quota = quota_of(answer.headers)
        with self._lock:
            now = time.monotonic()
            self._asks_until = 0.0
            self.times_slowed_down += slowed_down
            self._held_until = max(self._held_until, now + min(hold, longest_hold))
            if quota:
                until = now + min(quota.reset, longest_hold)
                same = self._left is not None and until <= self._left_until + SAME_RESET
                # answers come in another order than the API counted the requests
                self._left = min(quota.left, self._left or 0) if same else quota.left
                self._left_until = until


class Pace:
    """Lets requests to one host begin, one after the other, as fast as it may be asked.

    Safe to use from several threads.

    Args:
        settings: the limits.
        longest_hold: seconds that a wait which the API asks for is cut to.
        host: what the host has asked for.
    """

    def __init__(
        self, settings: PaceSettings, longest_hold: float, host: Host | None = None
    ) -> None:
        self.max_in_flight = settings.max_in_flight
        self.adaptive = settings.adaptive
        self._gap = 1 / settings.max_per_second if settings.max_per_second else 0.0
        self._longest_hold = longest_hold
        self._host = host or Host()
        self._lock = threading.Lock()
        self._in_flight = 0
        self._next = 0.0  # of the monotonic clock

    @property
    def times_slowed_down(self) -> int:
        """How often the host has asked for less so far."""
        return self._host.times_slowed_down

    @contextmanager
    def turn(self, patience: float = math.inf) -> Iterator[None]:
        """Wait until a request may be sent, and count it as being on its way until the end.

        Args:
            patience: seconds; where the host asks for a longer wait, there is none.

        Raises:
            ReadCancelledError: the read was cancelled meanwhile.
            NoAnswerError: the host asks for a longer wait.
        """
        while wait := self._wait():
            if wait > patience:
                raise NoAnswerError(
                    f"The API has asked to be left alone for another {wait:.0f} seconds "
                    "(`Retry-After`, or its quota of requests is used up)."
                )
            sleep(min(wait, LONGEST_WAIT))
        try:
            yield
        finally:
            self.end()

    def try_to_start(self) -> float:
        """Start a request, or say after how many seconds to try again."""
        return min(self._wait(), LONGEST_WAIT)

    def end(self) -> None:
        """Say that a request which was started is no longer on its way."""
        with self._lock:
            self._in_flight -= 1

    def _wait(self) -> float:
        """Start a request, or say how many seconds are left until one may start."""
        with self._lock:
            now = time.monotonic()
            if self._next > now:
                return self._next - now
            if self._in_flight >= self.max_in_flight:
                return LONGEST_NAP
            wait = self._host.wait()
            if not wait:
                self._in_flight += 1
                self._next = now + self._gap
            return wait

    def heed(self, answer: Answered) -> None:
        """Take from an answer how the API wants to be asked from now on.

        `Retry-After` (RFC 9110 section 10.2.3) holds back all requests to the host. So does a
        quota that is used up, until its reset.

        Args:
            answer: any answer of the host.
        """
        self._host.heed(answer, self._longest_hold)
