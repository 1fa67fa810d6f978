"""Numbers, counts and durations as sentences and tables show them."""

from datetime import timedelta

MINUTE, HOUR, DAY = 60, 3600, 86400  # seconds
LONG = timedelta(days=5)  # hours beyond it say little


def number(value: int) -> str:
    """Return a number with separators of thousands.

    Example:
        >>> number(12400)
        '12,400'
    """
    return f"{value:,}"


def count(value: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun.

    Args:
        value: the number.
        noun: the noun in the singular.
        plural: its plural, if that is not the singular with an `s`.

    Example:
        >>> count(1, "row"), count(12400, "row"), count(0, "retry", "retries")
        ('1 row', '12,400 rows', '0 retries')
    """
    return f"{number(value)} {noun if value == 1 else plural or f'{noun}s'}"


def duration(span: float | timedelta) -> str:
    """Return a duration in its two largest units; one that is negative counts as none.

    Args:
        span: seconds, or a span of time.

    Example:
        >>> [duration(seconds) for seconds in (0.04, 3.14, 42.4, 75, 7380, 180000)]
        ['0.04 s', '3.1 s', '42 s', '1 min 15 s', '2 h 3 min', '2 days 2 h']
    """
    seconds = span.total_seconds() if isinstance(span, timedelta) else span
    seconds = max(0.0, seconds)
    if round(seconds, 2) < 0.1:
        return f"{round(seconds, 2):g} s"
    if seconds < 9.95:
        return f"{round(seconds, 1):g} s"
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return _two(whole, MINUTE, "min", 1, "s")
    minutes = round(seconds / MINUTE) * MINUTE
    if minutes < DAY:
        return _two(minutes, HOUR, "h", MINUTE, "min")
    hours = round(seconds / HOUR) * HOUR
    return _two(hours, DAY, "day" if hours < 2 * DAY else "days", HOUR, "h")


def age_of(span: timedelta) -> str:
    """Return an age in one unit: in days if it is a long one, in hours from two on.

    Example:
        >>> [age_of(timedelta(hours=hours)) for hours in (0.5, 36.2, 400)]
        ['30 min', '36 h', '17 days']
    """
    hours = span.total_seconds() / HOUR
    if hours < 2:
        return duration(span)
    return f"{round(hours)} h" if span < LONG else count(round(span / timedelta(days=1)), "day")


def _two(seconds: int, large: int, name: str, small: int, rest_name: str) -> str:
    rest = seconds % large // small
    return f"{seconds // large} {name}" + (f" {rest} {rest_name}" if rest else "")


def per_second(value: int, seconds: float) -> str:
    """Return a rate, such as "4,000 rows" a second, as a number; "-" where nothing was measured.

    Args:
        value: how many there were.
        seconds: the time in which they came.

    Example:
        >>> per_second(12400, 3.1), per_second(0, 0.0)
        ('4,000', '-')
    """
    return number(round(value / seconds)) if value and seconds > 0 else "-"
