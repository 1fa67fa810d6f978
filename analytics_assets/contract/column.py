"""A field of an API's rows, and the column that it becomes."""

from dataclasses import dataclass
from typing import Literal

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


@dataclass(frozen=True)
class Column:
    """A field of an API's rows, and the column that it becomes.

    Args:
        field: its name in the API's rows.
        name: the column of the table: the field, or its `rename`, in dlt's snake case.
        data_type: dlt's type of the column. `decimal`, `wei` and `binary` come from a hint in
            `api.py`, never from the document.
        nullable: True if the field of a row may be null or missing.
        description: its description in the document.
        choices: the values of an enumeration. Others are not refused: APIs grow new ones.
    """

    field: str
    name: str
    data_type: DataType
    nullable: bool
    description: str | None = None
    choices: tuple[str, ...] = ()

    @property
    def comment(self) -> str | None:
        """The column's description in the warehouse, with the field if that has another name."""
        origin = f"The API's `{self.field}`." if self.name != self.field else ""
        return f"{self.description or ''} {origin}".strip() or None
