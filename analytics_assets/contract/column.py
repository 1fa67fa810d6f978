"""A field of an API's rows, and the column that it becomes."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any, Literal, get_args

DataType = Literal[
    "text",
    "bigint",
    "double",
    "bool",
    "timestamp",
    "date",
    "time",
    "json",
    "decimal",
    "wei",
    "binary",
]

# the column that dlt makes of a column's values of another type, see `extract.lossless`
_VARIANT = re.compile(rf"(.+)__v_(?:{'|'.join(get_args(DataType))})")

Hints = Mapping[str, Mapping[str, Any]]  # dlt's hints of columns, by their names


@dataclass(frozen=True)
class ParentObject:
    """An object of a row around a field.

    Args:
        name: its field in the API's rows.
        nullable: True if it may be null or missing.
    """

    name: str
    nullable: bool


@dataclass(frozen=True)
class Column:
    """A field of an API's rows, and the column that it becomes.

    Args:
        field: its name in the API's rows; of a field within objects the path: `properties.email`.
        name: the column of the table: the field, or its `rename`, in dlt's snake case; of a field
            within objects as dlt names it: `properties__email`.
        data_type: dlt's type of the column. `decimal`, `wei` and `binary` come from a hint in
            `api.py`, never from the document.
        nullable: True if the field may be null or missing in a row, or in the object around it.
        description: its description in the document.
        choices: the values of an enumeration. Others are not refused: APIs grow new ones.
        parents: the objects around the field, the outermost first; empty for a field of the row.
        required: True if the document requires the field, null or not.
        takes_nearest: True if the entry itself gives the type `double`, so that a number of more
            digits may be rounded.
        precision: the digits of a decimal, the bits of an integer or the letters of a text, by a
            hint; None if none limits it.
        scale: the digits of a decimal behind the point, by a hint.
        has_zone: True if each of its times must have a time zone.
    """

    field: str
    name: str
    data_type: DataType
    nullable: bool
    description: str | None = None
    choices: tuple[str, ...] = ()
    parents: tuple[ParentObject, ...] = ()
    takes_nearest: bool = False
    precision: int | None = None
    scale: int | None = None
    has_zone: bool = False
    required: bool = dataclass_field(default=False, compare=False)

    @property
    def path(self) -> tuple[str, ...]:
        """The names that lead from a row to the field."""
        names = tuple(parent.name for parent in self.parents)
        return (*names, self.field[len("".join(f"{name}." for name in names)) :])

    @property
    def may_be_null(self) -> bool:
        """True if the column may be null, as the field may be, or an object around it."""
        return self.nullable or any(parent.nullable for parent in self.parents)

    def values(self, rows: Sequence[Any]) -> list[Any]:
        """Return the field's value in each row; None where it is missing.

        Raises:
            AttributeError: a row, or an object around the field, is no object.
        """
        for parent in self.parents:
            objects = [row.get(parent.name) for row in rows]
            rows = [{} if each is None else each for each in objects]
        name = self.path[-1]
        return [row.get(name) for row in rows]

    def is_missing(self, row: Any) -> bool:
        """Test if the field is null or missing in a row that has the objects around it."""
        for parent in self.parents:
            row = row.get(parent.name)
            if row is None:
                return False
        return row.get(self.path[-1]) is None

    @property
    def comment(self) -> str | None:
        """The column's description in the warehouse, with the field if that has another name."""
        origin = f"The API's `{self.field}`." if self.name != self.field else ""
        return f"{self.description or ''} {origin}".strip() or None


def variant_of(column: str) -> str | None:
    """Return the column whose variant a column seems to be by its name; None if it is none.

    Example:
        >>> variant_of("zip__v_text"), variant_of("zip_code")
        ('zip', None)
    """
    found = _VARIANT.fullmatch(column)
    return found[1] if found else None
