from itertools import count
from typing import Any

import pytest

from analytics_assets_tests.extract.paging.orders_read import failed, read
from analytics_assets_tests.support import paged_server
from analytics_assets_tests.support.paged_server import (
    Answer,
    Answers,
    Request,
    in_turn,
    page,
    rows,
)

Kind = dict[str, Any]
OFFSET = {"type": "offset", "limit": 2}
IN_BODY = {"offset_body_path": "page.offset", "limit_body_path": "page.limit"}
KINDS: dict[str, Kind] = {
    "offset": {"paginator": OFFSET},
    "offset in the body": {"method": "POST", "json": {"q": 1}, "paginator": {**OFFSET, **IN_BODY}},
    "page": {"paginator": {"type": "page_number", "total_path": None}},
    "page of a known number": {"paginator": {"type": "page_number", "total_path": "pages"}},
    "page of a missing number": {"paginator": {"type": "page_number", "total_path": "all.pages"}},
    "cursor": {"paginator": {"type": "cursor", "cursor_path": "after", "cursor_param": "after"}},
    "cursor in the body": {
        "method": "POST",
        "json": {"q": 1},
        "paginator": {"type": "cursor", "cursor_path": "after", "cursor_body_path": "page.after"},
    },
    "link in the body": {"paginator": {"type": "json_link", "next_url_path": "links.next"}},
    "link in a header": {"paginator": "header_link"},
    "whatever dlt finds": {"paginator": "auto"},
}
LEAD_ON = [name for name in KINDS if name.startswith(("cursor", "link", "whatever"))]


def position(asked: Request) -> int:
    """The number of rows before the page of a request, by any kind of paging."""
    in_body = (asked.body or {}).get("page", {})
    after = asked.query.get("after") or in_body.get("after") or 0
    return (
        int(after) or in_body.get("offset", 0) or asked.number("offset") + 2 * asked.number("page")
    )


def leading(found: list[Any], total: Any, following: int | None, pages: int = 3) -> Answer:
    """A page that says where the next one is in all the ways there are."""
    url = None if following is None else f"/orders?after={following}"
    body = {"data": found, "total": total, "pages": pages}
    headers = {"Link": f'<{url}>; rel="next"'} if url else {}
    return Answer({**body, "links": {"next": url}, "after": following}, headers=headers)


