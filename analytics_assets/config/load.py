"""How a resource is loaded: all of it, what is new since the last load, or window by window.

Whichever it is, rows are merged into the table by their key, and each read is proven complete.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from analytics_assets.config.configuration_error import ConfigurationError
from analytics_assets.config.timestamps import is_writable

By = Literal["day", "week", "month"]
SHORTEST_STEP = timedelta(microseconds=1)
CLOCK_STEPS = (SHORTEST_STEP, timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1))


@dataclass(frozen=True, kw_only=True)
class Full:
    """Everything is read, each time."""


@dataclass(frozen=True, kw_only=True)
class Incremental:
    """What has changed since the last load is read, by dlt's own incremental cursor.

    The newest value of the cursor is kept in the destination, beside the table.
    https://dlthub.com/docs/general-usage/incremental/cursor

    Args:
        param: the query parameter that asks the API for rows from a moment on.
        field: where a row holds the moment of its last change, by the API's name.
        initial_value: the moment from which the first load reads, in ISO format. Later ones are
            sent to the API in the same form: a date, or a time with or without a time zone.
        lookback: how far behind the newest known moment each load begins, for what the API
            restates late; dlt's `lag`.

    Raises:
        ConfigurationError: a value cannot be.

    Example:
        >>> Incremental(param="updated_since", initial_value="2025-01-01T00:00:00Z").lookback.days
        3
    """

    param: str = "updated_since"
    field: str = "updated_at"
    initial_value: str
    lookback: timedelta = timedelta(days=3)

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        _check_names(self, "param", "field")
        if not isinstance(self.initial_value, str) or not is_writable(self.initial_value):
            raise _refusal(
                self, "initial_value", "give a date or time such as '2025-01-01T00:00:00Z'"
            )
        if not isinstance(self.lookback, timedelta) or self.lookback < timedelta(0):
            raise _refusal(
                self, "lookback", "give a timedelta that is not negative, such as timedelta(days=3)"
            )


@dataclass(frozen=True, kw_only=True)
class Window:
    """How the API is asked for the rows of a span of time.

    Args:
        start_param: the query parameter that names the first moment wanted.
        end_param: the query parameter that names the end.
        format: how both are written, as `strftime` takes it.
        end_is_inclusive: whether the API gives the rows of the end, too. Where `format` writes
            days or longer, the end is then the last one wanted; otherwise it is the first moment
            behind, as what is left of the last hour, minute or second would be asked for by no
            window. Rows of that moment come in two windows, and are merged.
        timezone: IANA time zone in which both are written.

    Raises:
        ConfigurationError: a value cannot be.

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
        """Refuse what cannot be."""
        _check_names(self, "start_param", "end_param", "format")
        _check_booleans(self, "end_is_inclusive")
        _time_zone(self, self.timezone)
        if self.start_param == self.end_param:
            raise _refusal(self, "end_param", "start and end need a parameter each")
        # strftime would read that in the time zone of the machine
        if "%s" in self.format.replace("%%", ""):
            raise _refusal(self, "format", "`%s` is not portable; name the parts of the time")

    @property
    def precision(self) -> timedelta | None:
        """The shortest time that `format` tells apart; None if it writes days or longer."""
        midnight = datetime(2026, 1, 1)
        written = midnight.strftime(self.format)
        return next(
            (step for step in CLOCK_STEPS if (midnight + step).strftime(self.format) != written),
            None,
        )

    def params(self, start: datetime, end: datetime) -> dict[str, str]:
        """Return the query parameters that ask for the rows of a span of time.

        Args:
            start: its first moment.
            end: the first moment behind it.
        """
        names_the_last = self.end_is_inclusive and self.precision is None
        last = end - SHORTEST_STEP if names_the_last else end
        zone = ZoneInfo(self.timezone)
        return {
            self.start_param: start.astimezone(zone).strftime(self.format),
            self.end_param: last.astimezone(zone).strftime(self.format),
        }


