"""Columns of the fields of objects within a row."""

from typing import Any

import pytest

from analytics_assets.contract.column import Column, ParentObject
from analytics_assets.contract.errors import TooManyColumnsError
from analytics_assets.contract.openapi.json_schema import columns_of
from analytics_assets.contract.openapi.references import References


def ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


ADDRESS = {"properties": {"city": {"type": "string"}}, "required": ["city"]}
NESTED: dict[str, Any] = {
    "properties": {
        "id": {"type": "integer"},
        "user": {
            "type": ["object", "null"],
            "properties": {
                "email": {"type": "string", "description": "To write to."},
                "home": ref("Address"),
                "tags": {"type": "array", "items": {"type": "object"}},
            },
            "required": ["email", "home"],
        },
        "paid": {"type": "boolean"},
    },
    "required": ["id", "user"],
}


def expanded(schema: Any, depth: int = 9, **schemas: Any) -> list[Column]:
    document = {"openapi": "3.1.0", "components": {"schemas": schemas}}
    return list(columns_of(References(document), schema, lambda path: len(path) <= depth))


def test_the_fields_of_an_object_are_columns_in_its_place() -> None:
    user, home = ParentObject("user", nullable=True), ParentObject("home", nullable=False)

    assert expanded(NESTED, Address=ADDRESS) == [
        Column("id", "id", "bigint", nullable=False),
        Column("user.email", "email", "text", False, "To write to.", parents=(user,)),
        Column("user.home.city", "city", "text", nullable=False, parents=(user, home)),
        Column("user.tags", "tags", "json", nullable=True, parents=(user,)),
        Column("paid", "paid", "bool", nullable=True),
    ]
    assert [each.field for each in expanded(NESTED, 1, Address=ADDRESS)] == [
        "id", "user.email", "user.home", "user.tags", "paid",
    ]  # fmt: skip
    assert len(expanded(NESTED, 0, Address=ADDRESS)) == 3


@pytest.mark.parametrize(
    ("schema", "fields"),
    [
        ({"allOf": [ref("A"), {"properties": {"x": {"type": "string"}}}]}, ["o.city", "o.x"]),
        ({"anyOf": [ref("A"), {"type": "null"}]}, ["o.city"]),
        ({"oneOf": [ref("A"), {"properties": {"x": {}}}]}, ["o.city", "o.x"]),
        ({**ADDRESS, "additionalProperties": {"type": "string"}}, ["o.city"]),
        ({"$ref": "#/components/schemas/A", "nullable": True}, ["o.city"]),
        ({"anyOf": [ref("A"), {"type": "string"}]}, ["o"]),
        ({"anyOf": [ref("A"), {"type": "array", "items": ref("A")}]}, ["o"]),
        ({"type": ["object", "string"], **ADDRESS}, ["o"]),
        ({"type": "object", "additionalProperties": ref("A")}, ["o"]),
        ({"type": "object", "properties": {}}, ["o"]),
        ({"type": "array", "items": ref("A")}, ["o"]),
        ({}, ["o"]),
    ],
)
def test_what_is_an_object_of_known_fields_and_nothing_else_is_expanded(
    schema: Any, fields: list[str]
) -> None:
    found = expanded({"properties": {"o": schema}}, A=ADDRESS)

    assert [each.field for each in found] == fields
    assert all(each.may_be_null for each in found)


def test_an_object_that_contains_itself_ends_as_json() -> None:
    person = {
        "properties": {
            "name": {"type": "string"},
            "boss": {"anyOf": [ref("Person"), {"type": "null"}]},
            "team": ref("Team"),
        }
    }
    team = {"properties": {"lead": ref("Person"), "next": {"oneOf": [ref("Team")]}}}

    found = expanded({"properties": {"p": ref("Person")}}, Person=person, Team=team)

    assert [(each.field, each.data_type) for each in found] == [
        ("p.name", "text"),
        ("p.boss", "json"),
        ("p.team.lead", "json"),
        ("p.team.next", "json"),
    ]


def test_an_object_that_the_row_extends_is_expanded_within_it() -> None:
    mini = {"properties": {"id": {"type": "string"}}}
    folder = {"allOf": [ref("Mini"), {"properties": {"parent": ref("Mini"), "top": ref("Folder")}}]}

    found = expanded(ref("Folder"), Mini=mini, Folder=folder)

    assert [each.field for each in found] == ["id", "parent.id", "top"]


def test_objects_that_contain_each_other_end_before_there_are_too_many_columns() -> None:
    names = [f"T{number}" for number in range(12)]
    schemas = {name: {"properties": {each: ref(each) for each in names}} for name in names}

    with pytest.raises(TooManyColumnsError):
        expanded(ref("T0"), 99, **schemas)
    assert len(expanded(ref("T0"), 1, **schemas)) == 1 + 11 * 12
