"""The fields of a row as a tree: those of an object within a row are columns too."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from analytics_assets.contract.column import Column

# None for a field that was null in all rows so far
Fields: TypeAlias = "dict[str, Column | NestedObject | NestedRows | None]"


@dataclass(frozen=True)
class NestedObject:
    """An object within a row whose fields are columns.

    Args:
        nullable: True if the object may be null or missing.
        fields: its fields by name.
    """

    nullable: bool
    fields: Fields = field(default_factory=dict)


@dataclass(frozen=True)
class NestedRows:
    """A list within a row whose elements are rows of a child table.

    Args:
        table: the child table; empty if all lists so far were empty.
        element: the fields of an element; its column if the elements are values.
        has_root: True if rows of the table name the row of the resource that they belong to.
    """

    table: str = ""
    element: "Fields | Column | None" = None
    has_root: bool = False


def fields_of(columns: Iterable[Column]) -> Fields:
    """Return the fields of a row by name, in the order of the columns."""
    fields: Fields = {}
    for column in columns:
        within = fields
        for parent in column.parents:
            found = within.setdefault(parent.name, NestedObject(parent.nullable))
            assert isinstance(found, NestedObject), "a field is an object or a column"
            within = found.fields
        within[column.path[-1]] = column
    return fields


def value_at(row: Any, path: Sequence[str]) -> Any:
    """Return the value at a path in a row; None where the path ends before."""
    for name in path:
        row = row.get(name) if isinstance(row, dict) else None
    return row
