"""The next page: by the rows that arrived, up to a total, `has_more` or an empty page."""

from typing import Any

import pytest

from analytics_assets.config.errors import ConfigurationError
from analytics_assets_tests.extract.paging.orders_read import failed, read
from analytics_assets_tests.support import paged_server
from analytics_assets_tests.support.paged_server import (
    Answer,
    Request,
    in_turn,
    page,
    paged,
    rows,
)

OFFSET = {"type": "offset", "limit": 2}
MORE = {**OFFSET, "has_more_path": "more"}


@pytest.mark.parametrize("cap", [1, 2, 3, 7, 8])
def test_the_offset_advances_by_the_rows_that_arrived(cap: int) -> None:
    attempt = read(paged(rows(*range(7)), cap), paginator={"type": "offset", "limit": 100})

    assert attempt.numbers == list(range(7))
    asked = list(range(0, 7, cap)) + [7] * (7 % cap == 0 or cap == 8)
    assert attempt.asked_for("offset", "limit") == [(offset, 100) for offset in asked]


def test_pages_may_be_of_any_size() -> None:
    answers = in_turn(page(1, 2, 3, total=7), page(4), page(5, 6, total=7), page(7))

    assert read(answers).asked_for("offset") == [(0,), (3,), (4,), (6,)]


@pytest.mark.parametrize(("there", "offsets"), [(0, [0]), (1, [0]), (3, [0, 2]), (5, [0, 2, 4])])
def test_a_named_total_that_is_reached_with_a_short_page_is_the_end(
    there: int, offsets: list[int]
) -> None:
    attempt = read(paged(rows(*range(there))), paginator={**OFFSET, "total_path": "total"})

    assert len(attempt.rows) == there
    assert attempt.asked_for("offset") == [(offset,) for offset in offsets]


@pytest.mark.parametrize(("there", "offsets"), [(2, [0, 2]), (4, [0, 2, 4])])
def test_after_a_full_page_that_reaches_the_total_one_more_is_requested(
    there: int, offsets: list[int]
) -> None:
    attempt = read(paged(rows(*range(there))))

    assert len(attempt.rows) == there
    assert attempt.asked_for("offset") == [(offset,) for offset in offsets]


@pytest.mark.parametrize("said", [1, 2, 4])
def test_a_total_that_is_too_low_fails_the_read(said: int) -> None:
    answers = paged(rows(1, 2, 3, 4, 5), with_total=False)

    def low(asked: Request) -> Answer:
        return Answer({**answers(asked).body, "total": said})

    assert f"Expected {said} rows, received" in failed(low).error


@pytest.mark.parametrize(("there", "offsets"), [(0, [0, 0]), (1, [0, 1, 1]), (4, [0, 2, 4, 4])])
def test_without_a_total_the_end_is_an_empty_page_that_is_requested_twice(
    there: int, offsets: list[int]
) -> None:
    attempt = read(paged(rows(*range(there)), with_total=False))

    assert len(attempt.rows) == there
    assert attempt.asked_for("offset") == [(offset,) for offset in offsets]


def test_a_total_path_of_none_reads_to_the_empty_page_despite_totals() -> None:
    answers = in_turn(page(1, 2, total=1), page(3, total=9), *[page(total=5)] * 2)

    assert read(answers, paginator={**OFFSET, "total_path": None}).numbers == [1, 2, 3]


def test_a_limit_in_the_configuration_ends_the_read_whatever_the_total_is() -> None:
    answers = paged(rows(*range(9)))

    def numbered(asked: Request) -> Answer:
        start = 2 * asked.number("page")
        return page(*range(start, min(start + 2, 9)), total=9)

    by_offset = read(answers, paginator={**OFFSET, "maximum_offset": 4})
    by_page = read(numbered, paginator={"type": "page_number", "maximum_page": 2})

    assert by_offset.numbers == by_page.numbers == [0, 1, 2, 3]
    assert by_offset.asked_for("offset") == [(0,), (2,)]
    assert by_page.asked_for("page") == [(0,), (1,)]


