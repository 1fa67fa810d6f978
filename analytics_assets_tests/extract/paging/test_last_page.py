"""Answers of an API without a total behind its last row: the end, or an error."""

from typing import Any

import pytest

from analytics_assets.config.errors import find_cause
from analytics_assets.extract.http.errors import ResponseError
from analytics_assets_tests.extract.paging.orders_read import failed, read
from analytics_assets_tests.support import paged_server
from analytics_assets_tests.support.paged_server import (
    Answer,
    Answers,
    Read,
    Request,
    in_turn,
    orders,
    page,
    paged,
    rows,
    serving,
    source_of,
)

OFFSET = {"type": "offset", "limit": 2}
BY_NUMBER = {"type": "page_number", "total_path": "total"}
CURSOR = {"type": "cursor", "cursor_path": "after", "cursor_param": "after"}


def start_of(asked: Request) -> int:
    return asked.number("offset") + 2 * asked.number("page")


def ending_with(status: int, there: int, **fields: Any) -> Answers:
    """An API without a total that answers with an error behind its last row."""

    def answer(asked: Request) -> Answer:
        found = rows(*range(there))[start_of(asked) :][:2]
        gone = start_of(asked) and not found
        return (
            Answer({"error": "none"}, status=status) if gone else Answer({"data": found} | fields)
        )

    return answer


