"""Pages requested ahead of time give the same rows and requests, only sooner."""

import threading
from collections import Counter
from typing import Any

import pytest

from analytics_assets_tests.extract.paging.page_requests.forty_orders import (
    ALL,
    KINDS,
    MAX_IN_FLIGHT,
    NUMBERS,
    position,
    two_per_page,
)
from analytics_assets_tests.support.paged_server import (
    Answer,
    Answers,
    Read,
    Request,
    attempted,
    drain,
    orders,
    paged,
    read,
    row,
    rows,
    serving,
    source_of,
)

pytestmark = pytest.mark.usefixtures("full_concurrency")


def one_at_a_time(monkeypatch: pytest.MonkeyPatch, answers: Answers, **endpoint: Any) -> Read:
    with monkeypatch.context() as patch:
        patch.setenv("READING__MAX_IN_FLIGHT", "1")
        return attempted(answers, **endpoint)


def requests_of(attempt: Read) -> Counter[str]:
    return Counter(str(asked) for asked in attempt.requests)


@pytest.mark.parametrize("with_total", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_the_same_in_the_same_order_as_one_page_at_a_time(
    monkeypatch: pytest.MonkeyPatch, kind: str, with_total: bool
) -> None:
    usual = one_at_a_time(monkeypatch, two_per_page(with_total), **KINDS[kind])
    attempt = attempted(two_per_page(with_total), **KINDS[kind])

    assert attempt.error == usual.error
    assert attempt.rows == usual.rows
    assert len(attempt.rows) >= 20 or attempt.error


@pytest.mark.parametrize("kind", ["offset", "offset up to a position", "offset in the body"])
def test_each_page_is_requested_once_if_the_total_is_known(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    usual = one_at_a_time(monkeypatch, two_per_page(), **KINDS[kind])

    assert requests_of(attempted(two_per_page(), **KINDS[kind])) == requests_of(usual)


@pytest.mark.parametrize("kind", KINDS)
def test_no_page_is_requested_twice_if_the_total_is_unknown(kind: str) -> None:
    attempt = attempted(two_per_page(with_total=False), **KINDS[kind])

    assert max(requests_of(attempt).values()) == 1
    assert len(attempt.requests) <= 21 + MAX_IN_FLIGHT


class Together:
    """Answers as an API does once `many` requests wait at the same time, after the first one."""

    def __init__(self, answers: Answers, many: int) -> None:
        self._answers, self._barrier = answers, threading.Barrier(many)
        self._places = iter(range(10**6))
        self._many = many

    def __call__(self, asked: Request) -> Answer:
        if 0 < next(self._places) <= self._many:
            self._barrier.wait(60)
        return self._answers(asked)


@pytest.mark.parametrize("kind", ["offset", "offset in the body"])
def test_as_many_pages_are_in_flight_as_allowed(kind: str) -> None:
    attempt = attempted(Together(two_per_page(), MAX_IN_FLIGHT), **KINDS[kind])

    assert attempt.numbers == list(NUMBERS)


def test_pages_that_arrive_in_another_order_keep_their_own() -> None:
    later = threading.Event()
    answers = two_per_page()

    def answer(asked: Request) -> Answer:
        if position(asked) == 2:
            assert later.wait(60), "the pages behind are asked for, too"
        if position(asked) == 20:
            later.set()
        return answers(asked)

    assert read(answer).numbers == list(NUMBERS)


def test_without_a_total_no_more_pages_are_requested_than_have_arrived() -> None:
    attempt = read(two_per_page(with_total=False))
    asked_behind = [place for asked in attempt.requests if (place := position(asked)) > len(ALL)]

    assert len(asked_behind) <= MAX_IN_FLIGHT
    with serving(paged(rows(1, 2, 3), with_total=False)) as server:
        drain(source_of(server, orders()).resources["orders"])
        assert len(server.requests) <= 5  # the empty page at the end twice


def test_an_api_that_returns_fewer_rows_than_the_limit_is_read_by_their_number() -> None:
    attempt = read(paged(ALL, cap=3), paginator={"type": "offset", "limit": 10})

    assert attempt.numbers == list(NUMBERS)
    assert sorted(attempt.asked_for("offset")) == [(place,) for place in range(0, 40, 3)]


def test_pages_of_many_sizes_are_read_without_gaps() -> None:
    def answer(asked: Request) -> Answer:
        start = asked.number("offset")
        return Answer({"data": ALL[start : start + 1 + start % 3], "total": len(ALL)})

    attempt = read(answer, paginator={"type": "offset", "limit": 10})

    assert attempt.numbers == list(NUMBERS)
    # after a few wrong guesses the places count as unknown beforehand
    assert len(attempt.requests) <= 40 + MAX_IN_FLIGHT


def test_another_pass_requests_all_pages_again() -> None:
    all_rows = list(ALL)
    lock = threading.Lock()

    def answer(asked: Request) -> Answer:
        with lock:
            if asked.number("offset") == 30 and len(all_rows) == len(ALL):
                all_rows.insert(0, row(-1))
            return paged(all_rows)(asked)

    assert read(answer).numbers == [-1, *NUMBERS]
