"""Timestamps as APIs and warehouses write them; one without a time zone is in UTC.

Those that are not in ISO format have a stated one: a unit since 1970, or a format of strptime.
"""

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from dlt.common.time import datetime_obj_to_str, detect_datetime_format

FRACTION = re.compile(r"(?<=\.)\d+")
EPOCHS = {"epoch_seconds": 1, "epoch_milliseconds": 1_000, "epoch_microseconds": 1_000_000}
EXAMPLES = f"{', '.join(map(repr, EPOCHS))}, or a format of strptime such as '%Y%m%d'"
START = datetime(1970, 1, 1, tzinfo=UTC)
CLOCK = "HIMSfpcX"  # the directives of strptime that are finer than a day
DAY = "YyGcxjUWVuwdmbB"
UNSURE = "sZ"  # read in the time zone of the machine
# numbers without anything between them: strptime reads 2026111 as the 1st of November
_ADJACENT = re.compile(r"%[YymdHIMSj]%[ymdHIMSjf]")
_DIRECTIVES = re.compile(r"%(.)")
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)


def parse_timestamp(value: object) -> datetime | None:
    """Return the timestamp of a date, a time or an ISO text; a date is its midnight.

    Args:
        value: any value of a table or of a setting.

    Returns:
        The timestamp in UTC; None for a value that is none.

    Example:
        >>> parse_timestamp("2026-01-31T01:00:00+02:00").isoformat()
        '2026-01-30T23:00:00+00:00'
    """
    try:
        parsed = datetime.fromisoformat(value) if isinstance(value, str) else value
        if isinstance(parsed, datetime):
            return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    if isinstance(parsed, date):
        return datetime(parsed.year, parsed.month, parsed.day, tzinfo=UTC)
    return None


def as_date_or_time(value: Any) -> date | datetime | None:
    """Parse a date or a time, itself or as an ISO text; None for any other value.

    A time without a time zone is in UTC, as in dlt.
    """
    if isinstance(value, str):
        value = _parsed(value)
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value
    return value if isinstance(value, date) else None


def _parsed(text: str) -> date | datetime | None:
    for parse in (date.fromisoformat, datetime.fromisoformat):
        try:
            return parse(text)
        except ValueError:
            continue
    return None


def later(timestamp: datetime, span: timedelta) -> datetime:
    """Return a timestamp after a span of time, at most the end of the calendar.

    APIs write 0001-01-01 and 9999-12-31 for "ever", from where no calculation leads further.

    Args:
        timestamp: the timestamp, with a time zone.
        span: the span, not negative.

    Example:
        >>> later(datetime(9999, 12, 31, tzinfo=UTC), timedelta(days=3)).year
        9999
    """
    try:
        return timestamp + span
    except OverflowError:
        return datetime.max.replace(tzinfo=timestamp.tzinfo)


def earlier(timestamp: datetime, span: timedelta) -> datetime:
    """Return a timestamp before a span of time, at least the start of the calendar; see `later`."""
    try:
        return timestamp - span
    except OverflowError:
        return datetime.min.replace(tzinfo=timestamp.tzinfo)


def in_zone(timestamp: datetime, zone: tzinfo) -> datetime:
    """Return a timestamp in a time zone, where it may be at most at the ends of the calendar."""
    try:
        return timestamp.astimezone(zone)
    except OverflowError:
        end = datetime.min if timestamp.year == datetime.min.year else datetime.max
        return end.replace(tzinfo=zone)


def has_utc_offset(text: str) -> bool:
    """Return True if an ISO timestamp names its time zone."""
    return datetime.fromisoformat(text).tzinfo is not None


def is_date_only(text: str) -> bool:
    """Return True if an ISO timestamp has a date and no time."""
    return not (":" in text or "T" in text)


def format_like(timestamp: datetime, example: str) -> str:
    """Return a timestamp in the format of another one.

    Args:
        timestamp: the timestamp, with a time zone.
        example: a date or a time in ISO format, whose time zone the result has, too.

    Returns:
        The text, cut rather than rounded to the precision of the example.

    Raises:
        ValueError: dlt does not know the format.

    Example:
        >>> format_like(datetime(2026, 1, 31, 23, 30, tzinfo=UTC), "2025-01-01")
        '2026-01-31'
    """
    form = detect_datetime_format(example)
    if form is None:
        raise ValueError(example)
    zone = datetime.fromisoformat(example).tzinfo or UTC
    text = datetime_obj_to_str(in_zone(timestamp, zone), form)
    digits = FRACTION.search(example)
    return FRACTION.sub(lambda found: found[0][: len(digits[0])], text) if digits else text


