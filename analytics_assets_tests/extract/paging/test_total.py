from collections.abc import Callable
from typing import Any

import pytest

from analytics_assets_tests.support.paged_server import (
    Answer,
    Answers,
    Asked,
    attempted,
    failed,
    rows,
)

WRONG = 3  # the API has two rows
Body = Callable[[Any], dict[str, Any]]


@pytest.fixture(autouse=True)
def one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READING__PASSES", "1")


def saying(
    body: Body = lambda found: {"data": found}, headers: dict[str, str] | None = None
) -> Answers:
    """An API with two rows, and whatever else each of its pages says."""

    def answer(asked: Asked) -> Answer:
        found = rows(1, 2)[asked.number("offset") :]
        return Answer(body(found), headers=headers or {})

    return answer


def beside(name: str, value: Any) -> Body:
    return lambda found: {"data": found, name: value}


def within(*path: str) -> Body:
    def body(found: Any) -> dict[str, Any]:
        value: Any = WRONG
        for name in reversed(path):
            value = {name: value}
        return {"data": found, **value}

    return body


def held_against_the_total(answers: Answers, **endpoint: Any) -> bool:
    """Whether the API's wrong total makes the read fail; without a total it is complete."""
    attempt = attempted(answers, **endpoint)
    if attempt.error:
        assert f"Expected {WRONG} rows, received 2" in attempt.error
        assert attempt.rows == []
        return True
    assert attempt.numbers == [1, 2]
    return False


@pytest.mark.parametrize(
    "name",
    [
        "total",
        "Total",
        "total_count",
        "totalCount",
        "TotalCount",
        "total-rows",
        "totalResults",
        "total_records",
        "totalItems",
        "totalElements",
        "total_entries",
        "totalHits",
        "recordsTotal",
    ],
)
def test_a_total_is_found_beside_the_rows_in_the_usual_spellings(name: str) -> None:
    assert held_against_the_total(saying(beside(name, WRONG)))


@pytest.mark.parametrize(
    "path",
    [
        ("meta", "total"),
        ("metadata", "totalCount"),
        ("pagination", "total_items"),
        ("paging", "total"),
        ("page", "totalElements"),
        ("pageInfo", "totalResults"),
        ("response", "total"),
        ("meta", "pagination", "total"),
    ],
)
def test_a_total_is_found_in_what_is_usually_around_it(path: tuple[str, ...]) -> None:
    assert held_against_the_total(saying(within(*path)))


@pytest.mark.parametrize("path", [("stats", "total"), ("meta", "a", "total"), ("filters", "total")])
def test_a_total_is_not_looked_for_in_what_may_hold_another_one(path: tuple[str, ...]) -> None:
    assert not held_against_the_total(saying(within(*path)))


def test_a_total_is_found_beside_the_rows_that_a_nested_selector_leads_to() -> None:
    answers = saying(lambda found: {"result": {"list": {"rows": found, "total": WRONG}}})

    assert held_against_the_total(answers, data_selector="result.list.rows")


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Total-Count": "3"},
        {"x-total": "3"},
        {"Total-Count": " 3 "},
        {"Content-Range": "items 0-1/3"},
        {"Content-Range": "rows */3"},
    ],
)
def test_a_total_is_found_in_the_headers(headers: dict[str, str]) -> None:
    assert held_against_the_total(saying(headers=headers))


@pytest.mark.parametrize("given", ["items 0-1/*", "items 0-1", "3", ""])
def test_a_content_range_without_a_total_says_nothing(given: str) -> None:
    assert not held_against_the_total(saying(headers={"Content-Range": given}))


def test_a_total_in_the_body_goes_before_one_in_the_headers() -> None:
    assert held_against_the_total(saying(beside("total", WRONG), headers={"X-Total-Count": "2"}))
    assert not held_against_the_total(saying(beside("total", 2), headers={"X-Total-Count": "3"}))


def test_a_total_in_the_headers_counts_where_the_one_in_the_body_is_none() -> None:
    assert held_against_the_total(saying(beside("total", None), headers={"X-Total-Count": "3"}))


@pytest.mark.parametrize(
    "name", ["count", "size", "total_pages", "totalPages", "subtotal", "pages"]
)
def test_what_may_count_a_page_or_the_pages_is_no_total(name: str) -> None:
    assert not held_against_the_total(saying(beside(name, WRONG)))


@pytest.mark.parametrize("value", ["3", " 3 ", 3.0])
def test_a_total_may_come_as_a_text_or_with_a_decimal_point(value: Any) -> None:
    assert held_against_the_total(saying(beside("total", value)))


@pytest.mark.parametrize(
    "value", [None, "", "many", "3.5", "-3", "3 rows", -3, -0.5, 3.5, True, False, [3], {"of": 3}]
)
def test_what_is_no_number_of_rows_is_no_total(value: Any) -> None:
    assert not held_against_the_total(saying(beside("total", value)))


def test_a_total_that_is_not_a_number_is_no_total() -> None:
    for constant in (b"NaN", b"Infinity", b"-Infinity"):

        def answer(asked: Asked, constant: bytes = constant) -> Answer:
            found = b"[]" if asked.number("offset") else b'[{"id": 1}, {"id": 2}]'
            return Answer(b'{"data": %s, "total": %s}' % (found, constant))

        assert not held_against_the_total(answer)


def test_a_named_path_goes_before_the_usual_places_unless_nothing_is_there() -> None:
    paginator = {"type": "offset", "limit": 2, "total_path": "found.rows"}
    elsewhere = saying(lambda found: {"data": found, "total": WRONG, "found": {"rows": 2}})
    there = saying(lambda found: {"data": found, "total": 2, "found": {"rows": WRONG}})
    nowhere = saying(lambda found: {"data": found, "total": WRONG})

    assert not held_against_the_total(elsewhere, paginator=paginator)
    assert held_against_the_total(there, paginator=paginator)
    assert held_against_the_total(nowhere, paginator=paginator)


def test_a_total_path_of_none_means_that_no_total_counts() -> None:
    paginator = {"type": "offset", "limit": 2, "total_path": None}

    assert not held_against_the_total(saying(beside("total", WRONG)), paginator=paginator)
    assert not held_against_the_total(saying(headers={"X-Total-Count": "3"}), paginator=paginator)


def test_a_named_path_is_of_no_trouble_where_the_body_is_a_list() -> None:
    paginator = {"type": "offset", "limit": 2, "total_path": "total"}

    def answer(asked: Asked) -> Answer:
        return Answer(rows(1, 2)[asked.number("offset") :], headers={"X-Total-Count": "3"})

    assert held_against_the_total(answer, paginator=paginator, data_selector="$")
    assert held_against_the_total(answer, data_selector="$")


def test_the_error_names_both_numbers_and_what_to_do() -> None:
    error = failed(saying(beside("total", WRONG))).error

    assert error.startswith("orders: no complete read in 1 pass: ")
    assert "Expected 3 rows, received 2" in error
    assert "`total_path`" in error
