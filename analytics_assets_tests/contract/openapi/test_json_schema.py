from typing import Any

import pytest

from analytics_assets.contract.column import Column
from analytics_assets.contract.errors import ContractError
from analytics_assets.contract.openapi.json_schema import columns_of
from analytics_assets.contract.openapi.references import References


def columns(schema: Any, **schemas: Any) -> dict[str, Column]:
    document = {"openapi": "3.1.0", "components": {"schemas": schemas}}
    return {column.field: column for column in columns_of(References(document), schema)}


def column(schema: Any, **schemas: Any) -> Column:
    """The column of a property that each row must have."""
    row = {"type": "object", "properties": {"x": schema}, "required": ["x"]}
    return columns(row, **schemas)["x"]


def ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


@pytest.mark.parametrize(
    ("schema", "data_type"),
    [
        ({"type": "string"}, "text"),
        ({"type": "string", "format": "date"}, "date"),
        ({"type": "string", "format": "date-time"}, "timestamp"),
        ({"type": "string", "format": "time"}, "time"),
        ({"type": "string", "format": "uuid"}, "text"),
        ({"type": "integer", "format": "int64"}, "bigint"),
        ({"type": "number"}, "double"),
        ({"type": "boolean"}, "bool"),
        ({"type": "object"}, "json"),
        ({"type": "array", "items": {"type": "string"}}, "json"),
        ({"properties": {"a": {"type": "string"}}}, "json"),
        ({"items": {"type": "string"}}, "json"),
        ({"format": "date"}, "date"),
        ({"enum": ["a", "b"]}, "text"),
        ({"enum": [1, 2]}, "bigint"),
        ({"enum": [1, 2.5]}, "double"),
        ({"enum": [1, "a"]}, "json"),
        ({"const": True}, "bool"),
        ({"type": ["integer"]}, "bigint"),
        ({"type": ["integer", "number"]}, "double"),
        ({"type": ["integer", "string"]}, "json"),
        ({"oneOf": [{"type": "string"}, {"type": "string", "enum": [""]}]}, "text"),
        ({"anyOf": [{"type": "integer"}, {"type": "number"}]}, "double"),
        ({"anyOf": [{"format": "date"}, {"type": "string"}]}, "text"),
        ({"anyOf": [{"type": "string"}, {"type": "object"}]}, "json"),
        ({"type": "whole number"}, "json"),
    ],
)
def test_a_property_has_the_dlt_type_of_its_schema(schema: Any, data_type: str) -> None:
    assert column(schema).data_type == data_type
    assert not column(schema).nullable


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer", "nullable": True},
        {"type": ["integer", "null"]},
        {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        {"oneOf": [{"enum": [None]}, ref("Count")]},
        {"anyOf": [{"type": "integer", "nullable": True}, {"type": "integer"}]},
        {"allOf": [ref("Count")], "nullable": True},
        {"allOf": [{"nullable": True}, {"type": "integer", "nullable": False}]},
        {**ref("Count"), "nullable": True},
        {"type": "integer", "enum": [1, None]},
        {"enum": [1, None]},
    ],
)
def test_each_way_to_allow_null_makes_a_nullable_column(schema: Any) -> None:
    found = column(schema, Count={"type": "integer"})

    assert found.nullable
    assert found.data_type == "bigint"


@pytest.mark.parametrize("schema", [{}, True, {"description": "Anything."}, None, {"type": "null"}])
def test_a_schema_without_a_type_allows_any_value(schema: Any) -> None:
    assert column(schema).data_type == "json"
    assert column(schema).nullable


def test_a_property_that_is_not_required_may_be_missing() -> None:
    row = {
        "properties": {"id": {"type": "integer"}, "name": {"type": "string"}},
        "required": ["id", "never_heard_of"],
    }

    found = columns(row)

    assert list(found) == ["id", "name"]
    assert not found["id"].nullable
    assert found["name"].nullable


def test_all_of_is_merged_through_references_of_references() -> None:
    schemas = {
        "Named": {"properties": {"name": {"type": "string"}}, "required": ["name"]},
        "Base": {
            "allOf": [ref("Named"), {"properties": {"id": {"type": "integer"}}}],
            "required": ["id"],
        },
        "Alias": ref("Base"),
    }
    row = {
        "allOf": [ref("Alias"), {"properties": {"total": {"type": "number"}}}],
        "properties": {"name": {"description": "Of the customer."}},
        "additionalProperties": False,
    }

    found = columns(row, **schemas)

    assert found["id"] == Column("id", "id", "bigint", nullable=False)
    assert found["name"] == Column("name", "name", "text", False, "Of the customer.")
    assert found["total"] == Column("total", "total", "double", nullable=True)


