"""The type of a resource's rows: its contract, extended by what dlt infers from rows."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from dlt.common.schema.typing import DLT_NAME_PREFIX
from dlt.extract import DltResource

from analytics_assets.contract.column import Column, ParentObject
from analytics_assets.contract.contract import Contract
from analytics_assets.contract.fields import Fields, NestedObject
from analytics_assets.extract.rows.arrow import KNOWN_TYPES
from analytics_assets.extract.rows.compat import SchemaInference
from analytics_assets.extract.rows.row_shape import RowShape

TYPE_DETAILS = frozenset(("precision", "scale", "timezone"))  # hints that refine a type


class RowType:
    """The fields of a resource's rows and their columns.

    Args:
        contract: the contract of the rows.
        resource: the resource that is being extracted; None to know no more than the contract.

    Attributes:
        fields: the fields of a row; a row with any other does not fit.
        contract: the contract, extended by the columns of all fields, in the order of the table.
    """

    def __init__(self, contract: Contract, resource: DltResource | None = None) -> None:
        self.contract = contract
        self._resource = resource
        self._inference: SchemaInference | None = None
        self._shape = RowShape.of(contract.columns)
        self._places: dict[RowShape, tuple[str, str]] = {}
        self.fields = self._fields(self._shape)

    def learn(self, rows: Sequence[dict[str, Any]], named: Sequence[dict[str, Any]]) -> None:
        """Extend the type by what dlt infers from rows.

        Args:
            rows: valid rows, by the API's names.
            named: the same rows as dlt loads them, by the names of their columns.
        """
        if self._resource is None or not rows:
            return
        if self._inference is None:
            self._inference = SchemaInference(self._resource)
        self._inference.infer(named)
        self._shape.add(rows)
        self._places = self._columns_of_places(self._inference)
        self.fields = self._fields(self._shape)
        order = list(self._inference.columns(self._inference.table))
        columns = sorted(columns_of(self.fields), key=lambda each: order.index(each.name))
        self.contract = replace(self.contract, columns=tuple(columns))

    def _columns_of_places(self, inference: SchemaInference) -> dict[RowShape, tuple[str, str]]:
        """Return the table and the column in which dlt puts the values of each place."""
        shapes: dict[int, RowShape] = {}
        sample = self._shape.sample(shapes)
        rename = self.contract.rename
        row = {rename.get(name, name): part for name, part in sample.items()}
        return {
            shapes[id(value)]: (table, column)
            for table, values in inference.flattened(row)
            for column, value in values.items()
            if id(value) in shapes
        }

    def _fields(self, within: RowShape, parents: tuple[ParentObject, ...] = ()) -> Fields:
        fields: Fields = {}
        for name, shape in within.parts.items():
            if shape.column:
                fields[name] = shape.column
            elif shape in self._places:
                self._add_leaf(fields, shape, parents)
            elif shape.kind == "object":
                around = (*parents, ParentObject(name, shape.nullable))
                fields[name] = NestedObject(shape.nullable, self._fields(shape, around))
        return fields

    def _add_leaf(self, fields: Fields, shape: RowShape, parents: tuple[ParentObject, ...]) -> None:
        """Add a field that is a column, unless only dlt's own way loads it."""
        assert self._inference, "without it, no place is known"
        table, name = self._places[shape]
        hint: Any = self._inference.columns(table).get(name, {})
        kind = hint.get("data_type")
        is_plain = kind in KNOWN_TYPES and not TYPE_DETAILS & hint.keys()
        if kind is None and shape.kind is None:
            fields[shape.name] = None
        elif is_plain and not name.startswith(DLT_NAME_PREFIX):
            path = ".".join([*(parent.name for parent in parents), shape.name])
            is_key = path in self.contract.primary_key
            fields[shape.name] = Column(path, name, kind, not is_key, parents=parents)


def columns_of(fields: Fields) -> Iterator[Column]:
    """Yield the columns of a row, without those of child tables."""
    for part in fields.values():
        if isinstance(part, Column):
            yield part
        elif isinstance(part, NestedObject):
            yield from columns_of(part.fields)
