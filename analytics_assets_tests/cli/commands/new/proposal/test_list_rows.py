"""The rows of an operation: where they are in its answer, and when it has none."""

from typing import Any

import pytest

from analytics_assets.config.errors import ConfigurationError
from analytics_assets_tests.cli.commands.new.documents import (
    NUMBER,
    ORDER,
    TEXT,
    array,
    body,
    get,
    orders,
    proposed,
    query,
)

LIST = array(ORDER)
OTHER = array({"code": TEXT})


@pytest.mark.parametrize(
    ("schema", "selector"),
    [
        (LIST, None),
        (body(data=LIST), "data"),
        (body(orders=LIST, count=NUMBER), "orders"),
        (body(result=body(items=LIST, total=NUMBER)), "result.items"),
        (body(_embedded=body(orders=LIST)), "_embedded.orders"),
        (body(errors=OTHER, data=LIST), "data"),
        (body(errors=OTHER, visits=LIST), "visits"),
        (body(data=LIST, links=array({"rel": TEXT, "href": TEXT})), "data"),
        ({"oneOf": [{"type": "null"}, LIST]}, None),
        (body(data={"anyOf": [LIST, {"type": "null"}]}), "data"),
        ({"allOf": [body(total=NUMBER), body(data=LIST)]}, "data"),
    ],
)
def test_rows_are_found_by_the_names_of_lists(schema: Any, selector: str | None) -> None:
    found = orders(schema).selector

    assert (found.value, found.check) == (selector, None)


def test_of_two_lists_of_one_name_the_first_is_a_guess() -> None:
    selector = orders(body(data=LIST, items=OTHER)).selector

    assert selector.value == "data"
    assert "`items`" in str(selector.check)


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        (body(id=NUMBER, items=LIST), "it answers with one object, no list"),
        (body(id=NUMBER, name=TEXT), "it answers with one object, no list"),
        (body(a=NUMBER, b=NUMBER, c=LIST, d=TEXT), "it answers with one object, no list"),
        (body(first=NUMBER), "it answers with an object without a list of objects"),
        ({"type": "array", "items": TEXT}, "it answers with a list of values, not of objects"),
        (None, "the document does not describe its answer as JSON"),
        (
            {"type": "object", "additionalProperties": body(id=NUMBER)},
            "it answers with an object without names of its own, no list",
        ),
    ],
)
def test_what_is_no_list_is_left_out_with_the_reason(schema: Any, reason: str) -> None:
    [skipped] = proposed({"/stock": get(schema), "/orders": get(LIST)}).skipped

    assert (skipped.path, skipped.reason, skipped.is_list) == ("/stock", reason, False)


def test_an_object_with_a_list_is_a_page_if_its_parameters_page() -> None:
    schema = body(id=NUMBER, first=TEXT, second=TEXT, lines=LIST)

    assert orders(schema, query("page", NUMBER)).selector.value == "lines"


def test_an_answer_that_is_a_list_counts_as_one_behind_a_parameter_too() -> None:
    paths = {"/orders": get(LIST), "/orders/{id}": get(body(id=NUMBER, items=LIST))}

    assert [each.name for each in proposed(paths).resources] == ["orders"]


def test_a_document_without_a_list_is_refused_with_reasons() -> None:
    with pytest.raises(ConfigurationError, match=r"no list that can be loaded\. /me: it answers"):
        proposed({"/me": get(body(id=NUMBER, name=TEXT))})


def test_a_broken_reference_leaves_out_its_path_alone() -> None:
    broken = get({"$ref": "#/components/schemas/Gone"})
    api = proposed({"/orders": get(LIST), "/gone": broken})

    assert [each.name for each in api.resources] == ["orders"]
    assert "`#/components/schemas/Gone`, which is not there" in api.skipped[0].reason


def test_a_schema_that_unfolds_without_an_end_leaves_out_its_path_alone() -> None:
    schemas = {
        f"S{number}": {"allOf": [{"$ref": f"#/components/schemas/S{number + 1}"}] * 2}
        for number in range(40)
    }
    paths = {"/orders": get(LIST), "/bomb": get({"$ref": "#/components/schemas/S0"})}
    api = proposed(paths, components={"schemas": {**schemas, "S40": {}}})

    assert [each.name for each in api.resources] == ["orders"]
    assert "unfolds into more than" in api.skipped[0].reason


def test_deprecated_paths_are_left_out_unless_they_are_named() -> None:
    paths = {"/orders": get(LIST), "/old": get(LIST, deprecated=True)}

    assert [each.reason for each in proposed(paths).skipped] == ["it is deprecated"]
    assert [each.name for each in proposed(paths, only=["old"]).resources] == ["old"]


def test_a_search_by_post_is_named_and_left_to_the_user() -> None:
    posted = {"post": get(LIST)["get"]}
    paths = {"/orders": {**get(LIST), **posted}, "/lines/search": posted, "/lines/batch": posted}
    api = proposed(paths)

    assert [each.name for each in api.resources] == ["orders"]
    assert [(each.path, each.reason) for each in api.skipped] == [
        ("/lines/search", "it is a POST: write its entry by hand")
    ]


def test_parameters_of_a_list_make_one_of_an_answer_that_nobody_describes() -> None:
    paged = query("page", NUMBER)
    paths = {"/orders": get(None, paged), "/lines": get(body(id=NUMBER, name=TEXT), paged)}
    api = proposed(paths)

    assert [(each.name, each.selector.value) for each in api.resources] == [
        ("orders", None),
        ("lines", None),
    ]
    assert all(each.selector.check for each in api.resources)


def test_rows_may_be_under_a_part_of_a_name_with_dots() -> None:
    answer = body(channels=LIST, response_metadata=array({"next": TEXT}))

    [resource] = proposed({"/channels.list": get(answer)}).resources
    assert (resource.name, resource.selector.value) == ("channels", "channels")
