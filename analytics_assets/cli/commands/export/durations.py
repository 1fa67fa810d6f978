"""Spans of time as a number of one unit."""

from datetime import timedelta
from math import ceil

UNITS = (("day", 86400), ("hour", 3600), ("minute", 60))


def in_largest_unit(span: timedelta) -> tuple[int, str]:
    """Return a span as a number of the largest unit that divides it; a minute is the smallest.

    Example:
        >>> in_largest_unit(timedelta(hours=36)), in_largest_unit(timedelta(days=2))
        ((36, 'hour'), (2, 'day'))
    """
    seconds = span.total_seconds()
    for unit, length in UNITS[:-1]:
        if seconds % length == 0:
            return int(seconds // length), unit
    unit, length = UNITS[-1]
    return ceil(seconds / length), unit
