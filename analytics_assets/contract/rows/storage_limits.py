"""Values that a JSON parser accepts, and that no warehouse or no inferred column can store."""

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson

from analytics_assets.contract.compat import parse_time

MAX_DEPTH = 250  # levels of nesting; orjson, with which dlt writes, ends at 254
SIXTY_FOUR_BITS = range(-(2**63), 2**64)
BIGINT = range(-(2**63), 2**63)
LARGEST_EXACT = 2**53  # the largest integer up to which a double holds each
TOO_LONG = "an integer of more than 64 bits"
UNHELD = "a number of more digits than a double holds; a column of the type `decimal` has them"
OUT_OF_RANGE = "in UTC not a time of the years 1 to 9999"
# only in these two years can a UTC offset lead out of the years 1 to 9999
EDGES = ("0001", "9999")
_ON_AN_EDGE = re.compile(rb'"(?:0001|9999)[^"]*[+-][^"]*"')


def unstorable(row: Any) -> str | None:
    """Find the first value in a row that cannot be stored.

    Args:
        row: the row.

    Returns:
        The reason, with the path in the row; None if all of it can be stored.

    Example:
        >>> unstorable({"tags": ["a", float("nan")]})
        '`$.tags[1]`: not a finite number'
    """
    found = _find(row, "$", 0)
    if found:
        return found
    try:
        orjson.dumps(row, default=str)  # as dlt writes it
    except TypeError as error:
        return f"`$`: cannot be written as JSON: {error}"
    return None


def uninferable(value: Any, path: str) -> str | None:
    """Find the first part of a value that fits no column that dlt infers.

    Args:
        value: the value of a field that the contract does not name, storable as such.
        path: its path in the row.

    Returns:
        The reason, with the path in the row; None if all of it fits.

    Example:
        >>> uninferable({"views": 2**63}, "$.page")
        '`$.page.views`: an integer above 9223372036854775807, which no bigint holds'
    """
    if isinstance(value, str):
        return f"`{path}`: {OUT_OF_RANGE}" if is_out_of_range(value) else None
    if isinstance(value, int) and value not in BIGINT:
        return f"`{path}`: an integer above {BIGINT[-1]}, which no bigint holds"
    parts: list[tuple[str, Any]] = []
    if isinstance(value, dict):
        parts = [(f"{path}.{name}", part) for name, part in value.items()]
    elif isinstance(value, list | tuple):
        parts = [(f"{path}[{number}]", part) for number, part in enumerate(value)]
    return next(filter(None, (uninferable(part, place) for place, part in parts)), None)


def is_out_of_range(value: Any) -> bool:
    """Test if a value is a time outside the years 1 to 9999 of UTC."""
    try:
        if isinstance(value, str) and value.startswith(EDGES):
            value = parse_time(value)
        if isinstance(value, datetime) and value.tzinfo:
            value.astimezone(UTC)
    except ValueError:  # no time at all
        return False
    except OverflowError:
        return True
    return False


def may_be_out_of_range(encoded: bytes) -> bool:
    """Test if a page, written as JSON, may contain such a time; quick where it does not."""
    edges = any(f'"{edge}'.encode() in encoded for edge in EDGES)
    return edges and bool(_ON_AN_EDGE.search(encoded))


def encoded_page(page: Sequence[Any]) -> tuple[bytes, bool]:
    """Encode a page as dlt does; True beside it if an integer has more digits than a double."""
    try:
        return orjson.dumps(page, default=_plain_text, option=orjson.OPT_STRICT_INTEGER), False
    except orjson.JSONEncodeError:
        return orjson.dumps(page, default=_plain_text), True


def _plain_text(value: Any) -> str:
    """Return the text of a value that is no JSON."""
    if type(value) is Decimal:
        raise TypeError("no double holds it")
    return str(value)


def _find(value: Any, path: str, depth: int) -> str | None:
    if depth > MAX_DEPTH:
        return f"`{path[:MAX_DEPTH]}`: nested too deeply"
    if isinstance(value, str):
        reason = _unstorable_text(value)
        return reason and f"`{path}`: {reason}"
    if isinstance(value, float) and not math.isfinite(value):
        return f"`{path}`: not a finite number"
    if type(value) is Decimal:  # see `numbers`; one that fits its column is a `ColumnDecimal`
        is_integer = value.as_tuple().exponent == 0
        return f"`{path}`: {TOO_LONG if is_integer else UNHELD}"
    if isinstance(value, int) and value not in SIXTY_FOUR_BITS:
        return f"`{path}`: {TOO_LONG}"
    if isinstance(value, dict):
        for name, part in value.items():
            reason = _unstorable_text(name)
            if reason:
                return f"`{path}`: the name of a field {reason}"
            found = _find(part, f"{path}.{name}", depth + 1)
            if found:
                return found
    if isinstance(value, list | tuple):
        for number, part in enumerate(value):
            found = _find(part, f"{path}[{number}]", depth + 1)
            if found:
                return found
    return None


def _unstorable_text(text: Any) -> str | None:
    if not isinstance(text, str):
        return "is no text"
    if "\0" in text:
        return "holds a NUL character, which PostgreSQL cannot store"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "holds half of a surrogate pair, which is no character"
    return None
