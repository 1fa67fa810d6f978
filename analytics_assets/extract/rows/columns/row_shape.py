"""The shape of the rows of a resource: their fields, down to those within objects and lists."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from analytics_assets.contract.column import Column

Kind = Literal["object", "list", "value"]
KINDS: dict[Any, Kind] = {dict: "object", list: "list"}


@dataclass(eq=False)
class RowShape:
    """A place in rows: the values there, as far as rows have shown them.

    Args:
        name: the field; empty for a row, and for an element of a list.
        column: the contract's column of the field; None if the contract does not name it.
        kind: the kind of the first value; None if all were null.
        nullable: False for an object that the contract requires.
        parts: the fields of an object.
        element: the elements of a list.
    """

    name: str = ""
    column: Column | None = None
    kind: Kind | None = None
    nullable: bool = True
    parts: "dict[str, RowShape]" = field(default_factory=dict)
    element: "RowShape | None" = None

    @classmethod
    def of(cls, columns: Iterable[Column]) -> "RowShape":
        """Return the shape of rows that have the columns of a contract."""
        row = cls(kind="object")
        for column in columns:
            within = row
            for parent in column.parents:
                shape = cls(parent.name, kind="object", nullable=parent.nullable)
                within = within.parts.setdefault(parent.name, shape)
            within.parts[column.path[-1]] = cls(column.path[-1], column, "value")
        return row

    def add(self, values: Iterable[Any]) -> None:
        """Add the values of several rows."""
        if self.column:
            return
        kinds: dict[Kind, list[Any]] = {"object": [], "list": [], "value": []}
        for value in values:
            if value is not None:
                kind: Kind = KINDS.get(type(value), "value")
                kinds[kind].append(value)
                self.kind = self.kind or kind
        objects = kinds["object"] if self.kind == "object" else []
        for name in dict.fromkeys(name for each in objects for name in each):
            part = self.parts.setdefault(name, RowShape(name))
            part.add(each[name] for each in objects if name in each)
        if self.kind == "list":
            self.element = self.element or RowShape()
            self.element.add(part for each in kinds["list"] for part in each)

    @property
    def leaves(self) -> "Iterator[RowShape]":
        """The fields of an object, and those of the objects in it."""
        for part in self.parts.values():
            yield part
            yield from part.leaves

    def sample(self, places: "dict[int, RowShape]") -> Any:
        """Return an object or a list of this shape, with shapes in the place of values.

        Args:
            places: receives the shape of each object and list by its identity.
        """
        made: Any = self
        if self.kind == "object":
            made = {name: part.sample(places) for name, part in self.parts.items()}
        elif self.kind == "list":
            has_values = self.element and self.element.kind
            made = [self.element.sample(places)] if self.element and has_values else []
        places[id(made)] = self
        return made
