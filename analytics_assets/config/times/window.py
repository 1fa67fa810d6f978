"""Spans of time, and the parameters that limit a request to one."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from analytics_assets.config.entry.place import Place, filled
from analytics_assets.config.times.timestamps import EPOCHS, as_date_or_time, later, write_time
from analytics_assets.config.validation.field import (
    check_booleans,
    check_params,
    check_places,
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


START, END = "{start}", "{end}"


@dataclass(frozen=True, kw_only=True)
class Window:
    """The parameters that limit a request to a span of time.

    Each is named by its place, see `Place`: `start` is a query parameter,
    `json.dateRanges[0].startDate` a path in the JSON body, `data.from` a field of a form, and
    `headers.X-From` a header.

    Args:
        start_param: the place of the start.
        end_param: the place of the end.
        params: in place of both, the parameters by their places. In their texts, `{start}` and
            `{end}` become the start and the end; all else stays as it is. In a JSON body, the texts
            may stand within lists and objects. `{end}` may be left out where a request asks for one
            partition only (`longest_window=1`).
        format: the format of both, as `strftime` takes it, or `epoch_seconds`,
            `epoch_milliseconds` or `epoch_microseconds`: units since 1970, which are numbers in a
            JSON body.
        as_text: True to write these as texts there, too.
        end_is_inclusive: True if the API returns the rows of the end, too. Where `format` writes
            days or longer, the end sent is then the last day of the span; otherwise it is the
            first timestamp after the span, as rows in the rest of the last hour, minute or second
            would be in no window. Rows of that timestamp come in two windows, and are merged.
        resolution: the shortest time by which the API's own timestamps differ, such as
            `timedelta(milliseconds=1)`: an inclusive end is then that much before the first
            timestamp after the span, so that numbers of the span count nothing of the next one.
        timezone: IANA time zone in which both are written.

    Raises:
        ConfigurationError: a value cannot be used.

    Example:
        >>> from datetime import UTC
        >>> january = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
        >>> Window().values(*january)
        {'start_date': '2026-01-01', 'end_date': '2026-01-31'}
        >>> Window(params={"date": "{start},{end}", "period": "range"}).values(*january)
        {'date': '2026-01-01,2026-01-31', 'period': 'range'}
        >>> span = {"json.span": ["{start}", "{end}"]}
        >>> Window(params=span, format="epoch_seconds").values(*january)
        {'json.span': [1767225600, 1769904000]}
    """

    start_param: str = "start_date"
    end_param: str = "end_date"
    params: Mapping[str, Any] | None = field(default=None, hash=False)
    format: str = "%Y-%m-%d"
    as_text: bool = False
    end_is_inclusive: bool = True
    resolution: timedelta | None = None
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        """Refuse values that cannot be used."""
        check_texts(self, "start_param", "end_param", "format")
        check_booleans(self, "end_is_inclusive", "as_text")
        check_timezone(self, "timezone")
        if self.params is None:
            self._check_two()
        else:
            check_params(self, (START,), "start_param", "end_param")
        # strftime would write that in the time zone of the machine
        if "%s" in self.format.replace("%%", ""):
            raise refusal(self, "format", "`%s` is not portable; name the parts of the time")
        if self.resolution is not None:
            self._check_resolution(self.resolution)

    def _check_two(self) -> None:
        check_places(self, "start_param", "end_param")
        if Place.of(self.start_param).is_at(Place.of(self.end_param)):
            raise refusal(self, "end_param", "start and end need a parameter each")

    def _check_resolution(self, resolution: Any) -> None:
        if not isinstance(resolution, timedelta) or resolution <= timedelta():
            raise refusal(self, "resolution", "give a span such as timedelta(milliseconds=1)")
        if not self.end_is_inclusive:
            raise refusal(self, "resolution", "it is of an inclusive end, and yours is exclusive")
        if self.precision is None or self.precision > resolution:
            raise refusal(
                self,
                "resolution",
                f"the `format` {self.format!r} cannot write an end that is that much earlier; give "
                "one that can, such as 'epoch_milliseconds'",
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The places of all parameters."""
        return tuple(self._templates)

    @property
    def places(self) -> tuple[str, ...]:
        """The places of the parameters that depend on the span."""
        params = {name: str(template) for name, template in self._templates.items()}
        return tuple(name for name, text in params.items() if START in text or END in text)

    @property
    def has_end(self) -> bool:
        """True if the end is sent, too."""
        return END in str(list(self._templates.values()))

    @property
    def _templates(self) -> Mapping[str, Any]:
        both = {self.start_param: START, self.end_param: END}
        return both if self.params is None else self.params

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

    def write(self, moment: datetime) -> str:
        """Return a moment as the API takes it."""
        return write_time(moment.astimezone(ZoneInfo(self.timezone)), self.format)

    def values(self, start: datetime, end: datetime) -> dict[str, Any]:
        """Return the values of the parameters for a span of time, by their places.

        Args:
            start: its start.
            end: the first timestamp after it.
        """
        sends_last_day = self.end_is_inclusive and self.precision is None
        last = end - SHORTEST_STEP if sends_last_day else end - (self.resolution or timedelta())
        is_number = self.format in EPOCHS and not self.as_text
        return filled(self._templates, {START: self.write(start), END: self.write(last)}, is_number)


@dataclass(frozen=True)
class TimeWindow:
    """The span of time that a request selects.

    Args:
        start: its first moment, in the time zone in which days begin; midnight there.
        end: the first moment after it, likewise.
        query: its parameters, and their format.
    """

    start: datetime
    end: datetime
    query: Window

    @property
    def params(self) -> dict[str, Any]:
        """The parameters of the span, by their places."""
        return self.query.values(self.start, self.end)

    @property
    def reach(self) -> "TimeWindow":
        """The span of the rows that the API may return: up to its end, or including it."""
        query = self.query
        inclusive = query.precision if query.end_is_inclusive and not query.resolution else None
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
