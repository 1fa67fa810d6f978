"""Spans of time, and the query parameters that limit a request to one."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from analytics_assets.config.times.timestamps import EPOCHS, as_date_or_time, later, write_time
from analytics_assets.config.validation.field import (
    check_booleans,
    check_texts,
    check_timezone,
    refusal,
)

SHORTEST_STEP = timedelta(microseconds=1)
CLOCK_STEPS = (
    SHORTEST_STEP,
    timedelta(milliseconds=1),
    timedelta(seconds=1),
    timedelta(minutes=1),
    timedelta(hours=1),
)


@dataclass(frozen=True, kw_only=True)
class Window:
    """The query parameters that limit a request to a span of time.

    Args:
        start_param: the query parameter for the start.
        end_param: the query parameter for the end.
        format: the format of both, as `strftime` takes it, or `epoch_seconds`,
            `epoch_milliseconds` or `epoch_microseconds`: units since 1970.
        end_is_inclusive: True if the API returns the rows of the end, too. Where `format` writes
            days or longer, the end sent is then the last day of the span; otherwise it is the
            first timestamp after the span, as rows in the rest of the last hour, minute or second
            would be in no window. Rows of that timestamp come in two windows, and are merged.
        timezone: IANA time zone in which both are written.

    Raises:
        ConfigurationError: a value cannot be used.

    Example:
        >>> from datetime import UTC
        >>> Window().params(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
        {'start_date': '2026-01-01', 'end_date': '2026-01-31'}
    """

    start_param: str = "start_date"
    end_param: str = "end_date"
    format: str = "%Y-%m-%d"
    end_is_inclusive: bool = True
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        """Refuse values that cannot be used."""
        check_texts(self, "start_param", "end_param", "format")
        check_booleans(self, "end_is_inclusive")
        check_timezone(self, "timezone")
        if self.start_param == self.end_param:
            raise refusal(self, "end_param", "start and end need a parameter each")
        # strftime would write that in the time zone of the machine
        if "%s" in self.format.replace("%%", ""):
            raise refusal(self, "format", "`%s` is not portable; name the parts of the time")

    @property
    def precision(self) -> timedelta | None:
        """The shortest time that changes what `format` writes; None if it writes days or longer."""
        midnight = datetime(2026, 1, 1, tzinfo=UTC)
        written = write_time(midnight, self.format)
        return next(
            (step for step in CLOCK_STEPS if write_time(midnight + step, self.format) != written),
            None,
        )

    @property
    def is_unambiguous(self) -> bool:
        """True if `format` writes hours, and each hour of the time zone in its own way."""
        has_offset = self.format in EPOCHS or "%z" in self.format.replace("%%", "")
        # a time zone whose clocks never change has an offset that depends on no date
        is_fixed = ZoneInfo(self.timezone).utcoffset(None) is not None
        return self.precision is not None and (has_offset or is_fixed)

    def params(self, start: datetime, end: datetime) -> dict[str, str]:
        """Return the query parameters for a span of time.

        Args:
            start: its start.
            end: the first timestamp after it.
        """
        sends_last_day = self.end_is_inclusive and self.precision is None
        last = end - SHORTEST_STEP if sends_last_day else end
        zone = ZoneInfo(self.timezone)
        return {
            self.start_param: write_time(start.astimezone(zone), self.format),
            self.end_param: write_time(last.astimezone(zone), self.format),
        }


@dataclass(frozen=True)
class TimeWindow:
    """The span of time that a request selects.

    Args:
        start: its first moment, in the time zone in which days begin; midnight there.
        end: the first moment after it, likewise.
        query: its query parameters, and their format.
    """

    start: datetime
    end: datetime
    query: Window

    @property
    def params(self) -> dict[str, str]:
        """The query parameters of the span."""
        return self.query.params(self.start, self.end)

    @property
    def reach(self) -> "TimeWindow":
        """The span of the rows that the API may return: up to its end, or including it."""
        inclusive = self.query.precision if self.query.end_is_inclusive else None
        end = later(self.end.astimezone(UTC), inclusive or timedelta())
        return replace(self, end=end.astimezone(self.end.tzinfo))

    @property
    def days(self) -> tuple[date, date]:
        """The first day whose midnight is inside, and the first one after the end."""
        return self.start.date(), (self.end - SHORTEST_STEP).date() + timedelta(days=1)

    def contains(self, value: Any) -> bool:
        """Test if a date, a time, or an ISO text of either, is inside.

        Example:
            >>> january = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
            >>> window = TimeWindow(*january, Window())
            >>> window.contains("2026-01-31"), window.contains("2026-02-01T00:00:00Z")
            (True, False)
        """
        when = as_date_or_time(value)
        if isinstance(when, datetime):
            return self.start <= when < self.end
        first, end = self.days
        return when is not None and first <= when < end
