"""Fields of the rows of a load, beside those of the contract."""

from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from analytics_assets.contract.column import DataType
from analytics_assets.contract.fields import Fields, NestedObject
from analytics_assets.contract.rows.numbers import ColumnDecimal

Path = tuple[str, ...]

UNDETERMINED = "null"  # the kind of a field that was null in each row so far
_KINDS: dict[type, DataType] = {
    bool: "bool",
    int: "bigint",
    float: "double",
    Decimal: "decimal",
    ColumnDecimal: "decimal",
    str: "text",
    datetime: "timestamp",
    date: "date",
    time: "time",
}


class ObservedFields:
    """Fields of all rows of a load so far.

    Args:
        named: the fields of the contract.
    """

    def __init__(self, named: Fields) -> None:
        self._objects = {
            name: ObservedFields(part.fields)
            for name, part in named.items()
            if isinstance(part, NestedObject)
        }
        self._named = frozenset(named)
        self._observed: set[str] = set()
        self._undetermined: set[str] = set()
        self._unknown: dict[str, str] = {}

    @property
    def unknown(self) -> dict[Path, str]:
        """The paths of other fields of the rows, and the kind of the first value of each."""
        found: dict[Path, str] = {(name,): kind for name, kind in self._unknown.items()}
        for name, fields in self._objects.items():
            found |= {(name, *path): kind for path, kind in fields.unknown.items()}
        return found

    @property
    def absent(self) -> set[str]:
        """The contract's fields that no row had; those of an object with their path."""
        found = set(self._named - self._observed - self._objects.keys())
        for name, fields in self._objects.items():
            found |= {f"{name}.{field}" for field in fields.absent}
        return found

    def observe(self, page: Sequence[Any]) -> None:
        """Add the fields of a page; what is no object has none."""
        rows = page
        if not set(map(type, page)) <= {dict}:
            rows = [row for row in page if isinstance(row, dict)]
        known = len(self._observed)
        self._observed.update(*rows)
        if len(self._observed) > known:
            others = self._observed - self._named
            self._undetermined |= {name for name in others if name not in self._unknown}
        for name in list(self._undetermined):
            kinds = (data_type_of(row[name]) for row in rows if row.get(name) is not None)
            kind = next(kinds, UNDETERMINED)
            self._unknown[name] = kind
            if kind != UNDETERMINED:
                self._undetermined.remove(name)
        for name, fields in self._objects.items():
            fields.observe([row.get(name) for row in rows])


def data_type_of(value: Any) -> DataType:
    """Return the type that dlt gives to the column of a value."""
    return _KINDS.get(type(value), "json")
