"""Redirects, over each way of requests."""

import re
from typing import Any

import pytest

from analytics_assets.extract.http.errors import ApiError, LinkError, RedirectError
from analytics_assets_tests.support.http.exchange import Answer, Request
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.http.fetching import (
    WAYS,
    connected,
    fetching,
    page_of,
    prepared,
    whole,
)
from analytics_assets_tests.support.http.server import Server

pytestmark = pytest.mark.parametrize("way", WAYS)


def moved(location: str, status: int = 302) -> Answer:
    return Answer(b"", status, {"Location": location})


def from_old(location: str, status: int = 302) -> Server:
    """A server that redirects from `/old`."""
    return Server(
        lambda request: moved(location, status) if request.path == "/old" else Answer([1])
    )


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed(way: str, status: int) -> None:
    with from_old("/new?a=1", status) as server:
        page = page_of(connected(server.base_url, way), "/old")

    assert (page.url, page.status) == (server.url("/new?a=1"), 200)
    assert page.request.url == server.url("/old")


@pytest.mark.parametrize(
    ("status", "sent"),
    [
        (303, ("GET", b"")),
        (307, ("POST", b'{"a": 1}')),
        (308, ("POST", b'{"a": 1}')),
    ],
)
def test_the_method_changes_as_in_requests(way: str, status: int, sent: tuple[str, bytes]) -> None:
    with from_old("/new", status) as server:
        page_of(connected(server.base_url, way), "/old", "POST", json={"a": 1})

    first, second = server.requests
    assert (first.method, first.content) == ("POST", b'{"a": 1}')
    assert (second.method, second.content) == sent
    assert ("content-type" in second.headers) == (sent[0] == "POST")


@pytest.mark.parametrize("status", [301, 302])
@pytest.mark.parametrize(
    ("sent", "target"),
    [
        ({"json": {"from": "2026-01-31"}}, "/new"),
        ({"data": {"from": "2026-01-31"}}, "/new"),
        ({"params": {"from": "2026-01-31", "a": "1"}}, "/new?a=1"),
    ],
)
def test_a_redirect_that_loses_a_part_of_a_post_is_an_error_that_names_the_url(
    way: str, status: int, sent: dict[str, Any], target: str
) -> None:
    with from_old(target, status) as server:
        wrong = (
            rf"POST .*answered {status}, a redirect to {re.escape(server.url(target))}, .*`path`"
        )
        with pytest.raises(RedirectError, match=wrong):
            page_of(connected(server.base_url, way), "/old", "POST", **sent)

    assert [each.path for each in server.requests] == ["/old"]


@pytest.mark.parametrize("query", ["", "?a=1"])
def test_a_post_whose_redirect_loses_nothing_becomes_a_get(way: str, query: str) -> None:
    with Server(
        lambda request: moved(f"/new{query}") if request.path == "/old" else Answer([1])
    ) as server:
        page_of(connected(server.base_url, way), f"/old{query}", "POST")

    assert [(each.method, each.path) for each in server.requests] == [
        ("POST", "/old"),
        ("GET", "/new"),
    ]


@pytest.mark.parametrize("elsewhere", [True, False])
def test_a_redirect_to_another_host_or_port_is_refused(way: str, elsewhere: bool) -> None:
    with Server(lambda _request: Answer([1])) as other:
        target = other.url("/new", "localhost" if elsewhere else "127.0.0.1")
        with from_old(target) as server:
            headers = {"Authorization": "Bearer secret"}
            with pytest.raises(LinkError, match="another origin"):
                page_of(connected(server.base_url, way), "/old", headers=headers)

    assert [each.authorized for each in server.requests] == [True]
    assert other.requests == []


def test_endless_redirects_are_an_error_that_says_where_to_look(way: str) -> None:
    with Server(lambda _request: moved("/login")) as server:
        with pytest.raises(RedirectError, match=r"GET .*/old\?token=\*\*\*: .*30 times.*`path`"):
            page_of(connected(server.base_url, way), "/old?token=abc")

        assert len(server.requests) == 31


@pytest.mark.parametrize("location", ["ftp://a.test/b", "http://[broken"])
def test_a_redirect_to_no_web_address_is_an_error_at_once(way: str, location: str) -> None:
    with from_old(location) as server:
        # requests parses it before the answer is there
        wrong = "redirects to a URL that cannot be requested|cannot use the answer: Invalid IPv6"
        with pytest.raises(ApiError, match=f"/old: .*({wrong})"):
            page_of(connected(server.base_url, way), "/old")

        assert len(server.requests) == 1


def test_an_answer_that_names_a_place_under_another_status_is_no_redirect(way: str) -> None:
    with Server(lambda _request: Answer([1], 200, {"Location": "/new"})) as server:
        page = page_of(connected(server.base_url, way))

    assert page.content == b"[1]"


def test_a_redirect_does_not_multiply_the_retries(way: str) -> None:
    with from_old("/new", 307) as server:
        server.faults.add(Fault(path="/new", status=503, times=None))
        assert page_of(connected(server.base_url, way), "/old").status == 503

    assert [each.path for each in server.requests] == ["/old", "/new"] * 4


def test_a_page_after_a_redirect_is_handed_over_in_its_order(way: str) -> None:
    def answer(request: Request) -> Answer:
        return moved("/new") if request.path == "/old" else Answer(request.path.encode())

    with Server(answer) as server:
        connection = connected(server.base_url, way)
        with fetching(connection) as fetcher:
            for path in ("/old", "/second", "/old"):
                fetcher.request(prepared(connection, path))
            contents = [fetcher.next_page(whole).content for _ in range(3)]

    assert contents == [b"/new", b"/second", b"/new"]


def test_a_redirect_with_an_empty_location_is_an_error_that_says_so(way: str) -> None:
    with from_old("") as server, pytest.raises(RedirectError, match=r"302, .*without a `Location`"):
        page_of(connected(server.base_url, way), "/old")
