"""Columns of the JSON Schema of a row."""

import json
from typing import Any

from analytics_assets.contract.column import Column, DataType
from analytics_assets.contract.openapi.references import (
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
NOTHING: Followed = frozenset()
MAX_LISTED = 20  # values of an enumeration in a description


def columns_of(references: References, schema: Schema) -> tuple[Column, ...]:
    """Turn the schema of a row into columns.

    Args:
        references: those of the OpenAPI document, to which the schema may refer.
        schema: the schema of a row.

    Returns:
        A column per property, in the document's order, called like its field; none if the schema
        does not name properties.

    Raises:
        ContractError: a `$ref` leads nowhere.
    """
    reader = _Reader(references)
    properties, required = reader.properties(schema)
    return tuple(
        reader.column(field, part, field in required)
        for field, part in properties.items()
        if isinstance(field, str) and _is_name(field)
    )


def _is_name(field: str) -> bool:
    """Test if msgspec and a table accept a field's name; msgspec refuses quotes and backslashes."""
    return bool(field.strip()) and field.isprintable() and not {'"', "\\"} & set(field)


class _Reader:
    def __init__(self, references: References) -> None:
        self._references = references

    def properties(
        self, schema: Any, within: Followed = NOTHING
    ) -> tuple[dict[str, Any], set[str]]:
        """Return the properties of an object and its required ones, those of a union together."""
        flat, within = self._references.flat_within(schema, within)
        own = flat.get("properties")
        properties = dict(own) if isinstance(own, dict) else {}
        required = {name for name in as_list(flat.get("required")) if isinstance(name, str)}
        found = [self.properties(option, within) for option in union_of(flat)]
        found = [(parts, needed) for parts, needed in found if parts]
        names = dict.fromkeys(name for parts, _ in found for name in parts)
        for name in names:
            alternatives = [parts[name] for parts, _ in found if name in parts]
            alternatives += [properties[name]] if name in properties else []
            properties[name] = (
                alternatives[0] if len(alternatives) == 1 else {"anyOf": alternatives}
            )
        if found:
            required |= set.intersection(*(needed for _, needed in found))
        return properties, required

    def column(self, field: str, schema: Any, required: bool) -> Column:
        kinds, nullable = self._kinds(schema)
        choices = self._choices(schema)
        return Column(
            field=field,
            name=field,
            data_type=_one_of(kinds),
            nullable=nullable or not required,
            description=self._description(schema, choices),
            choices=choices,
        )

    def _kinds(self, schema: Any, within: Followed = NOTHING) -> tuple[set[DataType], bool]:
        """Return the dlt types that a value may have, and whether it may be null."""
        flat, within = self._references.flat_within(schema, within)
        nullable = flat.get("nullable") is True
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
