from collections.abc import Mapping
from typing import Any

import pytest
from dlt.sources.helpers.rest_client.paginators import PageNumberPaginator
from requests.structures import CaseInsensitiveDict

from analytics_assets.extract.paging.evidence.finder import EvidenceFinder
from analytics_assets_tests.support.paged_server import Answer, attempted, failed, rows

ROWS = rows(1, 2)


def total_of(
    body: Any, headers: Mapping[str, str] | None = None, path: str | None = None, selector: str = ""
) -> int | None:
    finder = EvidenceFinder({"total_path": path}, selector=selector or "data")
    return finder.find(body, CaseInsensitiveDict(headers or {})).total


def total_beside_pages(pages_path: str, body: Any) -> int | None:
    paginator = PageNumberPaginator(total_path=pages_path)
    return EvidenceFinder(paginator, paginator, "data").find(body, {}).total


def beside(name: str, value: Any) -> dict[str, Any]:
    return {"data": ROWS, name: value}


def within(*path: str) -> dict[str, Any]:
    value: Any = 3
    for name in reversed(path):
        value = {name: value}
    return {"data": ROWS, **value}


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
    assert total_of(beside(name, 3)) == 3


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
def test_a_total_is_found_in_the_usual_containers(path: tuple[str, ...]) -> None:
    assert total_of(within(*path)) == 3


@pytest.mark.parametrize("path", [("stats", "total"), ("meta", "a", "total"), ("filters", "total")])
def test_a_total_in_another_container_is_ignored(path: tuple[str, ...]) -> None:
    assert total_of(within(*path)) is None


def test_a_total_is_found_beside_the_rows_that_a_nested_selector_leads_to() -> None:
    body = {"result": {"list": {"rows": ROWS, "total": 3}}}

    assert total_of(body, selector="result.list.rows") == 3
    assert total_of(body, selector="data") is None


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Total-Count": "3"},
        {"x-total": "3"},
        {"X-WP-Total": "3"},
        {"Total-Count": " 3 "},
        {"Content-Range": "items 0-1/3"},
        {"Content-Range": "rows */3"},
    ],
)
def test_a_total_is_found_in_the_headers(headers: dict[str, str]) -> None:
    assert total_of({"data": ROWS}, headers) == 3


@pytest.mark.parametrize("given", ["items 0-1/*", "items 0-1", "3", "", f"rows */{'9' * 5000}"])
def test_a_content_range_without_a_total_is_ignored(given: str) -> None:
    assert total_of({"data": ROWS}, {"Content-Range": given}) is None


def test_a_total_in_the_body_takes_precedence_over_the_headers() -> None:
    assert total_of(beside("total", 3), {"X-Total-Count": "2"}) == 3


def test_a_total_in_the_headers_counts_where_the_one_in_the_body_is_none() -> None:
    assert total_of(beside("total", None), {"X-Total-Count": "3"}) == 3


@pytest.mark.parametrize(
    "name", ["count", "size", "total_pages", "totalPages", "subtotal", "pages"]
)
def test_a_field_that_may_count_a_page_or_the_pages_is_no_total(name: str) -> None:
    assert total_of(beside(name, 3)) is None


@pytest.mark.parametrize("value", ["3", " 3 ", 3.0])
def test_a_total_may_come_as_a_text_or_with_a_decimal_point(value: Any) -> None:
    assert total_of(beside("total", value)) == 3


@pytest.mark.parametrize(
    "value", [None, "", "many", "3.5", "-3", "3 rows", -3, -0.5, 3.5, True, False, [3], {"of": 3}]
)
def test_a_value_that_is_no_number_of_rows_is_no_total(value: Any) -> None:
    assert total_of(beside("total", value)) is None


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_a_total_that_is_not_a_number_is_no_total(value: str) -> None:
    assert total_of(beside("total", float(value))) is None


def test_a_named_path_takes_precedence_unless_nothing_is_there() -> None:
    assert total_of({"total": 3, "found": {"rows": 2}}, path="found.rows") == 2
    assert total_of({"total": 3, "found": {"rows": None}}, path="found.rows") is None
    assert total_of({"total": 3}, path="found.rows") == 3


def test_a_named_path_is_ignored_where_the_body_is_a_list() -> None:
    assert total_of(ROWS, {"X-Total-Count": "3"}, path="total", selector="$") == 3
    assert total_of(ROWS, {"X-Total-Count": "3"}, selector="$") == 3


def test_a_number_of_pages_is_no_total() -> None:
    assert total_beside_pages("meta.total", {"meta": {"total": 3}}) is None
    assert total_beside_pages("meta.total", {"meta": {"total": 3, "total_count": 5}}) == 5


@pytest.mark.parametrize("around", ["info", "result_info", "additional_data", "meta"])
def test_a_total_may_be_in_an_object_about_the_read(around: str) -> None:
    assert total_of({"data": ROWS, around: {"total_count": 3}}) == 3


def test_a_number_of_pages_is_so_at_its_path_alone() -> None:
    assert total_beside_pages("total", {"total": 3}) is None
    assert total_beside_pages("total", {"meta": {"total": 24, "last_page": 8}}) == 24


def test_an_ignored_total_is_the_one_at_its_path() -> None:
    ignoring = EvidenceFinder({"ignored_fields": ["meta.total"]}, selector="data")

    assert ignoring.find({"total": 3, "meta": {"total": 2}}, {}).total == 3
    assert ignoring.find({"meta": {"total": 2}}, {}).total is None


@pytest.fixture
def one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READING__PASSES", "1")


@pytest.mark.usefixtures("one_pass")
@pytest.mark.parametrize("total_path", [None, "found.rows"])
def test_the_total_that_counts_is_the_one_that_total_path_names(total_path: str | None) -> None:
    paginator = {"type": "offset", "limit": 2, "total_path": total_path}

    def answer(asked: Any) -> Answer:
        body = {"data": ROWS[asked.number("offset") :], "total": 3, "found": {"rows": 2}}
        return Answer(body, headers={"X-Total-Count": "3"})

    assert attempted(answer, paginator=paginator).numbers == [1, 2]


@pytest.mark.usefixtures("one_pass")
@pytest.mark.parametrize(
    ("total", "headers"),
    [(b"3", {}), (b"NaN", {"X-Total-Count": "3"}), (b"null", {"X-Total": "3"})],
)
def test_the_error_names_both_numbers_and_what_to_do(total: bytes, headers: dict[str, str]) -> None:
    def answer(asked: Any) -> Answer:
        found = b"[]" if asked.number("offset") else b'[{"id": 1}, {"id": 2}]'
        return Answer(b'{"data": %s, "total": %s}' % (found, total), headers=headers)

    error = failed(answer).error

    assert error.startswith("orders: no complete read in 1 pass: ")
    assert "Expected 3 rows, received 2" in error
    assert "`total_path`" in error
    assert "`paginator`" in error
    assert "`primary_key`" in error
