"""Values that JSON parsers let through and warehouses cannot store."""

import math
from typing import Any

import orjson

DEEPEST = 250  # levels that a value may be nested; orjson, with which dlt writes, ends at 254
SIXTY_FOUR_BITS = range(-(2**63), 2**64)


def unstorable(row: Any) -> str | None:
    """Find the first value in a row that cannot be stored.

    Args:
        row: the row.

    Returns:
        What is wrong, with the path in the row; None if nothing is.

    Example:
        >>> unstorable({"tags": ["a", float("nan")]})
        '`$.tags[1]`: not a finite number'
    """
    found = _find(row, "$", 0)
    if found:
        return found
    try:
        orjson.dumps(row, default=str)
    except TypeError as error:
        return f"`$`: cannot be written as JSON: {error}"
    return None


def _find(value: Any, path: str, depth: int) -> str | None:
    if depth > DEEPEST:
        return f"`{path[:DEEPEST]}`: nested too deeply"
    if isinstance(value, str):
        wrong = _wrong_with(value)
        return wrong and f"`{path}`: {wrong}"
    if isinstance(value, float) and not math.isfinite(value):
        return f"`{path}`: not a finite number"
    if isinstance(value, int) and value not in SIXTY_FOUR_BITS:
        return f"`{path}`: an integer of more than 64 bits"
    if isinstance(value, dict):
        for name, part in value.items():
            wrong = _wrong_with(name)
            if wrong:
                return f"`{path}`: the name of a field {wrong}"
            found = _find(part, f"{path}.{name}", depth + 1)
            if found:
                return found
    if isinstance(value, list | tuple):
        for number, part in enumerate(value):
            found = _find(part, f"{path}[{number}]", depth + 1)
            if found:
                return found
    return None


def _wrong_with(text: Any) -> str | None:
    if not isinstance(text, str):
        return "is no text"
    if "\0" in text:
        return "holds a NUL character, which PostgreSQL cannot store"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "holds half of a surrogate pair, which is no character"
    return None
