"""A contract's columns as one msgspec type, by which a whole page is validated in C."""

from collections.abc import Iterable
from datetime import date, datetime, time
from sys import float_info
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from analytics_assets.contract.column import Column, DataType

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


def row_type(columns: Iterable[Column], closed: bool = False) -> Any:
    """Make the type of a row.

    Args:
        columns: the columns of a row. Those of `OPEN_TYPES` may have any value, null included.
        closed: True to refuse fields that no column names; False to ignore them.

    Returns:
        A type for `msgspec.convert`.
    """
    fields = []
    for number, column in enumerate(columns):
        kind = _TYPES.get(column.data_type, Any)
        if column.nullable:
            absent = msgspec.field(name=column.field, default=None)
            fields.append((f"field_{number}", kind | None if kind is not Any else Any, absent))
        else:
            fields.append((f"field_{number}", kind, msgspec.field(name=column.field)))
    # rows are short-lived: the garbage collector need not track them
    return msgspec.defstruct("Row", fields, kw_only=True, gc=False, forbid_unknown_fields=closed)


def rejection_reason(error: msgspec.ValidationError) -> str:
    """Return msgspec's reason against a row, path first; it names types and never the value."""
    message, _, path = str(error).partition(" - at ")
    path = path.strip("`") or "$"
    if message.startswith("Object missing required field "):
        return f"`$.{message.split('`')[1]}`: required, but missing"
    if message.startswith("Expected `float` "):
        message = (
            "Expected a finite `float`" if str(float_info.max) in message else "Expected `int`"
        )
    return f"`{path}`: {message.replace('`int | float', '`int')}"
