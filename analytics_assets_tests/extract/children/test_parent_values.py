"""Values of parent rows in the requests for their children."""

from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import pytest

from analytics_assets.extract.children.parent_values import (
    ParentValueError,
    ParentValues,
    as_header,
    as_json,
    as_path,
    as_segment,
    as_text,
)
from analytics_assets_tests.extract.rows.reading import extract, metrics_of
from analytics_assets_tests.support.paged_server import (
    Answer,
    Answers,
    Read,
    Request,
    drain,
    orders,
    serving,
    source_of,
)

ODD = [
    "y#1",
    "a/b",
    "..",
    ".",
    "...",
    "ü",
    "100%",
    "%2F",
    "a b",
    "a?b=c",
    "a&b=c+d",
    "a;b",
    "\\",
    "{x}",
]
PARENTS = orders(path="/parents", paginator="single_page") | {"name": "parents"}


def kids(path: str = "/refs/{resources.parents.ref}/kids", **endpoint: Any) -> dict[str, Any]:
    return {
        "name": "kids",
        "primary_key": "id",
        "endpoint": {
            "path": path,
            "data_selector": "data",
            "paginator": "single_page",
            **endpoint,
        },
    }


def answers(refs: list[Any], field: str = "ref") -> Answers:
    """Parents with these references, and one kid for whatever else is asked."""
    parents = [{"id": number, field: ref} for number, ref in enumerate(refs)]

    def answer(asked: Request) -> Answer:
        return Answer({"data": parents if asked.path == "/parents" else [{"id": asked.path}]})

    return answer


def read_kids(refs: list[Any], entry: dict[str, Any], field: str = "ref") -> Read:
    with serving(answers(refs, field)) as server:
        attempt = drain(source_of(server, PARENTS, entry).with_resources("kids"))
        attempt.requests = [each for each in server.requests if each.path != "/parents"]
    return attempt


def asked(refs: list[Any], entry: dict[str, Any]) -> list[Request]:
    attempt = read_kids(refs, entry)
    assert not attempt.error
    return attempt.requests


@pytest.mark.parametrize(
    ("value", "segment"),
    [
        ("y#1", "y%231"),
        ("a/b", "a%2Fb"),
        ("..", "%2E%2E"),
        (".", "%2E"),
        ("a.b", "a.b"),
        ("ü", "%C3%BC"),
        ("100%", "100%25"),
        ("a b", "a%20b"),
        (7, "7"),
        (True, "true"),
    ],
)
def test_a_value_is_encoded_as_one_segment_of_a_path(value: Any, segment: str) -> None:
    assert as_segment(value) == segment


@pytest.mark.parametrize("value", [{"id": 1}, [1], "\ud800"])
def test_a_value_without_a_text_is_refused(value: Any) -> None:
    for form in (as_segment, as_path, as_text, as_header):
        with pytest.raises(ValueError, match="is"):
            form(value)


@pytest.mark.parametrize("value", ["a\r\nX-Admin: 1", "a\nb", "a\0", "€", " a"])
def test_a_value_that_no_header_can_have_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="no header can have"):
        as_header(value)


@pytest.mark.parametrize("style", ["resources", "resolve"])
def test_each_value_is_one_segment_of_the_path_that_is_asked_for(style: str) -> None:
    entry = kids()
    if style == "resolve":
        reference = {"type": "resolve", "resource": "parents", "field": "ref"}
        entry = kids("/refs/{parent}/kids", params={"parent": reference})

    paths = [each.path for each in asked(ODD, entry)]

    assert [unquote(path.split("/")[2]) for path in paths] == ODD
    assert {len(path.split("/")) for path in paths} == {4}
    assert not {"/refs/../kids", "/refs/./kids"} & set(paths)


@pytest.mark.parametrize("empty", [None, ""])
@pytest.mark.parametrize(
    "place",
    [
        {},
        {"path": "/kids", "params": {"of": "{resources.parents.ref}"}},
        {"path": "/kids", "headers": {"X-Of": "{resources.parents.ref}"}},
        {"path": "/kids", "method": "POST", "json": {"of": "{resources.parents.ref}"}},
    ],
    ids=str,
)
def test_nothing_is_requested_for_a_parent_without_a_value(
    empty: Any, place: dict[str, Any]
) -> None:
    assert len(asked(["a", empty, "b"], kids(**place))) == 2


