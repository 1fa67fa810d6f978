"""Which fields the rows have had so far, beside those that the contract names."""

from collections.abc import Iterable, Sequence
from typing import Any

NOTHING = "null"  # the kind of a field that was null in each row so far
_KINDS = {bool: "bool", int: "bigint", float: "double", str: "text", type(None): NOTHING}


class SeenFields:
    """The fields of all rows that it was shown.

    Args:
        named: the fields that the contract names.
    """

    def __init__(self, named: Iterable[str]) -> None:
        self._named = frozenset(named)
        self._seen: set[str] = set()
        self._untold: set[str] = set()
        self.unknown: dict[str, str] = {}

    @property
    def absent(self) -> set[str]:
        """The named fields that no row had."""
        return set(self._named - self._seen)

    def look(self, page: Sequence[Any]) -> None:
        """Take notice of the fields of a page; what is no object has none."""
        rows = page
        if not set(map(type, page)) <= {dict}:
            rows = [row for row in page if isinstance(row, dict)]
        known = len(self._seen)
        self._seen.update(*rows)
        if len(self._seen) > known:
            self._untold |= {name for name in self._seen - self._named if name not in self.unknown}
        for name in list(self._untold):
            kind = next(
                (kind for row in rows if (kind := _kind(row.get(name))) != NOTHING), NOTHING
            )
            self.unknown[name] = kind
            if kind != NOTHING:
                self._untold.remove(name)


def _kind(value: Any) -> str:
    return _KINDS.get(type(value), "json")
