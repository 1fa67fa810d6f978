"""The paginator of an entry, by the shapes that documents have."""

from typing import Any

import pytest

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
    values,
)

LIST = array(ORDER)
FLAG = {"type": "boolean"}
LINK = {"type": "string", "format": "uri", "nullable": True}
LIMIT = query("limit", {"type": "integer", "maximum": 200})
SHAPES: dict[str, tuple[Any, list[Any], Any]] = {
    "offset and limit": (
        body(data=LIST, total=NUMBER),
        [LIMIT, query("offset", NUMBER)],
        {"type": "offset", "limit": 200},
    ),
    "offset and limit under other names": (
        body(data=LIST),
        [query("$top", NUMBER | {"maximum": 50}), query("$skip", NUMBER)],
        {"type": "offset", "limit": 50, "offset_param": "$skip", "limit_param": "$top"},
    ),
    "a start index that counts from one": (
        body(Resources=LIST, totalResults=NUMBER),
        [query("count", NUMBER | {"maximum": 50}), query("startIndex", NUMBER | {"minimum": 1})],
        {
            "type": "offset",
            "limit": 50,
            "offset": 1,
            "offset_param": "startIndex",
            "limit_param": "count",
        },
    ),
    "page number and number of pages": (
        body(items=LIST, meta=body(total_pages=NUMBER)),
        [query("page", NUMBER | {"default": 1}), query("per_page", NUMBER | {"maximum": 100})],
        {"type": "page_number", "base_page": 1, "total_path": "meta.total_pages"},
    ),
    "page number from zero": (
        body(content=LIST, totalPages=NUMBER),
        [query("page", NUMBER | {"minimum": 0}), query("size", NUMBER)],
        {"type": "page_number", "base_page": 0, "total_path": "totalPages"},
    ),
    "link of Django REST framework": (
        body(results=LIST, count=NUMBER, next=LINK, previous=LINK),
        [query("page", NUMBER)],
        {"type": "json_link", "next_url_path": "next"},
    ),
    "link of JSON:API": (
        body(data=LIST, links=body(next=LINK)),
        [query("page[number]", NUMBER), query("page[size]", NUMBER)],
        {"type": "json_link", "next_url_path": "links.next"},
    ),
    "links in a list": (
        body(data=LIST, links=array({"rel": TEXT, "href": TEXT})),
        [],
        {"type": "json_link", "next_url_path": "links[?(@.rel=='next')].href"},
    ),
    "token of a next page": (
        body(items=LIST, nextPageToken=TEXT),
        [query("pageToken"), query("pageSize", NUMBER)],
        {"type": "cursor", "cursor_path": "nextPageToken", "cursor_param": "pageToken"},
    ),
    "token of Kubernetes": (
        body(items=LIST, metadata=body(**{"continue": TEXT})),
        [query("continue", TEXT, description="It is valid for a time.")],
        {"type": "cursor", "cursor_path": "metadata.continue", "cursor_param": "continue"},
    ),
    "cursor that is a number": (
        body(merchants=LIST, cursor=NUMBER),
        [query("cursor", NUMBER)],
        {"type": "cursor", "cursor_path": "cursor", "cursor_param": "cursor"},
    ),
    "cursor and flag": (
        body(data=LIST, next_cursor=TEXT, has_more=FLAG),
        [query("cursor"), LIMIT],
        {
            "type": "cursor",
            "cursor_path": "next_cursor",
            "cursor_param": "cursor",
            "has_more_path": "has_more",
        },
    ),
    "cursor within metadata": (
        body(members=LIST, response_metadata=body(next_cursor=TEXT)),
        [query("cursor")],
        {
            "type": "cursor",
            "cursor_path": "response_metadata.next_cursor",
            "cursor_param": "cursor",
        },
    ),
    "id of the last row": (
        body(data=LIST, has_more=FLAG),
        [query("starting_after"), query("ending_before"), LIMIT],
        {
            "type": "cursor",
            "cursor_path": "data[-1].id",
            "cursor_param": "starting_after",
            "has_more_path": "has_more",
        },
    ),
    "offset that is a token": (
        body(records=LIST, offset=TEXT, next_page=body(offset=TEXT)),
        [query("offset", TEXT), query("pageSize", NUMBER)],
        {"type": "cursor", "cursor_path": "next_page.offset", "cursor_param": "offset"},
    ),
    "a time that is called like a cursor": (
        body(values=LIST, next=LINK),
        [query("after", TEXT, description="An ISO timestamp.")],
        {"type": "json_link", "next_url_path": "next"},
    ),
    "a time as the token of a next page": (
        body(orders=LIST, pagination=body(next=NUMBER)),
        [query("until", NUMBER), query("since", NUMBER)],
        {"type": "cursor", "cursor_path": "pagination.next", "cursor_param": "until"},
    ),
    "a size with a default": (
        LIST,
        [query("startAt", NUMBER), query("maxResults", NUMBER | {"default": 50})],
        {"type": "offset", "limit": 50, "offset_param": "startAt", "limit_param": "maxResults"},
    ),
    "nothing that pages": (LIST, [query("state")], "single_page"),
    "a size alone": (LIST, [LIMIT], "single_page"),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_paginator_follows_from_parameters_and_answer(shape: str) -> None:
    schema, parameters, paginator = SHAPES[shape]

    assert values(orders(schema, *parameters).paginator) == paginator


def test_a_header_link_is_followed() -> None:
    headers = {"headers": {"Link": {"schema": TEXT}}}
    resource = orders(LIST, query("page", NUMBER), LIMIT, answer=headers)

    assert values(resource.paginator) == "header_link"
    assert values(resource.params) == {"limit": 200}


@pytest.mark.parametrize(
    ("description", "largest"),
    [
        ("Rows of a page (max 100).", 100),
        ("Between 1 and 250, 10 by default.", 250),
        ("Up to 1,000 rows.", 1000),
        ("A limit of 1-50 rows.", 50),
        ("The number of results per page. Default 20.", None),
    ],
)
def test_the_largest_page_is_read_from_a_description(description: str, largest: int | None) -> None:
    sized = query("per_page", NUMBER, description=description)
    resource = orders(LIST, query("page", NUMBER), sized)

    assert values(resource.params) == ({"per_page": largest} if largest else {})


@pytest.mark.parametrize(
    ("description", "first", "is_said"),
    [("Zero-based page index.", 0, True), ("Starts at 1.", 1, True), ("The page.", 1, False)],
)
def test_the_number_of_the_first_page_is_a_guess_without_a_minimum(
    description: str, first: int, is_said: bool
) -> None:
    resource = orders(LIST, query("page", NUMBER, description=description))
    base = resource.paginator.value["base_page"]

    assert base.value == first
    assert ("description" in base.check) is is_said


def test_what_the_document_says_needs_no_check() -> None:
    resource = orders(body(data=LIST, total=NUMBER), LIMIT, query("offset", NUMBER))

    assert resource.checks == []


def test_an_answer_that_nobody_describes_leaves_the_paginator_to_detection() -> None:
    paths = {"/orders": get({"type": "array", "items": {}}, query("cursor"))}
    [resource] = proposed(paths).resources

    assert resource.paginator.value == "auto"
    assert "next value of `cursor`" in str(resource.paginator.check)
