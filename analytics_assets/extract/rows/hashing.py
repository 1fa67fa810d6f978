"""The hash of a row, by which contents are compared within one process."""

from typing import Any

import msgspec


def content_hash(row: Any) -> int:
    """Return a hash of a row, whatever the order of its fields; null is like no field."""
    if isinstance(row, dict):
        row = {name: value for name, value in row.items() if value is not None}
    try:
        return hash(msgspec.json.encode(row, order="deterministic"))
    except (UnicodeEncodeError, RecursionError, TypeError):
        return hash(repr(row))
