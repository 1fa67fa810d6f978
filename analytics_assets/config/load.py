"""The rows that a load reads: all of them, the changed ones, or those of some partitions.

In each case, rows are merged into the table by their key, and each read is proven complete.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, Literal, get_args

from analytics_assets.config.entry.place import Place, filled
from analytics_assets.config.times.timestamps import (
    EPOCHS,
    EXAMPLES,
    TimeFormatError,
    format_like,
    is_format_supported,
    is_time_format,
    parse_timestamp,
    read_time,
    write_time,
)
from analytics_assets.config.times.window import START, Window
from analytics_assets.config.validation.field import (
    check_booleans,
    check_integer,
    check_params,
    check_places,
    check_texts,
    check_timezone,
    refusal,
)

LONGEST_IN_DAYS = {"day": 1, "week": 7, "month": 31}
By = Literal["day", "week", "month"]
UNSET: Any = None
# a run costs as much as 200 partitions, of CPU and of history; an API may refuse a long span of
# time, or leave out a part of it
LONGEST_WINDOW, LONGEST_REQUEST = 186, 31
YEARS = range(1000, 9990)  # of four digits, and not at the end of the calendar


@dataclass(frozen=True, kw_only=True)
class Full:
    """Read all rows, each time."""


@dataclass(frozen=True, kw_only=True)
class Incremental:
    """Read the rows that changed since the last load, by dlt's own incremental cursor.

    The newest value of the cursor is kept in the destination, beside the table.
    https://dlthub.com/docs/general-usage/incremental/cursor

    Args:
        param: the parameter that limits a request to rows changed since a timestamp: the name of a
            query parameter, or another place in the request, such as `json.filter.after`,
            `data.since` or `headers.X-Since`.
        params: in place of it, parameters by their places. In their texts, `{start}` becomes the
            timestamp, and all else stays as it is.
        field: the field of a row with the timestamp of its last change, by the API's name.
        initial_value: the timestamp from which the first load reads, in ISO format or in `format`.
        format: the format in which timestamps are sent to the API: a unit since 1970 or a format of
            strptime. None is that of `field` in `time_formats` of the policy, and without one that
            of `initial_value`: a date, or a time with or without a time zone. Units since 1970 are
            numbers in a JSON body.
        as_text: True to write these as texts there, too.
        lookback: the time by which each load starts before the newest known timestamp, for rows
            that the API restates late; dlt's `lag`.

    Raises:
        ConfigurationError: a value cannot be used.

    Example:
        >>> load = Incremental(param="updated_since", initial_value="2025-01-01T00:00:00Z")
        >>> load.values(load.start, None)
        {'updated_since': '2025-01-01T00:00:00Z'}
        >>> load = Incremental(params={"$filter": "at ge {start}"}, initial_value="2025-01-01")
        >>> load.values(load.start, None)
        {'$filter': 'at ge 2025-01-01'}
    """

    param: str = "updated_since"
    params: Mapping[str, Any] | None = dataclass_field(default=None, hash=False)
    field: str = "updated_at"
    initial_value: str | int
    format: str | None = None
    as_text: bool = False
    lookback: timedelta = timedelta(days=3)

    def __post_init__(self) -> None:
        """Refuse values that cannot be used."""
        check_texts(self, "param", "field")
        check_booleans(self, "as_text")
        check_places(self, "param")
        if self.params is not None:
            check_params(self, (START,), "param")
        if self.format is not None and not is_time_format(self.format):
            raise refusal(self, "format", f"give {EXAMPLES}")
        if not self._is_in_format and not self._is_iso:
            also = f", or one in the format {self.format!r}" if self.format else ""
            raise refusal(
                self, "initial_value", f"give a date or time such as '2025-01-01T00:00:00Z'{also}"
            )
        if not isinstance(self.lookback, timedelta) or self.lookback < timedelta(0):
            raise refusal(
                self, "lookback", "give a timedelta that is not negative, such as timedelta(days=3)"
            )

    def written(self, timestamp: datetime, field_format: str | None) -> str | int:
        """Return a timestamp as it is sent to the API: a text, or a number where it is one in JSON.

        Args:
            timestamp: the timestamp, in UTC.
            field_format: the format of `field`; None for ISO format.
        """
        form = self.format or field_format
        if form is None:
            return format_like(timestamp, str(self.initial_value))
        text = write_time(timestamp, form)
        has_types = any(Place.of(name).has_types for name in self.templates)
        return int(text) if form in EPOCHS and has_types and not self.as_text else text

    def values(self, timestamp: datetime, field_format: str | None) -> dict[str, Any]:
        """Return the parameters for changes since a timestamp, by their places; see `written`."""
        value = self.written(timestamp, field_format)
        return filled(self.templates, {START: str(value)}, isinstance(value, int))

    @property
    def templates(self) -> Mapping[str, Any]:
        """The parameters by their places, with `{start}` for the timestamp."""
        return {self.param: START} if self.params is None else self.params

    def read(self, value: str | int, field_format: str | None) -> datetime:
        """Return the timestamp of a value that `written` returned; see there."""
        form = self.format or field_format
        timestamp = read_time(value, form) if form else parse_timestamp(value)
        assert timestamp is not None, "it is in this format"
        return timestamp

    @property
    def start(self) -> datetime:
        """The timestamp of `initial_value`, in UTC."""
        if self.format and self._is_in_format:
            return read_time(self.initial_value, self.format)
        start = parse_timestamp(self.initial_value)
        assert start is not None, "checked above"
        return start

    @property
    def _is_in_format(self) -> bool:
        try:
            return bool(self.format and read_time(self.initial_value, self.format))
        except TimeFormatError:
            return False

    @property
    def _is_iso(self) -> bool:
        return isinstance(self.initial_value, str) and is_format_supported(self.initial_value)


@dataclass(frozen=True, kw_only=True)
class Partitioned:
    """Read the rows of some days, weeks or months, each of them a partition.

    Weeks begin on Monday.

    Args:
        by: the length of a partition: `day`, `week` or `month`.
        start: the first day of the first partition.
        lookback: the number of partitions before the newest one that the schedule loads again, for
            rows that the API restates.
        window: the parameters that limit a request to some partitions.
        include_unfinished: True if the current day, week or month is a partition. It requires a
            `lookback`, which loads the rows that arrive after its first loads.
        longest_window: the most partitions that one run loads; None for 186, in requests of 31.
            Dagster cuts a backfill into runs of this length; what one of them has loaded stays
            when another fails.
        longest_request: the most partitions that one request asks the API for; None for all of a
            run. With 1, a run of 31 days has 31 reads, for numbers that have no day of their own.
        timezone: IANA time zone in which partitions begin.
        max_drop: the share, from 0 to 1, by which a partition may have fewer rows than the same
            weekday a week before, or the week or month before, until the check `partition_rows`
            warns.

    Raises:
        ConfigurationError: a value cannot be used.

    Example:
        >>> Partitioned(by="month", start=date(2026, 1, 1), lookback=1).longest_window
        186
    """

    by: By = "day"
    start: date
    lookback: int = 3
    window: Window = dataclass_field(default_factory=Window)
    include_unfinished: bool = False
    longest_window: int = UNSET
    longest_request: int | None = None
    timezone: str = "UTC"
    max_drop: float = 0.5

    @property
    def requests_overlap(self) -> bool:
        """True if a run has several requests, and the end of one is the start of the next."""
        at_moments = self.window.precision is not None and self.window.resolution is None
        return self.longest_request is not None and self.window.end_is_inclusive and at_moments

    @property
    def longest_partition(self) -> timedelta:
        """The length of the longest partition."""
        return timedelta(days=LONGEST_IN_DAYS[self.by])

    def __post_init__(self) -> None:
        """Refuse values that cannot be used."""
        if self.by not in get_args(By):
            raise refusal(self, "by", "give 'day', 'week' or 'month'")
        if not isinstance(self.window, Window):
            raise refusal(self, "window", "give a Window(...)")
        check_booleans(self, "include_unfinished")
        check_integer(self, "lookback", at_least=0)
        if self.longest_window is UNSET:
            object.__setattr__(self, "longest_window", LONGEST_WINDOW)
            if self.longest_request is None:
                object.__setattr__(self, "longest_request", LONGEST_REQUEST)
        check_integer(self, "longest_window", at_least=1)
        if self.longest_request is not None:
            check_integer(self, "longest_request", at_least=1)
        if type(self.max_drop) not in (int, float) or not 0 <= self.max_drop <= 1:
            raise refusal(self, "max_drop", "give a share from 0 to 1")
        if self.include_unfinished and not self.lookback:
            raise refusal(
                self,
                "lookback",
                f"rows that come after the last load of an unfinished {self.by} need a lookback "
                "of at least 1",
            )
        self._check_start(check_timezone(self, "timezone"))

    def _check_start(self, zone: tzinfo) -> None:
        if not isinstance(self.start, date) or isinstance(self.start, datetime):
            raise refusal(self, "start", "give a date such as date(2026, 1, 1)")
        if self.start.year not in YEARS:
            raise refusal(self, "start", f"give a date of the years {YEARS[0]} to {YEARS[-1]}")
        first = _first_day(self.by, self.start)
        if self.start != first:
            raise refusal(
                self, "start", f"a {self.by} begins on another day; give {first!r} or a later one"
            )
        self._check_window(datetime(first.year, first.month, first.day, tzinfo=zone))

    def _check_window(self, start: datetime) -> None:
        """Refuse a window that would send the same parameters for two partitions."""
        window = self.window
        if not window.has_end and self.longest_window > 1:
            raise refusal(
                window,
                "params",
                f"it sends the start alone, so that a request is for one {self.by}: set "
                "`longest_window=1` of `Partitioned`, or send `{end}`, too",
            )
        days = {"day": 1, "week": 7, "month": 31}[self.by]
        starts = [start + timedelta(days=step) for step in (0, days, 28 + days, 365)]
        if len({window.write(begin) for begin in starts}) < len(starts):
            raise refusal(window, "format", f"it writes the start of more than one {self.by} alike")
        if window.timezone != self.timezone and not window.is_unambiguous:
            raise refusal(
                window,
                "timezone",
                f"days of another time zone are not the partitions, which begin in "
                f"{self.timezone!r}, and its clocks may show an hour twice; give the same, or a "
                "`format` that writes hours and, if it is not 'UTC', the offset by `%z`",
            )


Load = Full | Incremental | Partitioned


def _first_day(by: By, day: date) -> date:
    """Return the first day of the day, week or month that `day` is in."""
    if by == "month":
        return day.replace(day=1)
    return day - timedelta(days=day.weekday()) if by == "week" else day
