"""The query parameters that limit a request to a span of time."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from analytics_assets.config.timestamps import EPOCHS, write_time
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