@pytest.mark.parametrize("cap", [7, 11])
def test_any_number_of_rows_on_the_only_page_may_be_the_apis_own_limit(cap: int) -> None:
    some = rows(*range(12))

    def answer(asked: Request) -> Answer:
        found = some[asked.number("offset") :][:cap]
        return Answer({"data": found, "total": len(found)})

    assert "Expected" in failed(answer, paginator={"type": "offset", "limit": 100}).error
    assert read(paged(rows(1)), paginator=OFFSET).asked_for("offset") == [(0,), (1,)]


def test_a_round_number_of_rows_on_the_only_page_may_be_the_apis_own_limit() -> None:
    some = rows(*range(1, 13))

    def answer(asked: Request) -> Answer:
        begin = asked.number("offset")
        found = some[begin : begin + 10]
        return Answer({"data": found, "total": len(found)})

    paginator = {"type": "offset", "limit": 100}
    assert "Expected" in failed(answer, paginator=paginator).error


def test_rows_within_rows_cannot_be_paged_by_offset() -> None:
    with pytest.raises(ConfigurationError, match="rows within rows"):
        read(paged(rows(1)), data_selector="data[*].lines[*]")


def test_an_empty_cursor_in_a_header_is_the_end() -> None:
    def answer(asked: Request) -> Answer:
        number = asked.number("page", 1)  # an empty one would be an error
        return Answer({"data": rows(number)}, 200, {"X-Next-Page": "2" if number == 1 else ""})

    paginator = {"type": "header_cursor", "cursor_key": "X-Next-Page", "cursor_param": "page"}
    attempt = read(answer, paginator=paginator)

    assert attempt.numbers == [1, 2]
    assert [asked.query.get("page") for asked in attempt.requests] == [None, "2"]


@pytest.mark.parametrize("no", [False, "false", "False", 0, "no"])
def test_a_page_that_says_there_is_no_more_is_the_last(no: Any) -> None:
    attempt = read(in_turn(page(1, 2, more=True), page(3, 4, more=no)), paginator=MORE)

    assert attempt.numbers == [1, 2, 3, 4]


def test_a_page_that_says_there_is_no_more_must_agree_with_the_total() -> None:
    attempt = failed(lambda _asked: page(1, 2, total=4, more=False), paginator=MORE)

    assert "Expected 4 rows, received 2" in attempt.error
    assert len(attempt.requests) == 3


def test_an_empty_page_that_says_there_is_more_is_no_end() -> None:
    answers = paged(rows(1, 2), with_total=False)
    attempt = failed(lambda asked: Answer({**answers(asked).body, "more": True}), paginator=MORE)

    assert "it states more rows after its last one" in attempt.error


def test_without_has_more_pages_end_as_they_do_elsewhere() -> None:
    assert read(paged(rows(1, 2, 3, 4, 5)), paginator=MORE).numbers == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    "sign",
    [{"has_more": True}, {"meta": {"hasNextPage": "true"}}, {"count": 250}],
)
def test_a_last_page_that_says_there_is_more_fails_the_read(
    sign: dict[str, Any],
) -> None:
    def answer(_asked: Request) -> Answer:
        return Answer({"data": rows(1, 2), **sign})

    assert "the last page states that more rows follow" in failed(answer, paginator="auto").error


def test_a_page_that_says_there_is_more_is_not_the_last_although_the_total_is_reached() -> None:
    low = [
        page(1, 2, total=3, more=True),
        page(3, total=3, more=True),
        page(4, total=3, more=False),
    ]

    assert "Expected 3 rows, received 4" in failed(in_turn(*low * 3), paginator=MORE).error


def test_a_page_that_does_not_know_whether_there_is_more_is_not_the_last() -> None:
    unsure = in_turn(page(1, 2, more=None), page(3, 4, more=None), page(5, more=False))

    assert read(unsure, paginator=MORE).numbers == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("name", ["pages", "total"])
def test_no_page_is_requested_ahead_after_the_number_of_pages(
    first: int, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("READING__ADAPTIVE", "false")

    def answer(asked: Request) -> Answer:
        number = asked.number("page")
        return Answer({"data": rows(2 * number, 2 * number + 1), name: 5})

    paginator = {"type": "page_number", "base_page": first, "total_path": name}
    attempt = paged_server.read(answer, paginator=paginator)

    assert len(attempt.rows) == 10
    assert sorted(attempt.asked_for("page")) == [(first + page,) for page in range(5)]
