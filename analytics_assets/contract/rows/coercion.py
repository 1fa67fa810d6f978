"""Coercions of a value to the type of its column: without loss, and to text."""

import re
from datetime import UTC, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

from analytics_assets.contract.column import DataType
from analytics_assets.contract.rows.storage_limits import BIGINT

JSON_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
BIGINT_TEXT = re.compile(r"0|-?[1-9]\d*", re.ASCII)
LONGEST = len(str(BIGINT[0]))
BOOLEANS = ("true", "false")
# RFC 3339, and those forms of ISO 8601 that nobody takes for a number
_DAY, _OFFSET = r"\d{4}-\d\d-\d\d", r"(?: ?(?:[Zz]|[+-]\d\d(?::?\d\d)?))?"
_CLOCK = r"\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?"
TEMPORAL = {
    "timestamp": rf"{_DAY}(?:[Tt ]{_CLOCK}{_OFFSET})?|\d{{8}}T\d{{4}}(?:\d\d)?{_OFFSET}",
    # a midnight says no more than its day
    "date": rf"{_DAY}(?:[Tt ]00:00(?::00(?:[.,]0+)?)?(?:[Zz]|[+-]00:?00)?)?",
    "time": rf"{_CLOCK}[Zz]?",
}


def alters(to_type: DataType, from_type: DataType, value: Any) -> bool:
    """Test if a coercion is impossible, would make another value, or would be a guess.

    A number for a date or a time may be seconds, milliseconds, days or digits such as 20260131:
    only a format that the policy states says so.

    Args:
        to_type: dlt's type of the column.
        from_type: dlt's type of the value.
        value: the value.

    Example:
        >>> alters("bigint", "text", "01234"), alters("date", "bigint", 20260131)
        (True, True)
        >>> alters("bigint", "text", "1234"), alters("date", "text", "2026-01-31")
        (False, False)
    """
    if from_type == to_type:
        return False
    if from_type == "text":
        return _alters_text(to_type, value)
    if from_type in ("bool", "json"):
        return to_type not in ("text", "json")
    if to_type in TEMPORAL:
        return from_type not in TEMPORAL or _cuts(to_type, value)
    if to_type == "bool":
        return True  # 1 is not true, and a column that has both tells no longer which
    if to_type == "double" and from_type == "bigint":
        return bool(int(float(value)) != value)
    if to_type == "double" and from_type == "decimal":
        return bool(Decimal(repr(float(value))) != value)  # the double is read by its digits
    if to_type == "bigint" and from_type in ("double", "decimal"):
        return not BIGINT[0] <= value <= BIGINT[-1]
    return False


def as_text(value: Any) -> str | None:
    """Return a value as JSON or ISO 8601 writes it, as a warehouse does that widens a column.

    Returns:
        The text; None for a value of another type, whose text dlt makes.

    Example:
        >>> as_text(True), as_text(5.0), as_text(Decimal("5.50"))
        ('true', '5', '5.5')
        >>> as_text(datetime(2026, 1, 1, 23, 30, tzinfo=UTC))
        '2026-01-01T23:30:00Z'
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, datetime):
        in_utc = value.astimezone(UTC) if value.tzinfo else value
        text = in_utc.replace(tzinfo=None).isoformat()
        return f"{text.rstrip('0') if '.' in text else text}Z"
    return None


def _alters_text(to_type: DataType, text: str) -> bool:
    if to_type in TEMPORAL:
        return not re.fullmatch(TEMPORAL[to_type], text, re.ASCII)
    if to_type == "bool":
        return text not in BOOLEANS
    if to_type == "bigint":
        # a text in another form, as with a leading zero, is a name and no number
        return len(text) > LONGEST or not BIGINT_TEXT.fullmatch(text) or int(text) not in BIGINT
    if to_type == "double":
        return not JSON_NUMBER.fullmatch(text) or not _is_double(text)
    if to_type in ("decimal", "wei"):
        return not JSON_NUMBER.fullmatch(text)
    return False


def _is_double(text: str) -> bool:
    try:
        return Decimal(repr(float(text))) == Decimal(text)
    except InvalidOperation:  # an exponent of twenty digits
        return False


def _cuts(to_type: DataType, value: Any) -> bool:
    """Test if a date is made of a time within a day."""
    return to_type == "date" and isinstance(value, datetime) and value.time() != time()
