"""Moments, as APIs and warehouses write them; one without a time zone is in UTC."""

import re
from datetime import UTC, date, datetime

from dlt.common.time import datetime_obj_to_str, detect_datetime_format

FRACTION = re.compile(r"(?<=\.)\d+")


def as_moment(value: object) -> datetime | None:
    """Return the moment that a date, a time or an ISO text stands for, midnight for a date.

    Args:
        value: what was found.

    Returns:
        The moment in UTC; None if it is none.

    Example:
        >>> as_moment("2026-01-31T01:00:00+02:00").isoformat()
        '2026-01-30T23:00:00+00:00'
    """
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        if isinstance(moment, datetime):
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    if isinstance(moment, date):
        return datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    return None


def moment_in_json(value: object) -> datetime | None:
    """Return the moment that a value of a row stands for: an ISO text, or seconds since 1970."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return datetime.fromtimestamp(value, UTC)
        except (ValueError, OverflowError, OSError):
            return None
    return as_moment(value)


def has_zone(text: str) -> bool:
    """Tell whether a text that is a moment says in which time zone it is."""
    return datetime.fromisoformat(text).tzinfo is not None


def is_day(text: str) -> bool:
    """Tell whether a text that is a moment has a date only."""
    return not (":" in text or "T" in text)


def written_like(moment: datetime, example: str) -> str:
    """Write a moment in the form of another.

    Args:
        moment: the moment, with a time zone.
        example: a date or a time in ISO format; its time zone is that of what is returned.

    Returns:
        The text, cut rather than rounded to the precision of the example.

    Raises:
        ValueError: dlt does not know the form.

    Example:
        >>> written_like(datetime(2026, 1, 31, 23, 30, tzinfo=UTC), "2025-01-01")
        '2026-01-31'
    """
    form = detect_datetime_format(example)
    if form is None:
        raise ValueError(example)
    zone = datetime.fromisoformat(example).tzinfo or UTC
    text = datetime_obj_to_str(moment.astimezone(zone), form)
    digits = FRACTION.search(example)
    return FRACTION.sub(lambda found: found[0][: len(digits[0])], text) if digits else text


def is_writable(text: str) -> bool:
    """Tell whether a text is a moment in a form in which others can be written."""
    moment = as_moment(text)
    try:
        return moment is not None and written_like(moment, text) == text
    except ValueError:
        return False
