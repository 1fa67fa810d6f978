"""Columns of the JSON Schema of a row."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from analytics_assets.contract.column import Column, DataType, ParentObject
from analytics_assets.contract.errors import TooManyColumnsError
from analytics_assets.contract.openapi.references import (
    NULLABLE,
    Followed,
    References,
    Schema,
    as_list,
    union_of,
)

SCALARS: dict[str, DataType] = {
    "string": "text",
    "integer": "bigint",
    "number": "double",
    "boolean": "bool",
}
FORMATS: dict[str, DataType] = {"date": "date", "date-time": "timestamp", "time": "time"}
TEXTS: set[DataType] = {"text", *FORMATS.values()}
Path = tuple[str, ...]
NOTHING: Followed = frozenset()
MAX_COLUMNS = 1_000  # with those of objects; PostgreSQL has 1,600 at most
MAX_LISTED = 20  # values of an enumeration in a description


def columns_of(
    references: References, schema: Schema, expands: Callable[[Path], bool] = lambda _: False
) -> tuple[Column, ...]:
    """Turn the schema of a row into columns.

    Args:
        references: those of the OpenAPI document, to which the schema may refer.
        schema: the schema of a row.
        expands: tests by its path if the fields of an object become columns. One that contains
            itself ends as JSON, as does a list.

    Returns:
        A column per property, in the document's order, called like its field; none if the schema
        does not name properties.

    Raises:
        BrokenReferenceError: a `$ref` leads nowhere.
        TooManyColumnsError: objects within objects make more columns than a table should have.
    """
    return tuple(_Reader(references).columns(schema, expands))


def _is_name(field: Any) -> bool:
    """Test if msgspec and a table accept a field's name; msgspec refuses quotes and backslashes."""
    if not isinstance(field, str):
        return False
    return bool(field.strip()) and field.isprintable() and not {'"', "\\"} & set(field)


