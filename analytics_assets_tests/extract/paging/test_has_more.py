"""Pages that say themselves whether there is more."""

from typing import Any

import pytest

from analytics_assets_tests.extract.paging.verified import failed, read
from analytics_assets_tests.support.paged_server import (
    Answer,
    Asked,
    in_turn,
    page,
    paged,
    rows,
)

MORE = {"type": "offset", "limit": 2, "has_more_path": "more"}


@pytest.mark.parametrize("no", [False, "false", "False", 0, "no"])
def test_a_page_that_says_there_is_no_more_is_the_last(no: Any) -> None:
    attempt = read(in_turn(page(1, 2, more=True), page(3, 4, more=no)), paginator=MORE)

    assert attempt.numbers == [1, 2, 3, 4]


def test_a_page_that_says_there_is_no_more_must_agree_with_the_total() -> None:
    attempt = failed(lambda _asked: page(1, 2, total=4, more=False), paginator=MORE)

    assert "Expected 4 rows, received 2" in attempt.error
    assert len(attempt.asked) == 3


def test_an_empty_page_that_says_there_is_more_is_no_end() -> None:
    answers = paged(rows(1, 2), with_total=False)
    attempt = failed(lambda asked: Answer({**answers(asked).body, "more": True}), paginator=MORE)

    assert "it says that there is more after its last row" in attempt.error


def test_without_has_more_pages_end_as_they_do_elsewhere() -> None:
    assert read(paged(rows(1, 2, 3, 4, 5)), paginator=MORE).numbers == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    "sign",
    [{"has_more": True}, {"meta": {"hasNextPage": "true"}}, {"count": 250}],
)
def test_a_last_page_that_says_there_is_more_fails_the_read(
    sign: dict[str, Any],
) -> None:
    def answer(_asked: Asked) -> Answer:
        return Answer({"data": rows(1, 2), **sign})

    assert "the last page says that there is more" in failed(answer, paginator="auto").error


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