def clamping(there: int, last: int | None = None, **fields: Any) -> Answers:
    """An API without a total that gives its last page again behind it."""

    def answer(asked: Request) -> Answer:
        start = min(start_of(asked), 2 * ((there - 1) // 2) if last is None else last)
        return Answer({"data": rows(*range(there))[start : start + 2], **fields})

    return answer


@pytest.mark.parametrize("status", [404, 416])
@pytest.mark.parametrize("there", [1, 3, 4, 6])
@pytest.mark.parametrize("total_path", [None, "total"])
def test_an_error_behind_the_last_row_is_the_end_if_it_comes_again_and_the_first_page_still_does(
    status: int, there: int, total_path: str | None
) -> None:
    paginator = {**OFFSET, "total_path": total_path}

    attempt = read(ending_with(status, there), paginator=paginator)

    assert attempt.numbers == list(range(there))
    assert attempt.asked_for("offset")[-3:] == [(there,), (there,), (0,)]


def test_an_error_that_does_not_come_again_is_no_end() -> None:
    once = in_turn(page(1, 2), Answer({}, status=404), page(3), page(1, 2))

    assert '"response_actions": [{"status_code": 404, "action": "ignore"}]' in failed(once).error


def test_an_error_is_the_end_where_the_first_page_is_a_part_of_the_rows() -> None:
    part = Answer({"data": rows(1, 2)}, status=206)

    assert read(in_turn(part, *[Answer({}, status=416)] * 2, part)).numbers == [1, 2]


@pytest.mark.parametrize("first", [404, 503, 302])
def test_an_error_is_no_end_where_the_first_page_is_gone_too(first: int) -> None:
    gone = Answer({}, status=404)

    attempt = failed(in_turn(page(1, 2), page(3), gone, gone, Answer({}, status=first)))

    assert "/orders?offset=3&limit=2: the API answered 404" in attempt.error
    assert "It came after 3 rows" in attempt.error
    assert len(attempt.requests) == 5 + (first == 503)  # which is retried


@pytest.mark.parametrize("status", [400, 410, 422])
def test_another_error_behind_the_last_row_is_never_an_end(status: int) -> None:
    assert f"answered {status}" in failed(ending_with(status, 3)).error


@pytest.mark.parametrize("status", [400, 404, 416, 422])
@pytest.mark.parametrize("paginator", [OFFSET, {"type": "page_number", "total_path": None}])
@pytest.mark.parametrize("there", [1, 2, 3, 4])
def test_a_refused_request_behind_all_rows_by_the_apis_own_count_is_the_end(
    status: int, paginator: dict[str, Any], there: int
) -> None:
    answers = ending_with(status, there, total=there)

    assert read(answers, paginator=paginator).numbers == list(range(there))


@pytest.mark.parametrize("status", [400, 422])
def test_a_refused_request_at_a_round_number_may_be_a_limit_that_cuts_the_total_off(
    status: int,
) -> None:
    full = page(*range(1000), total=1000)
    refused = [Answer({}, status=status)] * 9

    assert f"answered {status}" in failed(in_turn(full, *refused)).error
    first, short = page(*range(600), total=1000), page(*range(600, 1000), total=1000)
    assert len(read(in_turn(first, short, *refused)).numbers) == 1000


def test_a_short_page_is_no_end_where_the_total_may_count_pages() -> None:
    three = in_turn(page(1, 2, total=3), page(3, total=3), page(4, 5, total=3))

    assert read(three, paginator=BY_NUMBER).numbers == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("there", [1, 2, 3, 4])
@pytest.mark.parametrize("in_body", [True, False])
def test_a_number_of_pages_and_one_of_rows_end_a_read_by_page_numbers(
    there: int, in_body: bool
) -> None:
    pages = -(-there // 2)

    def answer(asked: Request) -> Answer:
        found = rows(*range(there))[2 * (asked.number("page") - 1) :][:2]
        if not found:
            return Answer({"code": "rest_post_invalid_page_number"}, status=400)
        if in_body:
            return Answer({"data": found, "meta": {"total": there, "last_page": pages}})
        return Answer(
            {"data": found}, 200, {"X-WP-Total": f"{there}", "X-WP-TotalPages": f"{pages}"}
        )

    attempt = read(answer, paginator={"type": "page_number", "base_page": 1, "total_path": None})

    assert attempt.numbers == list(range(there))
    assert len(attempt.requests) == pages


@pytest.mark.parametrize("fields", [{"has_more": True}, {"next_cursor": "x"}])
def test_an_error_is_no_end_behind_a_page_that_says_there_is_more(fields: dict[str, Any]) -> None:
    assert "answered 404" in failed(ending_with(404, 3, **fields)).error


@pytest.mark.parametrize("there", [3, 4])
def test_an_error_behind_the_last_row_ends_each_pass_of_a_read_to_be_confirmed(
    there: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("READING__CONFIRM", "true")

    assert read(ending_with(404, there)).numbers == list(range(there))
    with_total = paged(rows(1, 2))
    assert read(
        lambda asked: with_total(asked) if asked.number("offset") < 2 else Answer({}, status=404)
    ).numbers == [1, 2]


@pytest.mark.parametrize("there", [3, 4])
def test_an_error_behind_the_last_row_of_one_parent_leaves_the_others(there: int) -> None:
    lines = {
        "name": "lines",
        "primary_key": None,
        "endpoint": {
            "path": "orders/{resources.orders.id}/lines",
            "data_selector": "data",
            "paginator": OFFSET,
        },
    }
    answers = ending_with(404, there)

    def answer(asked: Request) -> Answer:
        return page(1, 2, 3) if asked.path == "/orders" else answers(asked)

    with serving(answer) as server:
        source = source_of(server, orders(paginator="single_page"), lines)
        found = Read(list(source.with_resources("lines")))

    assert found.numbers == [*range(there)] * 3


@pytest.mark.parametrize("paginator", [OFFSET, BY_NUMBER])
@pytest.mark.parametrize("there", [3, 5])
def test_a_short_last_page_that_comes_again_and_far_behind_is_the_end(
    paginator: dict[str, Any], there: int
) -> None:
    attempt = read(clamping(there), paginator=paginator)

    assert attempt.numbers == list(range(there))
    assert start_of(attempt.requests[-1]) >= there + 20


def test_a_last_page_that_comes_again_ends_each_pass_of_a_read_to_be_confirmed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("READING__CONFIRM", "true")

    assert read(clamping(5)).numbers == [0, 1, 2, 3, 4]


def test_a_full_page_that_comes_again_may_be_a_limit_on_offsets() -> None:
    assert "has the rows of the page before" in failed(clamping(9, last=4)).error


def test_a_short_page_that_comes_again_is_no_end_where_another_comes_far_behind() -> None:
    other = in_turn(page(1, 2), page(3), page(3), page(4))

    assert "has the rows of the page before" in failed(other).error


@pytest.mark.parametrize("fields", [{"has_more": True}, {"next_cursor": "x"}])
def test_a_page_that_comes_again_is_no_end_if_it_says_there_is_more(fields: dict[str, Any]) -> None:
    assert "has the rows of the page before" in failed(clamping(3, **fields)).error


@pytest.mark.parametrize("answers", [ending_with(404, 5, total=5), clamping(5, total=5)])
def test_a_total_for_the_pages_may_be_the_number_of_rows(answers: Answers) -> None:
    attempt = read(answers, paginator=BY_NUMBER)

    assert attempt.numbers == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("total", [4, 9])
@pytest.mark.parametrize(
    "answers", [ending_with, lambda status, there, **fields: clamping(there, **fields)]
)
def test_a_number_of_pages_that_is_not_reached_is_no_end(answers: Any, total: int) -> None:
    assert failed(answers(404, 5, total=total), paginator=BY_NUMBER).error


@pytest.mark.parametrize("no", [{}, {"has_more": False}])
def test_a_cursor_that_stays_the_same_behind_an_empty_page_is_the_end(no: dict[str, Any]) -> None:
    end = page(after="b", **no)
    answers = in_turn(page(1, 2, after="a"), page(3, after="b"), end, end)

    attempt = read(answers, paginator=CURSOR)

    assert attempt.numbers == [1, 2, 3]
    assert [asked.query.get("after") for asked in attempt.requests] == [None, "a", "b", "b"]


def test_a_cursor_that_stays_the_same_is_the_end_where_the_page_says_so() -> None:
    answers = in_turn(page(1, 2, after="a"), page(3, after="a", has_more=False))

    assert read(answers, paginator=CURSOR).numbers == [1, 2, 3]


@pytest.mark.parametrize("last", [page(3, after="a"), page(3, after="a", has_more=True)])
def test_a_cursor_that_stays_the_same_beside_rows_is_an_error(last: Answer) -> None:
    attempt = failed(in_turn(page(1, 2, after="a", has_more=True), last), paginator=CURSOR)

    assert "names the page that it has just returned as the next one" in attempt.error


def test_a_cursor_that_stays_the_same_must_agree_with_the_total() -> None:
    short = page(1, 2, after="a", total=3), *[page(after="a", total=3)] * 2
    whole = page(1, 2, after="a", total=3), page(3, after="b"), page(after="b")

    assert "Expected 3 rows, received 2" in failed(in_turn(*short * 3), paginator=CURSOR).error
    assert read(in_turn(*short, *whole), paginator=CURSOR).numbers == [1, 2, 3]


@pytest.mark.parametrize("ignored", [None, [{"status_code": 404, "action": "ignore"}]])
def test_an_error_behind_the_last_row_that_was_asked_for_ahead_of_time_ends_nothing_before_it(
    ignored: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("READING__ADAPTIVE", "false")

    found = paged_server.read(ending_with(404, 41), response_actions=ignored)
    assert found.numbers == list(range(41))


def test_the_error_keeps_the_status_that_came() -> None:
    with (
        serving(in_turn(page(1, 2), *[Answer({}, status=404)] * 3)) as server,
        pytest.raises(Exception, match="orders") as failure,
    ):
        list(source_of(server, orders()).resources["orders"])

    error = find_cause(failure.value, ResponseError)
    assert isinstance(error, ResponseError)
    assert error.response is not None
    assert error.response.status_code == 404