def is_format_supported(text: str) -> bool:
    """Return True if a text is a timestamp whose format `format_like` can write."""
    timestamp = parse_timestamp(text)
    try:
        return timestamp is not None and format_like(timestamp, text) == text
    except ValueError:
        return False


class TimeFormatError(ValueError):
    """A value is not in a format; the text is the reason, without the value."""


def is_time_format(text: object) -> bool:
    """Return True for a unit since 1970, and for a format of strptime that reads what it writes."""
    if not isinstance(text, str) or text in EPOCHS:
        return text in EPOCHS
    directives = set(_DIRECTIVES.findall(text.replace("%%", "")))
    if not directives & {*CLOCK, *DAY} or directives & {*UNSURE}:
        return False
    moment = START.replace(year=2026)
    try:
        return bool(datetime.strptime(moment.strftime(text), text))
    except (ValueError, re.error):
        return False


def kind_of(form: str) -> Literal["timestamp", "date", "time"]:
    """Return dlt's type of a column for times in a format, unless another is given."""
    directives = set(_DIRECTIVES.findall(form.replace("%%", "")))
    if form in EPOCHS or (directives & {*CLOCK} and directives & {*DAY}):
        return "timestamp"
    return "time" if directives & {*CLOCK} else "date"


def read_time(value: object, form: str) -> datetime:
    """Return the time that a value of JSON is in a format.

    Args:
        value: a number or a text of one for a unit since 1970, else a text; for digits such as
            20260131 also an integer. A time without a time zone is in UTC.
        form: the format.

    Returns:
        The time in UTC, cut to the microsecond.

    Raises:
        TimeFormatError: the value is in another format, or not of the years 1 to 9999.

    Example:
        >>> read_time(1_769_900_400, "epoch_seconds").isoformat()
        '2026-01-31T23:00:00+00:00'
        >>> read_time("31/01/2026", "%d/%m/%Y").date().isoformat()
        '2026-01-31'
    """
    if form in EPOCHS:
        return _since_1970(value, EPOCHS[form], form)
    text = str(value) if type(value) is int else value
    try:
        found = datetime.strptime(text, form)  # type: ignore[arg-type]  # which raises TypeError
        if _ADJACENT.search(form) and not _is_written_alike(found, str(text), form):
            raise ValueError(text)
    except (TypeError, ValueError):
        raise TimeFormatError(f"not in the format `{form}`") from None
    try:
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except OverflowError:
        raise _out_of_range(form) from None


def write_time(moment: datetime, form: str) -> str:
    """Return a time in a format, cut to its precision.

    Args:
        moment: the time, with the time zone in which a format of strptime writes it.
        form: the format.

    Example:
        >>> write_time(datetime(2026, 1, 31, 23, tzinfo=UTC), "epoch_milliseconds")
        '1769900400000'
    """
    if form in EPOCHS:
        return str((moment - START) // timedelta(microseconds=1_000_000 // EPOCHS[form]))
    return moment.strftime(form)


def _since_1970(value: object, units: int, form: str) -> datetime:
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        try:
            value = Decimal(value)
        except InvalidOperation:  # an exponent of twenty digits
            raise _out_of_range(form) from None
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise TimeFormatError(f"not in the format `{form}`")
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not number.is_finite() or number.adjusted() > len(str(10**18)):
        raise _out_of_range(form)
    try:
        return START + timedelta(microseconds=int(number * (1_000_000 // units) // 1))
    except (OverflowError, InvalidOperation):
        raise _out_of_range(form) from None


def _out_of_range(form: str) -> TimeFormatError:
    return TimeFormatError(f"in the format `{form}` not a time of the years 1 to 9999")


def _is_written_alike(found: datetime, text: str, form: str) -> bool:
    """Return True if a time is written as it was read, up to its fraction and its offset."""
    start = re.split("%[fz]", form)[0]
    return text.lower().startswith(found.strftime(start).lower())
