"""A contract's columns as one msgspec type, by which a whole page is validated in C."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from sys import float_info
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from analytics_assets.contract.column import Column, DataType
from analytics_assets.contract.fields import Fields, NestedObject, NestedRows, fields_of

OPEN_TYPES: tuple[DataType, ...] = ("json", "decimal", "wei", "binary")
_LEAST, _MOST = -(2**63), 2**63 - 1  # of a bigint
# JSON knows one kind of number: 5.0 is an integer too
_INTEGER = (
    Annotated[int, Meta(ge=_LEAST, le=_MOST)]
    | Annotated[float, Meta(ge=float(_LEAST), lt=float(_MOST), multiple_of=1.0)]
)
# a bound refuses what is not a number as well
_FINITE = Annotated[float, Meta(ge=-float_info.max, le=float_info.max)]
_PRESENT = bool | int | float | str | list[Any] | dict[str, Any]  # any value but null
_TYPES: dict[DataType, Any] = {
    "text": str,
    "bigint": _INTEGER,
    "double": _FINITE,
    "bool": bool,
    "timestamp": datetime,
    "date": date,
    "time": time,
}


def row_type(columns: Iterable[Column], closed: bool = False) -> Any:
    """Make the type of a row.

    Args:
        columns: the columns of a row. Those of `OPEN_TYPES` may have any value; if not `closed`, a
            required one may be null too, for which the validation has a reason of its own.
        closed: True to refuse fields that no column names, at any level; False to ignore them.

    Returns:
        A type for `msgspec.convert`.
    """
    return object_type(fields_of(columns), closed)


def object_type(fields: Fields, closed: bool) -> Any:
    """Make the type of an object, see `row_type`; its fields are no lists of rows."""
    typed: list[tuple[str, Any, Any]] = []
    for number, (name, part) in enumerate(fields.items()):
        assert not isinstance(part, NestedRows), "Arrow alone reads them"
        if isinstance(part, NestedObject):
            kind = object_type(part.fields, closed)
        elif part is None:
            kind = None
        else:
            kind = _TYPES.get(part.data_type, _PRESENT if closed and not part.nullable else Any)
        if part is None or part.nullable:
            absent = msgspec.field(name=name, default=None)
            typed.append((f"field_{number}", kind if kind in (Any, None) else kind | None, absent))
        else:
            typed.append((f"field_{number}", kind, msgspec.field(name=name)))
    # rows are short-lived: the garbage collector need not track them
    return msgspec.defstruct("Row", typed, kw_only=True, gc=False, forbid_unknown_fields=closed)


def values_by_field(rows: Sequence[Any], fields: Fields, within: str = "") -> dict[str, Any]:
    """Return the values of each column in rows of a `row_type`.

    Args:
        rows: the rows.
        fields: their fields.
        within: the beginning of the names of the columns' fields.

    Returns:
        A value per row, by the column's field; None in place of those of an object that is null.
    """
    nothing = (None,) * len(fields)
    tuples = [nothing if row is None else msgspec.structs.astuple(row) for row in rows]
    found: dict[str, Any] = {}
    for (name, part), values in zip(fields.items(), zip(*tuples, strict=True), strict=True):
        if isinstance(part, NestedObject):
            found |= values_by_field(values, part.fields, f"{within}{name}.")
        else:
            found[f"{within}{name}"] = values
    return found


def rejection_reason(error: msgspec.ValidationError) -> str:
    """Return msgspec's reason against a row, path first; it names types and never the value."""
    message, _, path = str(error).partition(" - at ")
    path = path.strip("`") or "$"
    if message.startswith("Object missing required field "):
        return f"`{path}.{message.split('`')[1]}`: required, but missing"
    if message.startswith("Expected `float` "):
        message = (
            "Expected a finite `float`" if str(float_info.max) in message else "Expected `int`"
        )
    return f"`{path}`: {message.replace('`int | float', '`int')}"
