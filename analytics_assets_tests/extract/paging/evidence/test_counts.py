"""Numbers that may count all rows or pages, and what the pages of a read leave of them."""

from collections.abc import Sequence
from typing import Any

import pytest
from dlt.sources.helpers.rest_client.paginators import PageNumberPaginator

from analytics_assets.extract.paging.evidence.counts import (
    Count,
    CountClaims,
    Unit,
    counts_in,
    page_sizes_in,
    requested_sizes,
)
from analytics_assets.extract.paging.evidence.fields import fields_of
from analytics_assets.extract.paging.evidence.finder import EvidenceFinder

ROWS, PAGES, EITHER = Unit.ROWS, Unit.PAGES, Unit.EITHER


def counts_of(**fields: Any) -> Any:
    return counts_in(fields_of(fields, []), {})


@pytest.mark.parametrize(
    "name",
    [
        *("count", "rowCount", "row_count", "@odata.count", "resultsCount", "numFound", "found"),
        *("totalSize", "num_results", "nbHits", "numberOfElements", "total_record_count"),
        *("totalItemsCount", "entryCount", "entries_count"),
    ],
)
def test_a_field_may_count_all_rows(name: str) -> None:
    assert counts_of(**{name: 7}) == {name: Count(7, ROWS)}


@pytest.mark.parametrize(
    "name", ["pages", "totalPages", "total_pages", "page_count", "last_page", "nbPages"]
)
def test_a_field_may_count_all_pages(name: str) -> None:
    assert counts_of(**{name: 7}) == {name: Count(7, PAGES)}


@pytest.mark.parametrize("name", ["limit", "per_page", "size", "page", "offset", "year", "id"])
def test_other_numbers_count_nothing(name: str) -> None:
    assert counts_of(**{name: 7}) == {}


@pytest.mark.parametrize("value", [None, True, -1, 1.5, "many", [], {"value": 7}])
def test_a_value_that_is_no_number_of_rows_counts_nothing(value: Any) -> None:
    assert counts_of(count=value) == {}


def test_a_path_names_the_count() -> None:
    assert counts_in(fields_of({"meta": {"count": 7}}, ["meta"]), {}) == {
        "meta.count": Count(7, ROWS)
    }


@pytest.mark.parametrize(
    ("header", "unit"),
    [
        *(("X-Total-Pages", PAGES), ("X-WP-TotalPages", PAGES), ("X-Pagination-Page-Count", PAGES)),
        *(("X-Row-Count", ROWS), ("X-Total-Count", None), ("Content-Length", None)),
    ],
)
def test_a_header_may_count_too(header: str, unit: Unit | None) -> None:
    found = counts_in([], {header: "7"})

    assert found == ({header: Count(7, unit)} if unit else {})


def test_page_sizes_stand_in_a_page_and_in_its_request() -> None:
    assert page_sizes_in(fields_of({"meta": {"per_page": 50}, "count": 7}, ["meta"])) == {50}
    assert requested_sizes("http://api/rows?$top=50&page[size]=20&offset=7&q=x") == {50, 20}
    assert requested_sizes("http://api/rows?limit=100&count=30") == {100, 30}


@pytest.mark.parametrize(
    ("path", "by_number", "expected"),
    [
        ("meta.pages", False, Count(11, PAGES)),
        ("meta.pages", True, Count(11, PAGES)),
        ("meta.total", True, Count(1050, EITHER)),
        ("meta.total", False, None),
        ("meta.missing_pages", True, None),
        (None, True, None),
    ],
)
def test_total_path_names_pages_by_its_name_or_either_for_page_numbers(
    path: str | None, by_number: bool, expected: Count | None
) -> None:
    paginator = PageNumberPaginator(total_path=None) if by_number else None
    finder = EvidenceFinder({"total_path": path}, paginator)
    found = finder.find({"meta": {"pages": 11, "total": 1050}}, {})

    assert found.counts.get(str(path)) == expected


Page = tuple[int, int | None]  # rows, and the count beside them


def claims_of(pages: Sequence[Page], unit: Unit, sizes: set[int] | None = None) -> CountClaims:
    claims = CountClaims()
    for rows, count in pages:
        claims.add({} if count is None else {"n": Count(count, unit)}, rows, sizes or set())
    return claims


@pytest.mark.parametrize(
    ("pages", "unit", "missing", "confirmed"),
    [
        # all rows of 250
        ([(100, 250), (100, 250), (50, 250)], ROWS, False, True),
        ([(100, 250), (100, 250)], ROWS, True, False),
        ([(100, 250), (0, 250)], ROWS, True, False),
        ([(0, 250)], ROWS, True, False),
        ([(100, 250), (100, 250), (50, None)], ROWS, False, True),
        # one was added while they were read
        ([(100, 250), (100, 251), (51, 251)], ROWS, False, True),
        # the rows of the page
        ([(100, 100), (100, 100), (50, 50)], ROWS, False, False),
        ([(100, 100), (0, 0)], ROWS, False, False),
        ([(50, 50)], ROWS, False, False),
        # a size of pages
        ([(100, 100), (100, 100), (50, 100)], ROWS, False, False),
        # all pages
        ([(100, 3), (100, 3), (50, 3)], PAGES, False, True),
        ([(100, 3), (100, 3)], PAGES, True, False),
        ([(100, 1), (100, 1)], PAGES, False, False),
        # rows or pages
        ([(100, 250), (100, 250), (50, 250)], EITHER, False, True),
        ([(100, 3), (100, 3), (50, 3)], EITHER, False, True),
        ([(100, 250), (100, 250)], EITHER, True, False),
        ([(100, 4), (100, 4), (50, 4)], EITHER, True, False),
        ([(100, 4), (100, 4), (50, 4), (0, 4)], EITHER, False, True),
    ],
)
def test_a_count_reports_further_rows_or_that_all_arrived(
    pages: list[Page], unit: Unit, missing: bool, confirmed: bool
) -> None:
    claims = claims_of(pages, unit)

    assert (claims.missing() is not None) == missing
    assert claims.confirm() == confirmed


def test_a_count_that_is_the_requested_size_of_a_page_is_no_number_of_rows() -> None:
    assert claims_of([(37, 100)], ROWS).missing() == ("n", 100)
    assert claims_of([(37, 100)], ROWS, {100}).missing() is None


def test_a_count_of_rows_goes_before_one_of_pages() -> None:
    claims, counts = CountClaims(), {"count": Count(250, ROWS), "pages": Count(1, PAGES)}
    claims.add(counts, 100)

    assert claims.missing() == ("count", 250)
    assert not claims.confirm()
    claims.add(counts, 150)
    assert claims.confirm()
    assert claims.missing() is None


def test_pages_before_the_first_one_count_too() -> None:
    for claims in (CountClaims(rows_before=200), CountClaims(pages_before=2)):
        claims.add({"pages": Count(4, PAGES)}, 100)
        assert claims.missing() == ("pages", 4)
        claims.add({"pages": Count(4, PAGES)}, 50)
        assert claims.confirm()
