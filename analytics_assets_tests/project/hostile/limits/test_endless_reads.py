"""Reads without an end: found out, and nothing of them is loaded."""

from typing import Any

import pytest

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

CURSOR = {"type": "cursor", "cursor_path": "next", "cursor_param": "after"}


def attempted(answers: Answers, paginator: Any) -> tuple[Read, int]:
    """Read `orders`; return what came of it and the number of requests."""
    with serving(answers) as server:
        attempt = drain(source_of(server, orders(paginator=paginator)).resources["orders"])
        return attempt, len(server.requests)


def row(number: int) -> dict[str, Any]:
    return {"id": number}


def empty_pages(request: Request) -> Answer:
    """Name another next page on each page, without rows."""
    return Answer({"data": [], "next": f"c{int(request.query.get('after', 'c0')[1:]) + 1}"})


def empty_pages_after_rows(request: Request) -> Answer:
    first = {"data": [row(1)], "next": "c1"}
    return empty_pages(request) if request.query.get("after") else Answer(first)


def cycle_of_empty_pages(request: Request) -> Answer:
    following = {"": "a", "a": "b", "b": "c", "c": "a"}
    return Answer({"data": [], "next": following[request.query.get("after", "")]})


@pytest.mark.parametrize(
    "answers",
    [empty_pages, empty_pages_after_rows, cycle_of_empty_pages],
    ids=["for ever", "after rows", "in a cycle"],
)
def test_pages_without_rows_have_an_end(answers: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analytics_assets.extract.paging.proof.MAX_EMPTY_PAGES", 20)

    attempt, requested = attempted(answers, CURSOR)

    assert "20 pages in a row have no rows, and each names a next one" in attempt.error
    assert attempt.rows == []
    assert requested < 60


def test_some_pages_without_rows_are_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analytics_assets.extract.paging.proof.MAX_EMPTY_PAGES", 3)

    def sparse(request: Request) -> Answer:
        number = int(request.query.get("after", "c0")[1:])
        following = f"c{number + 1}" if number < 30 else None
        return Answer({"data": [row(number)] if number % 3 == 0 else [], "next": following})

    attempt, _ = attempted(sparse, CURSOR)

    assert attempt.error == ""
    assert attempt.numbers == list(range(0, 31, 3))


def test_a_cycle_of_links_to_pages_with_rows_has_an_end() -> None:
    def cycle(request: Request) -> Answer:
        after = {"": "a", "a": "b", "b": "c", "c": "a"}[request.query.get("after", "")]
        return Answer({"data": [row(ord(after))], "next": after})

    attempt, requested = attempted(cycle, CURSOR)

    assert "had come before" in attempt.error
    assert requested < 40


@pytest.mark.parametrize("path", ["total", "all"])
def test_a_total_that_grows_with_each_page_has_an_end(path: str) -> None:
    def growing(request: Request) -> Answer:
        first = request.number("offset")
        return Answer({"data": [row(first), row(first + 1)], path: first + 100})

    attempt, requested = attempted(growing, {"type": "offset", "limit": 2, "total_path": path})

    assert "its total changed from" in attempt.error
    assert requested < 60


@pytest.mark.parametrize("step", [1, 100])
def test_a_total_of_page_numbers_that_grows_with_each_page_has_an_end(step: int) -> None:
    def growing(request: Request) -> Answer:
        page = request.number("page")
        return Answer({"data": [row(page)], "total": 5 + page * step})

    attempt, requested = attempted(growing, {"type": "page_number", "base_page": 0})

    assert "`total` grows with each page" in attempt.error
    assert requested < 120


def test_a_total_of_page_numbers_may_grow_now_and_then() -> None:
    def growing(request: Request) -> Answer:
        page = request.number("page")
        return Answer({"data": [row(page)] if page < 60 else [], "total": min(60, 40 + page // 2)})

    attempt, _ = attempted(growing, {"type": "page_number", "base_page": 0})

    assert (attempt.error, attempt.numbers) == ("", list(range(60)))


def test_a_read_of_ever_more_rows_ends_at_its_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READING__DEADLINE", "0.02")

    def more(request: Request) -> Answer:
        number = int(request.query.get("after", "c0")[1:]) + 1
        return Answer({"data": [row(number)], "next": f"c{number}"})

    attempt, _ = attempted(more, CURSOR)

    assert "longer than the setting `reading.deadline` allows" in attempt.error
    assert attempt.rows == []
