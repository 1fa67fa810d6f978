"""Quiet hours: the times of a week in which only critical alerts are sent."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, tzinfo
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOURS = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")
EXAMPLE = "'22:00-07:00', 'mon-fri 20:00-07:00', or '22:00-07:00, sat, sun'"


@dataclass(frozen=True)
class Span:
    """A span of quiet hours.

    Args:
        days: the days on which it starts, by number from Monday.
        start: the time at which it starts.
        end: the time at which it ends; on the next day unless it is later than the start.
    """

    days: frozenset[int]
    start: time
    end: time

    def contains(self, moment: datetime) -> bool:
        """Return True if the span contains a moment, given in the time zone of the span."""
        day, at = moment.weekday(), moment.time()
        if self.start < self.end:
            return day in self.days and self.start <= at < self.end
        yesterday = (day - 1) % len(DAYS)
        return (day in self.days and at >= self.start) or (yesterday in self.days and at < self.end)


@dataclass(frozen=True)
class QuietHours:
    """The times in which alerts wait.

    Args:
        spans: the spans of a week.
        timezone: their time zone.

    Example:
        >>> quiet = QuietHours.parse("22:00-07:00, sun", "Europe/Berlin")
        >>> quiet.contains(datetime(2026, 11, 27, 6, 30, tzinfo=ZoneInfo("Europe/Berlin")))
        True
        >>> quiet.contains(datetime(2026, 11, 27, 7, 0, tzinfo=ZoneInfo("Europe/Berlin")))
        False
    """

    spans: Sequence[Span] = ()
    timezone: tzinfo = UTC

    @classmethod
    def parse(cls, text: str, timezone: str) -> "QuietHours":
        """Return the quiet hours of a setting.

        Args:
            text: spans, separated by commas: days, hours, or both; empty for none.
            timezone: IANA time zone.

        Raises:
            ValueError: a span cannot be read, or there is no such time zone.
        """
        try:
            zone = ZoneInfo(timezone)
        except (KeyError, ValueError, OSError) as error:  # an empty name is a folder
            raise ValueError(f"{timezone!r} is no IANA time zone") from error
        return cls(tuple(_span(part) for part in text.split(",") if part.strip()), zone)

    def contains(self, moment: datetime) -> bool:
        """Return True if alerts wait at a moment."""
        local = moment.astimezone(self.timezone)
        return any(span.contains(local) for span in self.spans)

    def __bool__(self) -> bool:
        """Return True if there are any."""
        return bool(self.spans)


def _span(text: str) -> Span:
    words = text.lower().split()
    hours = [found for word in words if (found := HOURS.fullmatch(word))]
    days = [word for word in words if not HOURS.fullmatch(word)]
    if len(hours) > 1 or len(days) > 1 or not words:
        raise ValueError(f"{text.strip()!r} is no span")
    start = end = time(0)
    if hours:
        parts = [int(part) for part in hours[0].groups()]
        start, end = _time(*parts[:2]), _time(*parts[2:])
    return Span(_days(days[0]) if days else frozenset(range(len(DAYS))), start, end)


def _time(hour: int, minute: int) -> time:
    if (hour, minute) == (24, 0):
        return time(0)
    return time(hour, minute)


def _days(word: str) -> frozenset[int]:
    first, _, last = word.partition("-")
    if first not in DAYS or (last or first) not in DAYS:
        raise ValueError(f"{word!r} is no day such as 'sat', or 'mon-fri'")
    start, end = DAYS.index(first), DAYS.index(last or first)
    return frozenset((start + n) % len(DAYS) for n in range((end - start) % len(DAYS) + 1))