@dataclass(frozen=True, kw_only=True)
class Partitioned:
    """The rows of a day, a week or a month are a partition, read and loaded for themselves.

    Weeks begin on Monday.

    Args:
        by: how long a partition is: `day`, `week` or `month`.
        start: the first day of the first partition.
        lookback: how many partitions before the newest one the schedule takes again, for what the
            API restates.
        window: how the API is asked for the rows of some partitions.
        include_unfinished: whether the day, week or month that is not over yet is a partition. It
            takes a `lookback`, which brings in what came after its first loads.
        longest_window: the most partitions that one read asks the API for. A backfill is cut into
            reads of this length; what one of them has loaded stays when a later one fails.
        partitions_per_run: the most partitions of a backfill that one run takes; None for a single
            run, in which one sign-in serves all.
        timezone: IANA time zone in which partitions begin.
        max_drop: the share, from 0 to 1, by which a partition may have fewer rows than the same
            weekday a week before, or the week or month before, until the check `partition_rows`
            warns.

    Raises:
        ConfigurationError: a value cannot be.

    Example:
        >>> Partitioned(by="month", start=date(2026, 1, 1), lookback=1).longest_window
        31
    """

    by: By = "day"
    start: date
    lookback: int = 3
    window: Window = field(default_factory=Window)
    include_unfinished: bool = False
    longest_window: int = 31
    partitions_per_run: int | None = None
    timezone: str = "UTC"
    max_drop: float = 0.5

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if self.by not in get_args(By):
            raise _refusal(self, "by", "give 'day', 'week' or 'month'")
        if not isinstance(self.window, Window):
            raise _refusal(self, "window", "give a Window(...)")
        _check_booleans(self, "include_unfinished")
        _check_number(self, "lookback", at_least=0)
        _check_number(self, "longest_window", at_least=1)
        if self.partitions_per_run is not None:
            _check_number(self, "partitions_per_run", at_least=1)
        if type(self.max_drop) not in (int, float) or not 0 <= self.max_drop <= 1:
            raise _refusal(self, "max_drop", "give a share from 0 to 1")
        if self.include_unfinished and not self.lookback:
            raise _refusal(
                self,
                "lookback",
                f"what a {self.by} lacks when it is loaded before its end, only "
                "a lookback of at least 1 brings in",
            )
        self._check_start(_time_zone(self, self.timezone))

    def _check_start(self, zone: tzinfo) -> None:
        if not isinstance(self.start, date) or isinstance(self.start, datetime):
            raise _refusal(self, "start", "give a date such as date(2026, 1, 1)")
        first = _first_day(self.by, self.start)
        if self.start != first:
            raise _refusal(
                self, "start", f"a {self.by} begins on another day; give {first!r} or a later one"
            )
        self._check_window(datetime(first.year, first.month, first.day, tzinfo=zone))

    def _check_window(self, start: datetime) -> None:
        """Refuse a way to write windows by which the API could not tell partitions apart."""
        window = self.window
        days = {"day": 1, "week": 7, "month": 31}[self.by]
        starts = [start + timedelta(days=step) for step in (0, days, 28 + days, 365)]
        written = {window.params(begin, begin)[window.start_param] for begin in starts}
        if len(written) < len(starts):
            raise _refusal(
                window, "format", f"it writes the start of more than one {self.by} alike"
            )
        if window.timezone == self.timezone:
            return
        tells_hours_apart = "%z" in window.format.replace("%%", "") or _is_fixed(window.timezone)
        if window.precision is None or not tells_hours_apart:
            raise _refusal(
                window,
                "timezone",
                f"days of another time zone are not the partitions, which begin in "
                f"{self.timezone!r}, and its clocks may show an hour twice; give the same, or a "
                "`format` that writes hours and, if it is not 'UTC', the offset by `%z`",
            )


Load = Full | Incremental | Partitioned


def _first_day(by: By, day: date) -> date:
    """Return the first day of the day, week or month in which a day is."""
    if by == "month":
        return day.replace(day=1)
    return day - timedelta(days=day.weekday()) if by == "week" else day


def _time_zone(owner: Any, name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, TypeError) as error:
        raise _refusal(
            owner, "timezone", "give an IANA time zone such as 'UTC' or 'Europe/Berlin'"
        ) from error


def _is_fixed(zone: str) -> bool:
    """Tell whether the clocks of a time zone never change, as those of UTC."""
    return ZoneInfo(zone).utcoffset(None) is not None


def _check_names(owner: Any, *names: str) -> None:
    for name in names:
        value = getattr(owner, name)
        if not isinstance(value, str) or not value.strip():
            raise _refusal(owner, name, "give a text that is not empty")


def _check_booleans(owner: Any, *names: str) -> None:
    for name in names:
        if not isinstance(getattr(owner, name), bool):
            raise _refusal(owner, name, "give True or False")


def _check_number(owner: Any, name: str, at_least: int) -> None:
    value = getattr(owner, name)
    if type(value) is not int or value < at_least:
        raise _refusal(owner, name, f"give a whole number of at least {at_least}")


def _refusal(owner: Any, name: str, mend: str) -> ConfigurationError:
    return ConfigurationError(
        f"`{type(owner).__name__}`: `{name}` cannot be {getattr(owner, name)!r}: {mend}."
    )