def test_a_union_has_the_columns_of_all_options_and_requires_what_all_require() -> None:
    card = {
        "properties": {"id": {"type": "integer"}, "card": {"type": "string"}},
        "required": ["id", "card"],
    }
    transfer = {
        "properties": {"id": {"type": "number"}, "iban": {"type": "string"}},
        "required": ["id", "iban"],
    }

    found = columns({"oneOf": [card, transfer, {"type": "null"}]})

    assert {name: (each.data_type, each.nullable) for name, each in found.items()} == {
        "id": ("double", False),
        "card": ("text", True),
        "iban": ("text", True),
    }


def test_a_row_requires_what_all_options_require() -> None:
    row = {
        "properties": {"id": {"type": "integer"}, "mail": {"type": "string"}},
        "required": ["id"],
        "anyOf": [{"required": ["mail"]}, {"required": ["phone"]}],
    }

    assert [each.nullable for each in columns(row).values()] == [False, True]


def test_a_property_that_is_only_written_is_no_column() -> None:
    password = {"type": "string", "writeOnly": True}
    row = {
        "properties": {"id": {"type": "integer"}, "password": password, "secret": ref("Secret")},
        "required": ["id", "password", "secret"],
    }

    assert list(columns(row, Secret=password)) == ["id"]


def test_a_reference_to_itself_ends_as_json() -> None:
    comment = {
        "type": "object",
        "properties": {
            "id": {"type": "integer"},
            "parent": ref("Comment"),
            "replies": {"type": "array", "items": ref("Comment")},
            "loop": ref("Loop"),
            "knot": ref("Knot"),
            "union": ref("Union"),
        },
    }
    loops = {
        "Loop": ref("Loop"),
        "Knot": {"allOf": [ref("Knot"), {"type": "object"}]},
        "Union": {"anyOf": [ref("Union"), ref("Union")]},
    }

    found = columns(ref("Comment"), Comment=comment, **loops)

    assert [each.data_type for each in found.values()] == ["bigint"] + ["json"] * 5
    assert columns(ref("Union"), **loops) == {}


def test_descriptions_come_from_the_property_else_from_what_it_refers_to() -> None:
    schemas = {"Country": {"type": "string", "description": "ISO 3166-1\n  code."}}

    assert column(ref("Country"), **schemas).description == "ISO 3166-1 code."
    assert column({**ref("Country"), "description": "Of birth."}, **schemas).description == (
        "Of birth."
    )
    union = {"anyOf": [ref("Country"), {"type": "null"}]}
    assert column(union, **schemas).description == "ISO 3166-1 code."
    assert column({"type": "string", "description": 5}).description is None


def test_the_values_of_an_enumeration_are_choices_and_in_the_description() -> None:
    found = column({"type": "string", "enum": ["a", "b", None], "description": "The kind."})

    assert found.choices == ("a", "b")
    assert found.description == "The kind. One of a, b."
    assert column({"enum": [1, 2]}).choices == ("1", "2")
    assert column({"const": "order"}).choices == ("order",)
    assert column({"const": "order"}).description is None


def test_choices_of_a_union_are_those_of_all_options_unless_one_is_open() -> None:
    new, old = {"type": "string", "enum": ["new"]}, {"const": "old"}

    assert column({"anyOf": [new, old, {"type": "null"}]}).choices == ("new", "old")
    assert column({"anyOf": [new, {"type": "string"}]}).choices == ()


def test_the_description_names_the_first_values_of_a_long_enumeration() -> None:
    found = column({"enum": [f"c{number}" for number in range(200)]})

    assert len(found.choices) == 200
    assert str(found.description).endswith("c18, c19, ...")
    assert len(str(found.description)) < 120


def test_fields_that_no_table_can_have_are_left_out() -> None:
    fields = ["", " ", "\n", "a\0", "\ud800", 'a"', "a\\", "ok"]
    row = {"properties": {field: {"type": "string"} for field in fields}}

    assert list(columns(row)) == ["ok"]


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": None, "required": "id"},
        {"properties": ["id"], "required": None},
        {"allOf": None, "oneOf": {}},
        {"allOf": [None, 5, []]},
        {"type": "string"},
        {"type": {}, "anyOf": [None, True]},
    ],
)
def test_a_schema_without_properties_makes_no_columns(schema: Any) -> None:
    assert columns(schema) == {}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": ["string", {"type": "null"}]},
        {"type": 5},
        {"type": "string", "format": ["date"]},
        {"enum": "a"},
        {"enum": [{"a": 1}, [1]]},
        {"anyOf": "string"},
        {"$ref": 5, "allOf": 3},
        {"type": "string", "description": ["a"], "nullable": "yes"},
    ],
)
def test_a_slightly_invalid_schema_still_makes_a_column(schema: Any) -> None:
    assert column(schema).data_type in ("text", "json")


def test_a_reference_that_leads_nowhere_is_named() -> None:
    with pytest.raises(ContractError, match="`#/components/schemas/Gone`"):
        column(ref("Gone"))
