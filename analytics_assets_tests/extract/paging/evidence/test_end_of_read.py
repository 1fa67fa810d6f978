"""The end of a read: an empty page in its middle is no end, whatever the paginator."""

from typing import Any

import pytest
from dlt.sources.helpers.rest_client.paginators import BaseNextUrlPaginator

from analytics_assets_tests.extract.paging.evidence import hiccup_server as api
from analytics_assets_tests.extract.paging.evidence.hiccup_server import (
    BY_NUMBER,
    CURSOR,
    JSON_LINK,
    OFFSET,
    ROWS,
    both,
    count,
    cursor,
    hiccup,
    link,
    link_header,
    pages,
)
from analytics_assets_tests.extract.paging.orders_read import attempted, failed, read
from analytics_assets_tests.support import paged_server
from analytics_assets_tests.support.paged_server import Answer, Request, in_turn, page, rows

FOR_EVER = 99


class OwnLink(BaseNextUrlPaginator):
    """A paginator of a user's own, by the field `next`."""

    def update_state(self, response: Any, data: Any = None) -> None:
        self._next_reference = response.json()["next"]


# the paginator, and the fields beside the rows
KINDS: dict[str, tuple[Any, api.Fields]] = {
    "offset, count and link": (OFFSET, both(count("count"), link)),
    "offset, count": (OFFSET, count("count")),
    "offset, rowCount": ({**OFFSET, "total_path": "rowCount"}, count("rowCount")),
    "offset, unnamed rowCount": (OFFSET, count("rowCount")),
    "offset, link": (OFFSET, link),
    "offset, pages": ({**OFFSET, "total_path": "pages"}, pages),
    "page number, named pages": ({**BY_NUMBER, "total_path": "pages"}, pages),
    "page number, unnamed pages": (BY_NUMBER, pages),
    "page number, named count": ({**BY_NUMBER, "total_path": "count"}, count("count")),
    "page number, unnamed count": (BY_NUMBER, count("count")),
    "page number, link": (BY_NUMBER, link),
    "json_link, count": (JSON_LINK, both(count("count"), link)),
    "json_link, named count": ({**JSON_LINK, "total_path": "n"}, both(count("n"), link)),
    "json_link, named pages": ({**JSON_LINK, "total_path": "pages"}, both(pages, link)),
    "cursor, odata count": (CURSOR, both(count("@odata.count"), cursor)),
    "cursor, pages": (CURSOR, both(pages, cursor)),
    "auto, count": ("auto", both(count("count"), link)),
    "own, count": (OwnLink(), both(count("count"), link)),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("in_flight", [1, 16])
def test_a_page_that_is_empty_once_loses_no_row(
    kind: str, in_flight: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("READING__MAX_IN_FLIGHT", str(in_flight))
    monkeypatch.setenv("READING__ADAPTIVE", "false")
    paginator, fields = KINDS[kind]

    assert paged_server.read(hiccup(fields), paginator=paginator).rows == ROWS


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_that_stays_empty_fails_the_read(kind: str) -> None:
    paginator, fields = KINDS[kind]

    assert failed(hiccup(fields, FOR_EVER), paginator=paginator).error


def test_without_any_evidence_a_page_that_is_empty_once_loses_no_row_either() -> None:
    for paginator in (OFFSET, BY_NUMBER):
        assert read(hiccup(lambda *_: {}), paginator=paginator).rows == ROWS


def test_the_header_link_is_evidence_and_is_followed() -> None:
    def nothing(*_: int) -> dict[str, Any]:
        return {}

    for paginator in (OFFSET, BY_NUMBER, "header_link", "auto"):
        found = read(hiccup(nothing, headers=link_header), paginator=paginator)
        assert found.rows == ROWS
    error = failed(hiccup(nothing, FOR_EVER, link_header), paginator=OFFSET).error
    assert "page at offset 400 is empty, and the page after it has rows" in error


@pytest.mark.parametrize(
    "fields",
    [
        lambda _offset, found: {"count": found},  # the rows of the page
        lambda *_: {"count": api.SIZE},  # the size of a page
        lambda *_: {"limit": 2000, "count": 2000},
        lambda offset, _: {"next": f"/orders?offset={offset + api.SIZE}"},  # on each page
        lambda offset, _: {"next_offset": offset + api.SIZE},
        lambda *_: {"pages": 1},
    ],
)
@pytest.mark.parametrize("paginator", [OFFSET, BY_NUMBER], ids=str)
def test_a_field_that_means_something_else_fails_no_read(
    paginator: dict[str, Any], fields: api.Fields
) -> None:
    assert read(hiccup(fields), paginator=paginator).rows == ROWS


@pytest.mark.parametrize("status", [400, 404, 416, 422])
def test_a_link_on_the_last_page_may_lead_to_an_error(status: int) -> None:
    def answer(asked: Request) -> Answer:
        start = asked.number("offset")
        if start > 4:
            return Answer({"error": "out of range"}, status)
        return page(*range(4)[start : start + 2], next=f"/orders?offset={start + 2}")

    assert read(answer, paginator={**OFFSET, "limit": 2}).numbers == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("paginator", "fields", "ignored"),
    [
        (OFFSET, {"count": 2000}, "count"),
        (BY_NUMBER, {"meta": {"count": 2000}}, "meta.count"),
        (BY_NUMBER, {"total": 2000}, "total"),
        (JSON_LINK, {"next_cursor": "x"}, "next_cursor"),
        ({"type": "single_page"}, {"next": "/orders?page=2"}, "next"),
        ({"type": "single_page"}, {"total": 5}, "total"),
    ],
)
def test_an_ignored_field_is_no_evidence(
    paginator: dict[str, Any], fields: dict[str, Any], ignored: str
) -> None:
    def answer(asked: Request) -> Answer:
        return page(*([] if api.offset_of(asked) else [1, 2]), **fields)

    assert f"`{ignored}`" in failed(answer, paginator=paginator).error or ignored == "total"
    found = read(answer, paginator={**paginator, "ignored_fields": [ignored]})
    assert found.rows == rows(1, 2)


def test_an_error_names_the_field_and_both_remedies() -> None:
    error = failed(
        lambda _: page(1, 2, **{"nextPageToken": "x"}), paginator={"type": "single_page"}
    ).error

    assert "it has `nextPageToken`" in error
    assert '"paginator": {"type": "cursor", "cursor_path": "nextPageToken"' in error
    assert '"ignored_fields": ["nextPageToken"]' in error


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("@odata.nextLink", ["/orders?offset=2", None]),
        ("links", [[{"rel": "next", "href": "/orders?offset=2"}], []]),
        ("continuationToken", ["/orders?offset=2", ""]),
    ],
)
def test_a_link_that_dlt_does_not_know_is_followed(name: str, values: list[Any]) -> None:
    answers = in_turn(page(1, 2, **{name: values[0]}), page(3, **{name: values[1]}))

    assert read(answers, paginator="auto").numbers == [1, 2, 3]


