"""A contract's columns as one msgspec type, by which a whole page is validated in C."""

from collections.abc import Iterable
from datetime import date, datetime, time
from sys import float_info
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from analytics_assets.contract.column import Column, DataType
from analytics_assets.contract.fields import Fields, NestedObject, fields_of

OPEN_TYPES: tuple[DataType, ...] = ("json", "decimal", "wei", "binary")
_LEAST, _MOST = -(2**63), 2**63 - 1  # of a bigint
# JSON knows one kind of number: 5.0 is an integer too
_INTEGER = (
    Annotated[int, Meta(ge=_LEAST, le=_MOST)]
    | Annotated[float, Meta(ge=float(_LEAST), lt=float(_MOST), multiple_of=1.0)]
)
# a bound refuses what is not a number as well
_FINITE = Annotated[float, Meta(ge=-float_info.max, le=float_info.max)]
_TYPES: dict[DataType, Any] = {
    "text": str,
    "bigint": _INTEGER,
    "double": _FINITE,
    "bool": bool,
    "timestamp": datetime,
    "date": date,
    "time": time,
}


def row_type(columns: Iterable[Column]) -> Any:
    """Make the type of a row, which ignores fields that no column names.

    Args:
        columns: the columns of a row. Those of `OPEN_TYPES` may have any value; a required one may
            be null too, for which the validation has a reason of its own.

    Returns:
        A type for `msgspec.convert`.
    """
    return _object_type(fields_of(columns))


def _object_type(fields: Fields) -> Any:
    typed: list[tuple[str, Any, Any]] = []
    for number, (name, part) in enumerate(fields.items()):
        assert isinstance(part, Column | NestedObject), "a contract names no other"
        if isinstance(part, NestedObject):
            kind = _object_type(part.fields)
        else:
            kind = _TYPES.get(part.data_type, Any)
        if part.nullable:
            absent = msgspec.field(name=name, default=None)
            typed.append((f"field_{number}", kind | None if kind is not Any else Any, absent))
        else:
            typed.append((f"field_{number}", kind, msgspec.field(name=name)))
    # rows are short-lived: the garbage collector need not track them
    return msgspec.defstruct("Row", typed, kw_only=True, gc=False)


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