def two_by_two(all_rows: list[Any], total: int | None = None) -> Answers:
    """An API that understands every kind of paging."""

    def answer(asked: Request) -> Answer:
        start = position(asked)
        following = start + 2 if start + 2 < len(all_rows) else None
        said = len(all_rows) if total is None else total
        return leading(all_rows[start : start + 2], said, following, -(-len(all_rows) // 2))

    return answer


@pytest.mark.parametrize("kind", KINDS)
def test_all_rows_are_read(kind: str) -> None:
    attempt = paged_server.read(two_by_two(rows(1, 2, 3, 4, 5)), **KINDS[kind])

    assert attempt.rows == rows(1, 2, 3, 4, 5)
    assert all(asked.body is None or asked.body["q"] == 1 for asked in attempt.requests)


@pytest.mark.parametrize("kind", KINDS)
def test_a_read_that_brings_fewer_rows_than_the_total_fails_with_the_numbers(kind: str) -> None:
    attempt = failed(two_by_two(rows(1, 2, 3, 4, 5), total=6), **KINDS[kind])

    assert attempt.error.startswith("orders: no complete read in 3 passes: the rows that arrived")
    assert "Expected 6 rows, received 5" in attempt.error


@pytest.mark.parametrize("kind", KINDS)
def test_another_pass_begins_with_the_first_request_again(kind: str) -> None:
    all_rows = rows(1, 2, 3, 4)
    answers = two_by_two(all_rows)

    def grow(asked: Request) -> Answer:
        answer = answers(asked)
        if len(all_rows) < 5:
            all_rows.insert(0, {"id": 0})
        return answer

    attempt = read(grow, **KINDS[kind])

    assert attempt.numbers == [0, 1, 2, 3, 4]
    assert attempt.requests[2] == attempt.requests[0]
    assert len(attempt.requests) >= 5


@pytest.mark.parametrize("kind", KINDS)
def test_an_api_that_ignores_the_parameters_fails_the_read_at_its_second_page(kind: str) -> None:
    attempt = failed(lambda _asked: leading(rows(1, 2), 6, 2), **KINDS[kind])

    assert attempt.error.startswith("orders: the page at offset 2 has the rows of the page before")
    assert len(attempt.requests) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_pages_that_go_in_circles_come_to_an_end(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("READING__MAX_IN_FLIGHT", "1")  # or where one is slow, others are asked for
    turns = count()

    def answer(_asked: Request) -> Answer:
        turn = next(turns)
        return leading(rows(turn % 3), 90, turn + 1, pages=90)

    attempt = failed(answer, **KINDS[kind])

    assert "all rows at offset 3 had come before" in attempt.error
    assert len(attempt.requests) == 12


@pytest.mark.parametrize("kind", LEAD_ON)
def test_a_page_that_names_itself_as_the_next_one_fails_the_read(kind: str) -> None:
    turns = count()

    attempt = failed(lambda _asked: leading(rows(next(turns)), 90, 1), **KINDS[kind])

    assert "names the page that it has just returned as the next one" in attempt.error
    assert len(attempt.requests) == 2


@pytest.mark.parametrize("status", [404, 416])
def test_an_error_behind_the_last_row_is_the_end_once_the_total_has_arrived(status: int) -> None:
    answers = in_turn(page(1, 2, total=4), page(3, 4, total=4), Answer({}, status=status))

    assert read(answers).numbers == [1, 2, 3, 4]


def test_a_page_that_comes_again_behind_the_last_row_is_the_end_too() -> None:
    assert read(in_turn(page(1, 2, total=2), page(1, 2, total=2))).numbers == [1, 2]


@pytest.mark.parametrize("status", [401, 403, 410, 500])
def test_another_error_behind_the_last_row_is_an_error(status: int) -> None:
    answers = in_turn(page(1, 2, total=2), *[Answer({}, status=status)] * 4)

    assert f"answered {status}" in failed(answers).error


@pytest.mark.parametrize("total", [None, 3, 1])
def test_an_error_before_the_total_has_arrived_is_an_error(total: int | None) -> None:
    answers = in_turn(page(1, 2, total=total), *[Answer({}, status=404)] * 3)

    assert failed(answers).error


def test_one_page_is_not_enough_where_the_total_is_higher() -> None:
    attempt = failed(lambda _asked: page(1, 2, total=3), paginator="auto")

    assert "Expected 3 rows, received 2" in attempt.error


def test_one_page_is_enough_where_the_configuration_ignores_what_says_that_there_are_more() -> None:
    paginator = {"type": "single_page", "ignored_fields": ["total", "next"]}
    answers = in_turn(page(1, 2, total=3, next="/orders?page=2"))

    assert read(answers, paginator=paginator).numbers == [1, 2]


def test_a_single_page_is_not_enough_where_the_api_says_that_there_are_more() -> None:
    error = failed(lambda _asked: page(1, 2, total=3), paginator="single_page").error

    assert "Expected 3 rows, received 2" in error


@pytest.mark.parametrize("passes", [1, 2, 5])
def test_passes_are_as_many_as_the_settings_say(
    passes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("READING__PASSES", str(passes))
    attempt = failed(lambda _asked: page(1, total=9), paginator="auto")

    assert len(attempt.requests) == passes


def test_another_pass_detects_the_paginator_again() -> None:
    changing = in_turn(
        page(1, 2, total=3, total_pages=2),
        page(3, total=4, total_pages=2),
        page(1, 2, total=4, total_pages=2),
        page(3, 4, total=4, total_pages=2),
    )

    attempt = read(changing, paginator="auto")

    assert attempt.numbers == [1, 2, 3, 4]
    assert [asked.query for asked in attempt.requests] == [{}, {"page": "1"}] * 2


@pytest.mark.parametrize("fields", [{"has_more": True}, {"next": "/orders?after=2"}])
@pytest.mark.parametrize("paginator", ["single_page", {"type": "cursor", "cursor_path": "after"}])
def test_a_total_that_may_be_that_of_the_page_is_no_end_where_the_page_states_more(
    fields: dict[str, Any], paginator: Any
) -> None:
    answers = in_turn(*[page(1, 2, total=2, **fields)] * 9)

    assert "states that more rows follow" in failed(answers, paginator=paginator).error
    named = {"type": "single_page", "total_path": "total"}
    assert read(answers, paginator=named).numbers == [1, 2]


def test_a_number_of_pages_may_be_called_total_too() -> None:
    answers = two_by_two(rows(1, 2, 3, 4, 5), total=3)

    attempt = read(answers, paginator={"type": "page_number", "total_path": "total"})

    assert attempt.numbers == [1, 2, 3, 4, 5]


def test_a_number_of_pages_that_goes_missing_leaves_the_end_to_an_empty_page() -> None:
    paginator = {"type": "page_number", "total_path": "pages", "stop_after_empty_page": False}
    answers = in_turn(page(1, 2, pages=2), page(3), *[page()] * 9)

    assert read(answers, paginator=paginator).numbers == [1, 2, 3]


def test_without_a_selector_each_page_must_have_its_rows_where_the_first_one_has_them() -> None:
    elsewhere = Answer({"items": rows(3, 4), "total": 4})

    attempt = failed(in_turn(page(1, 2, total=4), *[elsewhere] * 9), data_selector=None)

    assert (
        "offset=2&limit=2: the API answered 200 with no `data` in its body, unlike the first "
        in (attempt.error)
    )
    assert "the keys `items`, `total`. Set `data_selector`" in attempt.error
