"""Fields of the rows of a load, beside those of the contract."""

from collections.abc import Iterable, Sequence
from typing import Any

UNDETERMINED = "null"  # the kind of a field that was null in each row so far
_KINDS = {bool: "bool", int: "bigint", float: "double", str: "text", type(None): UNDETERMINED}


class ObservedFields:
    """Fields of all rows of a load so far.

    Args:
        named: the fields of the contract.

    Attributes:
        unknown: the other fields of the rows, and the kind of the first value of each.
    """

    def __init__(self, named: Iterable[str]) -> None:
        self._named = frozenset(named)
        self._observed: set[str] = set()
        self._undetermined: set[str] = set()
        self.unknown: dict[str, str] = {}

    @property
    def absent(self) -> set[str]:
        """The contract's fields that no row had."""
        return set(self._named - self._observed)

    def observe(self, page: Sequence[Any]) -> None:
        """Add the fields of a page; what is no object has none."""
        rows = page
        if not set(map(type, page)) <= {dict}:
            rows = [row for row in page if isinstance(row, dict)]
        known = len(self._observed)
        self._observed.update(*rows)
        if len(self._observed) > known:
            others = self._observed - self._named
            self._undetermined |= {name for name in others if name not in self.unknown}
        for name in list(self._undetermined):
            kinds = (_kind(row.get(name)) for row in rows)
            kind = next((kind for kind in kinds if kind != UNDETERMINED), UNDETERMINED)
            self.unknown[name] = kind
            if kind != UNDETERMINED:
                self._undetermined.remove(name)


def _kind(value: Any) -> str:
    return _KINDS.get(type(value), "json")
