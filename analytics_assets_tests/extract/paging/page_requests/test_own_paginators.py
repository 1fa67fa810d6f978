"""Paginators of the user's own, also those that derive from one of dlt's."""

import json
from typing import Any

import pytest
import requests
from dlt.sources.helpers.rest_client.paginators import (
    BasePaginator,
    HeaderCursorPaginator,
    JSONLinkPaginator,
    OffsetPaginator,
    PageNumberPaginator,
)

from analytics_assets_tests.support.paged_server import (
    Answer,
    Answers,
    Request,
    page,
    paged,
    read,
    rows,
)

PAGE = 2
ROWS = rows(*range(40))


class ByRows(BasePaginator):
    """Advances by the number of rows, in some part of the request."""

    def __init__(self, part: str) -> None:
        super().__init__()
        self.part = part
        self.rows = 0

    def update_state(self, response: requests.Response, data: list[Any] | None = None) -> None:
        self.rows += len(data or [])
        self._has_next_page = len(data or []) == PAGE

    def update_request(self, request: requests.Request) -> None:
        getattr(request, self.part)["after"] = str(self.rows)


def changing_once(start: Any) -> Answers:
    """An API whose second page has a row of the first one, once."""
    left = [rows(1, 2)]

    def answer(asked: Request) -> Answer:
        after = int(start(asked) or 0)
        found = left.pop() if after == PAGE and left else ROWS[after : after + PAGE]
        return Answer({"data": found})

    return answer


def test_another_pass_has_none_of_the_headers_of_the_last_one() -> None:
    answers = changing_once(lambda asked: asked.headers.get("after"))

    assert read(answers, paginator=ByRows("headers")).numbers == list(range(40))


def test_another_pass_has_none_of_the_form_of_the_last_one() -> None:
    answers = changing_once(lambda asked: asked.form.get("after"))

    found = read(answers, method="POST", data={"q": "1"}, paginator=ByRows("data"))

    assert found.numbers == list(range(40))


class _Token:
    """Sends what the last page has beside its place."""

    token = 0

    def update_state(self, response: requests.Response, data: list[Any] | None = None) -> None:
        super().update_state(response, data)  # type: ignore[misc]
        self.token = response.json()["token"]

    def update_request(self, request: requests.Request) -> None:
        super().update_request(request)  # type: ignore[misc]
        request.params["token"] = self.token


class ByTokenAndOffset(_Token, OffsetPaginator):
    pass


class ByTokenAndNumber(_Token, PageNumberPaginator):
    pass


class InOffsets(PageNumberPaginator):
    """Sends the offset of a page in the place of its number."""

    def update_request(self, request: requests.Request) -> None:
        request.params["page"] = self.current_value * PAGE


@pytest.mark.usefixtures("pages_at_once")
@pytest.mark.parametrize(
    ("paginator", "rows_a_step"),
    [
        (ByTokenAndOffset(limit=PAGE, total_path="total"), 1),
        (ByTokenAndNumber(base_page=0, total_path=None), PAGE),
    ],
)
def test_no_page_is_requested_before_the_page_by_which_its_request_is_made(
    paginator: BasePaginator, rows_a_step: int
) -> None:
    def answer(asked: Request) -> Answer:
        start = (asked.number("offset") + asked.number("page")) * rows_a_step
        if asked.number("token") != start:
            return Answer({}, status=400)
        found = ROWS[start : start + PAGE]
        return Answer({"data": found, "total": 40, "token": start + len(found)})

    assert read(answer, paginator=paginator).numbers == list(range(40))


@pytest.mark.usefixtures("pages_at_once")
def test_the_place_of_a_page_may_be_written_in_another_way() -> None:
    def answer(asked: Request) -> Answer:
        return Answer({"data": ROWS[asked.number("page") :][:PAGE]})

    found = read(answer, paginator=InOffsets(base_page=0, total_path=None))

    assert found.numbers == list(range(40))


def test_an_offset_paginator_may_find_an_end_of_its_own() -> None:
    class UpToTen(OffsetPaginator):
        def update_state(self, response: requests.Response, data: list[Any] | None = None) -> None:
            super().update_state(response, data)
            self._has_next_page = self.current_value < 10

    found = read(paged(ROWS, with_total=False), paginator=UpToTen(limit=PAGE, total_path=None))

    assert found.numbers == list(range(10))


@pytest.mark.parametrize("kind", [HeaderCursorPaginator, JSONLinkPaginator])
def test_a_reference_may_be_found_elsewhere(kind: Any) -> None:
    class Elsewhere(kind):  # type: ignore[misc]
        def update_state(self, response: requests.Response, data: list[Any] | None = None) -> None:
            self._next_reference = response.json().get("elsewhere")

        def update_request(self, request: requests.Request) -> None:
            request.params["after"] = self._next_reference

    def answer(asked: Request) -> Answer:
        after = asked.number("after")
        return page(after, after + 1, **({"elsewhere": after + 2} if after < 8 else {}))

    assert read(answer, paginator=Elsewhere()).numbers == list(range(10))


def test_a_response_has_its_text_by_its_encoding() -> None:
    seen = []

    class Reading(ByRows):
        def update_state(self, response: requests.Response, data: list[Any] | None = None) -> None:
            super().update_state(response, data)
            seen.append((response.text, response.reason))

    body = json.dumps({"data": [{"id": 1, "text": "\u00e4\u0107"}]}, ensure_ascii=False)

    read(lambda _: Answer(body.encode()), paginator=Reading("params"))

    assert seen == [(body, "OK")]
