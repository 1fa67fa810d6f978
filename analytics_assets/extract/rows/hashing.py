"""Hashes of whole rows, by which their contents are compared within one process."""

from collections.abc import Sequence
from typing import Any

import msgspec


def json_hashes(rows: Sequence[Any]) -> list[int]:
    """Return the hash of the JSON of each row."""
    return list(map(_json_hash, rows))


def _json_hash(row: Any) -> int:
    try:
        return hash(msgspec.json.encode(row))
    except (UnicodeEncodeError, RecursionError, TypeError):
        return hash(repr(row))