@pytest.mark.parametrize(
    ("named", "flags"),
    [
        ({"has_more_path": "more"}, [{"more": True}, {"more": False}]),
        ({"last_page_path": "over"}, [{"over": False}, {"over": True}]),
        ({"last_page_path": "meta.over"}, [{"meta": {"over": "no"}}, {"meta": {"over": "yes"}}]),
    ],
)
@pytest.mark.parametrize(
    "paginator",
    [OFFSET, BY_NUMBER, {**JSON_LINK, "next_url_path": "follow"}, CURSOR],
    ids=lambda paginator: str(paginator["type"]),
)
def test_a_named_flag_ends_a_read_for_every_paginator(
    paginator: dict[str, Any], named: dict[str, Any], flags: list[dict[str, Any]]
) -> None:
    following = [{"follow": f"/orders?offset={place}", "after": place} for place in (2, 4)]
    answers = in_turn(
        page(1, 2, **flags[0], **following[0]), page(3, 4, **flags[1], **following[1])
    )

    assert read(answers, paginator={**paginator, **named}).numbers == [1, 2, 3, 4]


def test_a_named_flag_that_is_missing_leaves_the_end_to_the_pages() -> None:
    for paginator in (OFFSET, BY_NUMBER):
        attempt = read(
            in_turn(page(1, 2), page(3), page(), page()),
            paginator={**paginator, "has_more_path": "more"},
        )
        assert attempt.numbers == [1, 2, 3]


def test_a_stream_that_names_a_next_page_at_its_end_is_read_to_its_end_once() -> None:
    answers = in_turn(
        page(1, 2, next_page="/orders?start=2", end_of_stream=False),
        page(3, next_page="/orders?start=3", end_of_stream=True),
        page(3, next_page="/orders?start=3", end_of_stream=True),
    )
    paginator = {"type": "json_link", "next_url_path": "next_page"}

    assert read(answers, paginator=paginator).numbers == [1, 2, 3]


def test_an_empty_page_is_believed_at_once_where_the_api_says_that_it_is_the_end() -> None:
    for answers, paginator in (
        (in_turn(page(total=0)), {**OFFSET, "total_path": "total"}),
        (in_turn(page(1, 2, count=2), page(count=2)), {**OFFSET, "total_path": "count"}),
        (in_turn(page(1, 2, more=True), page(more=False)), {**OFFSET, "has_more_path": "more"}),
    ):
        assert not attempted(answers, paginator=paginator).error


@pytest.mark.parametrize("total_path", ["last", "meta.pages", "n"])
def test_total_path_may_name_pages_for_an_offset(total_path: str) -> None:
    def answer(asked: Request) -> Answer:
        known = {"last": 3, "n": 3, "meta": {"pages": 3}}
        return page(*range(5)[asked.number("offset") :][:2], **known)

    found = read(answer, paginator={"type": "offset", "limit": 2, "total_path": total_path})

    assert found.numbers == [0, 1, 2, 3, 4]


def test_the_fields_of_an_only_object_are_its_own() -> None:
    order = {"id": 1, "total": 250, "count": 3, "has_more": True}
    linked = {**order, "next": "/orders/2"}

    for row, paginator in ((linked, "single_page"), (order, "auto"), (order, None)):
        answers = in_turn(Answer(row))
        assert read(answers, data_selector=None, paginator=paginator).rows == [row]


def test_a_link_contradicts_a_number_of_pages_that_is_too_low() -> None:
    def answer(asked: Request) -> Answer:
        start = 2 * (asked.number("page") - 1)
        more = {"next": "/orders"} if start + 2 < 5 else {}
        return page(*range(5)[start : start + 2], page=asked.number("page"), **more)

    found = read(answer, paginator={"type": "page_number", "base_page": 1, "total_path": "page"})

    assert found.numbers == [0, 1, 2, 3, 4]
