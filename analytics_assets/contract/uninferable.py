"""Values that can be stored as such, but not in the column that dlt infers of them."""

import re
from datetime import UTC, datetime
from typing import Any

from dlt.common.time import parse_iso_like_datetime

BIGINT = range(-(2**63), 2**63)
OUT_OF_RANGE = "in UTC not a time of the years 1 to 9999"
# only in these two years can an offset lead out of what a timestamp holds
EDGES = ("0001", "9999")
_ON_AN_EDGE = re.compile(rb'"(?:0001|9999)[^"]*[+-][^"]*"')


def uninferable(value: Any, path: str) -> str | None:
    """Find the first part of a value that fits no column that dlt infers.

    Args:
        value: the value of a field that the contract does not name, storable as such.
        path: where it is in its row.

    Returns:
        What is wrong, with the path in the row; None if nothing is.

    Example:
        >>> uninferable({"views": 2**63}, "$.page")
        '`$.page.views`: an integer above 9223372036854775807, which no bigint holds'
    """
    if isinstance(value, str):
        return f"`{path}`: {OUT_OF_RANGE}" if out_of_range(value) else None
    if isinstance(value, int) and value not in BIGINT:
        return f"`{path}`: an integer above {BIGINT[-1]}, which no bigint holds"
    parts: list[tuple[str, Any]] = []
    if isinstance(value, dict):
        parts = [(f"{path}.{name}", part) for name, part in value.items()]
    elif isinstance(value, list | tuple):
        parts = [(f"{path}[{number}]", part) for number, part in enumerate(value)]
    return next(filter(None, (uninferable(part, place) for place, part in parts)), None)


def out_of_range(value: Any) -> bool:
    """Tell whether a value is a time that has no place among those of UTC."""
    try:
        if isinstance(value, str) and value.startswith(EDGES):
            value = parse_iso_like_datetime(value)
        if isinstance(value, datetime) and value.tzinfo:
            value.astimezone(UTC)
    except ValueError:  # no time at all
        return False
    except OverflowError:
        return True
    return False


def may_be_out_of_range(encoded: bytes) -> bool:
    """Tell whether a page, written as JSON, may hold such a time; quick where it does not."""
    return any(edge.encode() in encoded for edge in EDGES) and bool(_ON_AN_EDGE.search(encoded))