def test_parents_without_a_value_are_counted() -> None:
    pipeline = extract(answers([None, "a", "", "b"]), PARENTS, kids())

    assert metrics_of(pipeline, "kids")["parents_without_value"] == {"parents.ref": 2}


def test_values_in_a_query_are_encoded_once() -> None:
    requests = asked(ODD, kids("/kids", params={"of": "{resources.parents.ref}"}))

    assert [each.query["of"] for each in requests] == ODD


def test_values_in_a_body_keep_their_types() -> None:
    body = {"of": "{resources.parents.ref}", "text": "no {resources.parents.ref}"}
    requests = asked([7, True, "a/b"], kids("/kids", method="POST", json=body))

    assert [each.body for each in requests] == [
        {"of": 7, "text": "no 7"},
        {"of": True, "text": "no true"},
        {"of": "a/b", "text": "no a/b"},
    ]


def test_a_decimal_becomes_a_number_of_a_body() -> None:
    assert repr([as_json(Decimal("7")), as_json(Decimal("7.5"))]) == "[7, 7.5]"


def test_values_in_headers_arrive_as_they_are() -> None:
    entry = kids("/kids", headers={"X-Of": "{resources.parents.ref}"})

    assert [each.headers["x-of"] for each in asked([7, "a/b%"], entry)] == ["7", "a/b%"]
    attempt = read_kids(["a\r\nX-Admin: 1"], entry)
    assert attempt.error.startswith("kids: `ref` of a row of `parents` cannot be sent")
    assert "X-Admin" not in attempt.error
    assert attempt.requests == []


def test_a_number_can_have_a_format() -> None:
    requests = asked([7], kids("/kids", params={"of": "{resources.parents.ref:03d}"}))

    assert requests[0].query == {"of": "007"}


@pytest.mark.parametrize("link", ["/orders/7/lines", "{base}/orders/7/lines"])
def test_a_link_may_be_the_whole_path(link: str) -> None:
    with serving(answers([])) as server:
        refs = [link.format(base=server.base_url), "a/b"]
        server.answers = answers(refs)
        list(source_of(server, PARENTS, kids("{resources.parents.ref}")).with_resources("kids"))

    assert [each.path for each in server.requests[1:]] == ["/orders/7/lines", "/a%2Fb"]


def test_a_field_within_an_object_can_be_referred_to() -> None:
    requests = asked([{"name": "a/b"}], kids("/refs/{resources.parents.ref.name}/kids"))

    assert [each.path for each in requests] == ["/refs/a%2Fb/kids"]


@pytest.mark.parametrize(
    "entry",
    [kids(), kids("/kids", params={"of": "{resources.parents.ref}"}),
     kids("/kids/{resources.parents.id}") | {"include_from_parent": ["ref"]}],
    ids=str,
)  # fmt: skip
def test_a_parent_row_without_the_field_is_an_error_that_names_it(entry: dict[str, Any]) -> None:
    attempt = read_kids(["a"], entry, field="reference")

    assert "kids: a row of `parents` has no field `ref`" in attempt.error
    assert "Its fields are `id`, `reference`." in attempt.error
    assert attempt.rows == []


def test_children_get_the_fields_of_their_parent_and_no_other() -> None:
    attempt = read_kids(["a/b"], kids() | {"include_from_parent": ["ref"]})

    assert attempt.rows == [{"id": "/refs/a%2Fb/kids", "_parents_ref": "a/b"}]


def test_escaped_braces_are_no_placeholder() -> None:
    values = ParentValues("kids", {"json": {"a": "{{resources.parents.ref}}"}})

    assert values.in_endpoint({}) == {"json": {"a": "{{resources.parents.ref}}"}}


def test_a_value_that_is_an_object_is_refused() -> None:
    with pytest.raises(ParentValueError, match="the value is an object"):
        ParentValues("kids", kids()["endpoint"]).added_to({"ref": {"id": 7}})
