"""Answers with nothing in the place of their rows: no rows where the answer agrees, or an error."""

from typing import Any

import pytest

from analytics_assets.extract.paging.evidence.finder import EvidenceFinder


def reported(body: Any, received: int = 0, is_allowed: bool = False) -> bool:
    evidence = EvidenceFinder(selector="data").find(body, {})
    is_null = body is None or "data" in body
    return evidence.reports_no_rows(evidence.total, received, is_null, is_allowed)


@pytest.mark.parametrize(
    "body",
    [
        {"rowCount": 0},
        {"total": 0},
        {"data": None, "total": 0},
        {"data": None, "next_cursor": None},
        {"data": None, "links": {"next": None}},
        {"data": None, "has_more": False},
        {"data": None, "end_of_stream": True},
        {"data": None, "additional_data": {"pagination": {"more_items_in_collection": False}}},
        {"data": None, "result_info": {"total_count": 0, "count": 0}},
        {"data": None, "response_metadata": {"next_cursor": ""}},
    ],
    ids=str,
)
def test_an_answer_agrees_that_there_are_no_rows(body: Any) -> None:
    assert reported(body)


@pytest.mark.parametrize(
    "body", [None, {}, {"kind": "report"}, {"data": None}, {"next_cursor": None}], ids=str
)
def test_an_answer_that_says_nothing_has_no_rows_where_that_is_known_to_be_possible(
    body: Any,
) -> None:
    assert not reported(body)
    assert reported(body, is_allowed=True)
    assert reported(body, received=3, is_allowed=True)


@pytest.mark.parametrize(
    "body",
    [
        {"total": 250},
        {"data": None, "total": 250},
        {"data": None, "count": 250},
        {"data": None, "next_cursor": "x"},
        {"data": None, "total": 0, "next": "/orders?page=2"},
        {"has_more": True},
        {"end_of_stream": False},
        {"data": None, "additional_data": {"pagination": {"more_items_in_collection": True}}},
        {"data": None, "response_metadata": {"next_cursor": "x"}},
    ],
    ids=str,
)
def test_an_answer_that_reports_rows_is_an_error_whatever_is_known(body: Any) -> None:
    assert not reported(body)
    assert not reported(body, received=3, is_allowed=True)


def test_a_total_that_is_reached_agrees_and_another_does_not() -> None:
    assert reported({"total": 3}, received=3)
    assert not reported({"total": 0}, received=3, is_allowed=True)


PAGES: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({"total": 9, "next": "after_2", "data": []}, {}),
    ({"total": 9, "next": "after_4", "data": []}, {}),
    ({"total": 8, "next": "after_6", "data": []}, {}),
    ({"total": 8, "next": "/orders?page=4", "data": []}, {}),
    ({"total": 8, "next": "/orders?page=5", "data": []}, {}),
    ({"total": 8, "next": None, "data": []}, {}),
    ({"total": 8, "next": "after_8", "has_more": True, "data": []}, {}),
    ({"total": 8, "next": "after_9", "has_more": False, "data": []}, {}),
    ({"total": 8, "next": {"href": "/orders?page=9"}, "data": []}, {}),
    ({"total": 8, "next": {"href": "/orders?page=10"}, "data": []}, {}),
    ({"meta": {"next": "after_2"}, "data": []}, {}),
    ({"meta": {"next": "after_4"}, "data": []}, {}),
    ({"next": "after_2", "data": []}, {"Link": '<http://shop/orders?page=12>; rel="next"'}),
    ({"next": "after_4", "data": []}, {"Link": '<http://shop/orders?page=13>; rel="next"'}),
    ({"next": "after_4", "data": []}, {"X-Total-Count": "7"}),
]


def test_a_page_has_the_same_evidence_whatever_page_was_before_it() -> None:
    finder = EvidenceFinder(selector="data")

    for number, (body, headers) in enumerate(PAGES, start=1):
        url = f"http://shop/orders?page={number}"
        alone = EvidenceFinder(selector="data").find(body, headers, url)
        assert finder.find(body, headers, url) == alone


def test_a_link_to_the_page_itself_is_found_after_links_to_other_pages() -> None:
    finder = EvidenceFinder(selector="data")
    first, second = "http://shop/orders?page=1", "http://shop/orders?page=2"

    assert finder.find({"next": second}, {}, first).next_page is not None
    assert finder.find({"next": second}, {}, second).next_page is None
    assert finder.find({"next": second}, {}, first).next_page is not None


@pytest.mark.parametrize("in_body", [True, False])
def test_a_link_to_the_page_itself_is_none_also_if_all_is_as_on_the_page_before(
    in_body: bool,
) -> None:
    finder = EvidenceFinder(selector="data")
    first, second = "http://shop/orders?page=1", "http://shop/orders?page=2"
    body = {"next": second} if in_body else {}
    headers = {} if in_body else {"Link": f'<{second}>; rel="next"'}

    assert finder.find(body, headers, first).next_page is not None
    assert finder.find(body, headers, second).next_page is None
    assert finder.find(body, headers, first).next_page is not None