class _Reader:
    def __init__(self, references: References) -> None:
        self._references = references
        self._count = 0

    def columns(
        self,
        schema: Any,
        expands: Callable[[Path], bool],
        parents: tuple[ParentObject, ...] = (),
        above: frozenset[Followed] = frozenset(),
    ) -> Iterator[Column]:
        """Yield a column per property, those of an object that `expands` in its place.

        `above` are the references to each object around this one, which is none of them.
        """
        properties, required, references = self._properties(schema)
        if references in above:
            return
        above |= {references} if references else set()
        for field, part in properties.items():
            # what is only written is no part of a response, even if it is required
            if not _is_name(field) or self._references.flat(part).get("writeOnly") is True:
                continue
            path = (*(parent.name for parent in parents), field)
            column = self._column(path, part, field in required, parents)
            inner: list[Column] = []
            if expands(path) and self._is_object(part):
                parent = ParentObject(field, column.nullable)
                inner = list(self.columns(part, expands, (*parents, parent), above))
            if not inner:
                self._count += 1
                inner = [column]
            if parents and self._count > MAX_COLUMNS:
                raise TooManyColumnsError
            yield from inner

    def _properties(
        self, schema: Any, within: Followed = NOTHING
    ) -> tuple[dict[str, Any], set[str], Followed]:
        """Return the properties of an object and its required ones, those of a union together.

        The references that lead to them come last.
        """
        flat, within = self._references.flat_within(schema, within)
        own = flat.get("properties")
        properties = dict(own) if isinstance(own, dict) else {}
        required = {name for name in as_list(flat.get("required")) if isinstance(name, str)}
        options = [self._properties(option, within) for option in union_of(flat)]
        found = [(parts, needed) for parts, needed, _ in options if parts]
        names = dict.fromkeys(name for parts, _ in found for name in parts)
        for name in names:
            alternatives = [parts[name] for parts, _ in found if name in parts]
            alternatives += [properties[name]] if name in properties else []
            properties[name] = (
                alternatives[0] if len(alternatives) == 1 else {"anyOf": alternatives}
            )
        if found:
            required |= set.intersection(*(needed for _, needed in found))
        return properties, required, within.union(*(led for _, _, led in options))

    def _column(
        self, path: Path, schema: Any, required: bool, parents: tuple[ParentObject, ...]
    ) -> Column:
        kinds, nullable = self._kinds(schema)
        choices = self._choices(schema)
        return Column(
            field=".".join(path),
            name=path[-1],
            data_type=_one_of(kinds),
            nullable=nullable or not required,
            description=self._description(schema, choices),
            choices=choices,
            parents=parents,
            required=required,
        )

    def _is_object(self, schema: Any, within: Followed = NOTHING) -> bool:
        """Test if a value is an object or null, and nothing else."""
        flat, within = self._references.flat_within(schema, within)
        names = {str(name) for name in as_list(flat.get("type")) or _implied(flat)} - {"null"}
        if names:
            return names == {"object"}
        options = [option for option in union_of(flat) if not self._is_null(option)]
        return bool(options) and all(self._is_object(option, within) for option in options)

    def _kinds(self, schema: Any, within: Followed = NOTHING) -> tuple[set[DataType], bool]:
        """Return the dlt types that a value may have, and whether it may be null."""
        flat, within = self._references.flat_within(schema, within)
        nullable = any(flat.get(key) is True for key in NULLABLE)
        names = as_list(flat.get("type")) or _implied(flat)
        if names:
            null = "null" in names or None in as_list(flat.get("enum"))
            text = FORMATS.get(str(flat.get("format")), "text")
            kinds = {SCALARS.get(str(name), "json") for name in names if name != "null"}
            return {text if kind == "text" else kind for kind in kinds}, nullable or null
        found = [self._kinds(option, within) for option in union_of(flat)]
        if not found:
            return {"json"}, True  # a schema without a type allows any value
        return set().union(*(kinds for kinds, _ in found)), nullable or any(n for _, n in found)

    def _choices(self, schema: Any, within: Followed = NOTHING) -> tuple[str, ...]:
        flat, within = self._references.flat_within(schema, within)
        values = [flat["const"]] if "const" in flat else as_list(flat.get("enum"))
        if not values:
            parts = [option for option in union_of(flat) if not self._is_null(option)]
            found = [self._choices(part, within) for part in parts]
            if all(found):  # with an open option, the others are no complete list
                return tuple(dict.fromkeys(choice for choices in found for choice in choices))
        texts = (v if isinstance(v, str) else json.dumps(v, default=str) for v in values)
        return tuple(dict.fromkeys(text for text in texts if text != "null"))

    def _is_null(self, schema: Any) -> bool:
        return not self._kinds(schema)[0]

    def _description(self, schema: Any, choices: tuple[str, ...]) -> str | None:
        flat = self._references.flat(schema)
        text = flat.get("description")
        parts = [option for option in union_of(flat) if not self._is_null(option)]
        if not isinstance(text, str) and len(parts) == 1:
            text = self._references.flat(parts[0]).get("description")
        text = " ".join(text.split()) if isinstance(text, str) else ""
        if len(choices) > 1:
            end = ", ..." if len(choices) > MAX_LISTED else "."
            text = f"{text} One of {', '.join(choices[:MAX_LISTED])}{end}"
        return text.strip() or None


def _implied(flat: Schema) -> list[str]:
    """Return the types that a schema implies without naming them."""
    values = [flat["const"]] if "const" in flat else as_list(flat.get("enum"))
    if values:
        return list(dict.fromkeys(_type_name(value) for value in values))
    if "properties" in flat or isinstance(flat.get("additionalProperties"), dict):
        return ["object"]
    if "items" in flat:
        return ["array"]
    return ["string"] if flat.get("format") in FORMATS else []


def _type_name(value: Any) -> str:
    if value is None:
        return "null"
    names = {bool: "boolean", int: "integer", float: "number", str: "string"}
    return names.get(type(value), "object")


def _one_of(kinds: set[DataType]) -> DataType:
    """Return the type of a column whose values have several."""
    if len(kinds) == 1:
        return next(iter(kinds))
    if kinds == {"bigint", "double"}:
        return "double"
    return "text" if kinds and kinds <= TEXTS else "json"
