"""The hash of a row, by which contents are compared within one process."""

from typing import Any

import msgspec


def content_hash(row: Any) -> int:
    """Return a hash of a row, whatever the order of its fields.

    A null and an empty list are like no field: columns and child tables do not have them.
    """
    try:
        return hash(msgspec.json.encode(_filled(row), order="deterministic"))
    except (UnicodeEncodeError, RecursionError, TypeError):
        return hash(repr(row))


def _filled(value: Any) -> Any:
    """Return a value without the parts of it that are null or an empty list."""
    if isinstance(value, dict):
        parts = {name: _filled(part) for name, part in value.items() if part is not None}
        return {name: part for name, part in parts.items() if part != []}
    return list(map(_filled, value)) if isinstance(value, list) else value
