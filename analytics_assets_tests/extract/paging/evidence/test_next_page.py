"""References to a next page: in all places that APIs and their specifications name."""

from typing import Any

import pytest
from dlt.common import jsonpath
from requests.structures import CaseInsensitiveDict

from analytics_assets.extract.paging.evidence.finder import Evidence, EvidenceFinder
from analytics_assets.extract.paging.evidence.next_page import NextPage

URL = "http://api/orders?page=2"
NEXT = "http://api/orders?page=3"


def evidence(body: Any, headers: dict[str, str] | None = None) -> Evidence:
    return EvidenceFinder(selector="data").find(body, CaseInsensitiveDict(headers or {}), URL)


def found(body: Any, headers: dict[str, str] | None = None) -> NextPage | None:
    return evidence(body, headers).next_page


@pytest.mark.parametrize(
    "body",
    [
        {"next": NEXT},
        {"next_page": NEXT},
        {"nextPageUrl": NEXT},
        {"@odata.nextLink": NEXT},
        {"odata.nextLink": NEXT},
        {"nextRecordsUrl": "/query/01g"},
        {"links": {"next": NEXT}},
        {"links": {"next": {"href": NEXT, "title": "next"}}},
        {"_links": {"next": {"href": "/orders?page=3"}}},
        {"meta": {"pagination": {"next_url": NEXT}}},
        {"paging": {"next": NEXT}},
        {"links": [{"rel": "self", "href": URL}, {"rel": "next", "href": NEXT}]},
        {"link": [{"relation": "self", "url": URL}, {"relation": "next", "url": NEXT}]},
    ],
    ids=str,
)
def test_a_link_is_found_with_the_path_by_which_dlt_follows_it(body: Any) -> None:
    link = found({"data": [], **body})

    assert link
    assert link.is_url
    assert jsonpath.find_values(link.path, body) == [link.value]
    assert link.paginator == f'{{"type": "json_link", "next_url_path": "{link.path}"}}'


@pytest.mark.parametrize(
    "body",
    [
        {"nextPageToken": "x"},
        {"next_cursor": "x"},
        {"next": 3},
        {"cursors": {"next": "x"}},
        {"metadata": {"next_token": "x"}},
        {"next_page": {"offset": "x", "limit": 10}},
        {"continuationToken": "x"},
    ],
    ids=str,
)
def test_a_token_or_a_number_is_found_too(body: Any) -> None:
    token = found({"data": [], **body})

    assert token
    assert not token.is_url
    assert jsonpath.find_values(token.path, body) == [token.value]
    assert token.paginator.startswith(f'{{"type": "cursor", "cursor_path": "{token.path}"')


@pytest.mark.parametrize(
    "header",
    [
        f'<{NEXT}>; rel="next"',
        f'<{URL}>; rel="prev", <{NEXT}>; rel="next"; title="more"',
        f"<{NEXT}>; rel=next",
        f'<{NEXT}>; rel="last next"',
    ],
)
@pytest.mark.parametrize("name", ["Link", "link"])
def test_the_header_link_is_read_as_rfc_8288_has_it(header: str, name: str) -> None:
    link = found([], {name: header})

    assert link == NextPage("Link", NEXT)
    assert link.paginator == '"header_link"'


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ({}, {}),
        ([], {}),
        (None, {}),
        ({"next": None}, {}),
        ({"next": ""}, {}),
        ({"next": False}, {}),
        ({"next_page": 0}, {}),
        ({"nextPageToken": "null"}, {}),
        ({"links": {"next": None, "last": URL}}, {}),
        ({"next_page": -1}, {}),
        ({"links": {"next": {"href": None}}}, {}),
        ({"links": {"next": {"href": None, "rel": "next", "templated": True}}}, {}),
        ({"next_page": {"offset": None, "limit": 10}}, {}),
        ({"links": [{"rel": "prev", "href": NEXT}]}, {}),
        ({"data": [{"next": NEXT}]}, {}),  # a field of a row
        ({"filters": {"next": NEXT}}, {}),
        ({"next": URL}, {}),  # the page itself
        ({"next": "?page=2"}, {}),
        ({}, {"Link": f'<{NEXT}>; rel="last"'}),
        ({}, {"Link": f'<{URL}>; rel="next"'}),
        ({}, {"Link": "nonsense"}),
    ],
    ids=str,
)
def test_no_reference_is_found_where_there_is_none(body: Any, headers: dict[str, str]) -> None:
    assert found(body, headers) is None


@pytest.mark.parametrize(
    ("body", "denied"),
    [
        ({"next": None}, True),
        ({"next_cursor": ""}, True),
        ({"links": {"next": None}}, True),
        ({"next": NEXT}, False),
        ({"next": None, "next_cursor": "x"}, False),
        ({}, False),
    ],
    ids=str,
)
def test_a_field_for_the_reference_may_have_none(body: Any, denied: bool) -> None:
    assert evidence(body).denies_next is denied
