"""Placeholders of values in a query."""

from collections.abc import Sequence
from typing import Any


def placeholders(values: Sequence[Any]) -> str:
    """Return the placeholders of some values, as they stand between the brackets of `IN (...)`.

    Example:
        >>> placeholders(["1732", "1733"])
        '%s, %s'
    """
    return ", ".join("%s" for _ in values)
