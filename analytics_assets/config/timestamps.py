"""Timestamps as APIs and warehouses write them; one without a time zone is in UTC."""

import re
from datetime import UTC, date, datetime, timedelta, tzinfo

from dlt.common.time import datetime_obj_to_str, detect_datetime_format

FRACTION = re.compile(r"(?<=\.)\d+")


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


def parse_json_timestamp(value: object) -> datetime | None:
    """Return the timestamp of a value in JSON: an ISO text, or seconds since 1970."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return datetime.fromtimestamp(value, UTC)
        except (ValueError, OverflowError, OSError):
            return None
    return parse_timestamp(value)


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
