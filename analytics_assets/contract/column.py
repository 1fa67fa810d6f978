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
        field: the API's name of it.
        name: the table's column: the field, or what it is renamed to, in dlt's snake case.
        data_type: dlt's type of the column. The document never says `decimal`, `wei` or `binary`;
            a hint in `api.py` may.
        nullable: whether a row may have null there, or lack it.
        description: what the document says about it.
        choices: the values of an enumeration. Others are not refused: APIs grow new ones.
    """

    field: str
    name: str
    data_type: DataType
    nullable: bool
    description: str | None = None
    choices: tuple[str, ...] = ()

    @property
    def about(self) -> str | None:
        """What to say about the column: its description, and its field if that is another name."""
        origin = f"The API's `{self.field}`." if self.name != self.field else ""
        return f"{self.description or ''} {origin}".strip() or None
