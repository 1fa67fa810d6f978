"""The type of a resource's rows: its contract, extended by what dlt infers from rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from dlt.extract import DltResource

from analytics_assets.contract.column import Column, ParentObject
from analytics_assets.contract.contract import Contract
from analytics_assets.contract.fields import Fields, NestedObject, NestedRows
from analytics_assets.extract.rows.columns.arrow_types import KNOWN_TYPES, MAX_DIGITS
from analytics_assets.extract.rows.columns.compat import CHILD_COLUMNS, ROOT_ID, SchemaInference
from analytics_assets.extract.rows.columns.named_rows import NamedRows, hints_of
from analytics_assets.extract.rows.columns.row_shape import RowShape


class RowType:
    """The fields of a resource's rows and their columns.

    Args:
        contract: the contract of the rows.
        resource: the resource that is being extracted; None to know no more than the contract.
        zoned: the field whose times must have a time zone; None if there is none.

    Attributes:
        fields: the fields of a row; a row with any other does not fit.
        contract: the contract, extended by the columns of all fields, in the order of the table.
        is_closed: True if a column of the contract has a type that is loaded by rows alone.
    """

    def __init__(
        self, contract: Contract, resource: DltResource | None = None, zoned: str | None = None
    ) -> None:
        self._zoned = zoned
        hints = hints_of(resource) if resource else {}
        columns = [self._hinted(column, hints.get(column.name, {})) for column in contract.columns]
        known = tuple(column for column in columns if column)
        self.is_closed = len(known) < len(columns) or not contract.table.is_as_declared(
            [column.name for column in known]
        )
        self.contract = replace(contract, columns=known)
        self._resource = resource
        self._json = {name for name in hints if hints[name].get("data_type") == "json"}
        self._named = NamedRows(contract, hints)
        self._shape = RowShape.of(known)
        self._inference: SchemaInference | None = None
        self._places: dict[RowShape, tuple[str, str]] = {}
        self._roots: Mapping[str, bool] = {}
        self.fields = self._fields(self._shape)

    @property
    def is_inferred(self) -> bool:
        """True if dlt has inferred a part of it."""
        return self._inference is not None

    def learn(self, rows: Sequence[dict[str, Any]]) -> bool:
        """Extend the type by what dlt infers from rows.

        Args:
            rows: valid rows, by the API's names.

        Returns:
            True if the type has changed.
        """
        if self._resource is None or not rows:
            return False
        if self._inference is None:
            self._inference = SchemaInference(self._resource)
        self._inference.infer(self._named(rows))
        self._shape.add(rows)
        self._find_places(self._inference)
        before, self.fields = self.fields, self._fields(self._shape)
        order = list(self._inference.columns(self._inference.table))
        places = {name: place for place, name in enumerate(order)}
        columns = sorted(
            columns_of(self.fields), key=lambda each: places.get(each.name, len(places))
        )
        self.contract = replace(self.contract, columns=tuple(columns))
        return self.fields != before

    def _find_places(self, inference: SchemaInference) -> None:
        """Find the table and the column in which dlt puts the values of each field."""
        shapes: dict[int, RowShape] = {}
        sample = self._shape.sample(shapes)
        rename = self.contract.rename
        self._places, own = {}, {}
        made = inference.flattened({rename.get(name, name): sample[name] for name in sample})
        for table, values in made:
            own[table] = {name for name, value in values.items() if id(value) not in shapes}
            for name, value in values.items():
                if id(value) in shapes:
                    self._places[shapes[id(value)]] = table, name
        self._roots = {
            table: ROOT_ID in names
            for table, names in own.items()
            if names - {ROOT_ID} == CHILD_COLUMNS.keys()
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
            elif shape.kind == "list":
                self._add_rows(fields, shape)
        return fields

    def _add_leaf(self, fields: Fields, shape: RowShape, parents: tuple[ParentObject, ...]) -> None:
        """Add a field that is a column, unless its type is loaded by rows alone."""
        assert self._inference, "without it, no place is known"
        table, name = self._places[shape]
        hint = self._inference.columns(table).get(name, {})
        kind: Any = hint.get("data_type")
        if kind is None and shape.kind is None:
            fields[shape.name] = None
        is_hinted = table == self._inference.table and name in self._json
        if kind is None or (kind == "json" and not is_hinted):
            return  # of JSON in an Arrow table, dlt makes a column of texts without a hint
        path = ".".join([*(parent.name for parent in parents), shape.name])
        is_key = not parents and path in self.contract.primary_key
        column = self._hinted(Column(path, name, kind, not is_key, parents=parents), hint)
        if column:
            fields[shape.name] = column

    def _hinted(self, column: Column, hint: Mapping[str, Any]) -> Column | None:
        """Return a column with the type of a hint; None if that is loaded by rows alone."""
        kind: Any = hint.get("data_type", column.data_type)
        precision, scale = hint.get("precision"), hint.get("scale")
        has_zone = column.field == self._zoned
        typed = replace(column, data_type=kind, precision=precision, scale=scale, has_zone=has_zone)
        if kind == "decimal":
            is_known = (precision is None) == (scale is None) and (precision or 0) <= MAX_DIGITS
        elif kind in ("text", "bigint"):
            is_known = scale is None
        else:
            is_known = kind in KNOWN_TYPES and precision is None and scale is None
        return typed if is_known and hint.get("timezone", True) else None

    def _add_rows(self, fields: Fields, shape: RowShape) -> None:
        """Add a list whose elements become rows of a child table, unless only dlt can make them."""
        if shape.element is None or shape.element.kind is None:
            fields[shape.name] = NestedRows()
        elif shape.element in self._places:
            own: Fields = {}
            self._add_leaf(own, shape.element, ())
            table, _ = self._places[shape.element]
            value = own.get("")
            if table in self._roots and isinstance(value, Column):
                fields[shape.name] = NestedRows(table, value, self._roots[table])
        elif shape.element.kind == "object":
            tables = {
                self._places[each][0] for each in shape.element.leaves if each in self._places
            }
            if len(tables) == 1 and tables <= self._roots.keys():
                [table] = tables
                inner = self._fields(shape.element)
                fields[shape.name] = NestedRows(table, inner, self._roots[table])


def columns_of(fields: Fields, with_child_tables: bool = False) -> Iterator[Column]:
    """Yield the columns of a row, and those of its child tables if asked for."""
    for part in fields.values():
        if isinstance(part, Column):
            yield part
        elif isinstance(part, NestedObject):
            yield from columns_of(part.fields, with_child_tables)
        elif isinstance(part, NestedRows) and with_child_tables:
            inner: Fields = part.element if isinstance(part.element, dict) else {"": part.element}
            yield from columns_of(inner, with_child_tables)
