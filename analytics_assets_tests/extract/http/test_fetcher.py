"""Pages in order, over each way of requests."""

import threading
import time
from typing import Any

import pytest

from analytics_assets.extract.http.errors import NoAnswerError
from analytics_assets_tests.extract.http.limits.responses import Response
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


def echo(request: Request) -> Answer:
    """Answer with the path and the query."""
    return Answer({"path": request.path, "query": request.query})


@pytest.mark.parametrize("way", WAYS)
def test_pages_are_handed_over_in_the_order_in_which_they_were_asked_for(way: str) -> None:
    with Server(echo) as server:
        connection = connected(server.base_url, way)
        with fetching(connection) as fetcher:
            first = prepared(connection)
            for number in range(40):
                fetcher.request(first, f"{server.base_url}/orders?page={number}")
            pages = [fetcher.next_page(whole) for _ in range(40)]

    assert [page.url.partition("page=")[2] for page in pages] == [str(each) for each in range(40)]
    assert [page.request.url for page in pages] == [page.url for page in pages]


def test_a_page_that_arrives_first_waits_for_those_before_it() -> None:
    second_is_there = threading.Event()

    def answer(request: Request) -> Answer:
        if request.path == "/first":
            assert second_is_there.wait(60)
        else:
            second_is_there.set()
        return Answer(request.path.encode())

    with Server(answer) as server:
        connection = connected(server.base_url)
        with fetching(connection) as fetcher:
            for path in ("/first", "/second"):
                fetcher.request(prepared(connection, path))
            contents = [fetcher.next_page(lambda page: page.content) for _ in range(2)]

    assert contents == [b"/first", b"/second"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("status", [200, 204, 304, 400, 403, 404, 501])
def test_any_status_that_is_not_retried_is_handed_over(way: str, status: int) -> None:
    with Server(lambda _request: Answer(b"[1]", status, {"X-Total": "7"})) as server:
        page = page_of(connected(server.base_url, way))

    assert (page.status, page.headers["x-total"]) == (status, "7")
    assert page.content == (b"" if status in (204, 304) else b"[1]")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("parts", "sent"),
    [
        ({"json": {"offset": 5, "text": "é"}}, b'{"offset": 5, "text": "\\u00e9"}'),
        ({"json": {}}, b"{}"),
        ({"data": {"a": "1", "b": "x y"}}, b"a=1&b=x+y"),
        ({"data": "täxt"}, "täxt".encode()),
        ({"data": b"\x00\xff"}, b"\x00\xff"),
        ({}, b""),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_body_is_sent_whatever_its_kind(
    way: str, parts: dict[str, Any], sent: bytes, method: str
) -> None:
    with Server(echo) as server:
        page_of(connected(server.base_url, way), "/orders", method, **parts)

    [request] = server.requests
    assert (request.method, request.content) == (method, sent)


def test_a_body_that_can_be_read_only_once_is_sent_with_each_attempt() -> None:
    with Server(echo) as server:
        server.faults.add(Fault(status=503))
        parts = iter([b"one ", b"two"])
        page_of(connected(server.base_url), "/orders", "POST", data=parts)

    assert [each.content for each in server.requests] == [b"one two", b"one two"]


def test_a_request_after_one_with_a_body_has_none() -> None:
    with Server(echo) as server:
        connection = connected(server.base_url)
        with fetching(connection) as fetcher:
            fetcher.fetch(prepared(connection, "/orders", "POST", json={"a": 1}), whole)
            fetcher.fetch(prepared(connection, "/orders"), whole)

    assert [(each.method, each.content) for each in server.requests] == [
        ("POST", b'{"a": 1}'),
        ("GET", b""),
    ]


def test_an_error_of_the_reader_reaches_it_and_is_not_retried() -> None:
    def check(_page: object) -> None:
        raise ValueError("of the reader")

    with Server(echo) as server:
        connection = connected(server.base_url)
        with fetching(connection) as fetcher, pytest.raises(ValueError, match="of the reader"):
            fetcher.fetch(prepared(connection), check)

        assert len(server.requests) == 1


@pytest.mark.parametrize("way", WAYS)
def test_a_single_attempt_does_not_wait_longer_than_its_timeout(way: str) -> None:
    with Server(echo) as server:
        connection = connected(server.base_url, way, max_attempts=1, timeout=10)
        connection.rate_limit.observe(*Response(429, {"Retry-After": "600"}))

        with pytest.raises(NoAnswerError, match=r"accepts no request for another \d+ seconds"):
            page_of(connection)

        assert server.requests == []


@pytest.mark.parametrize("way", WAYS)
def test_pages_are_counted_with_the_seconds_of_their_answers(way: str) -> None:
    with Server(echo) as server:
        server.faults.add(Fault(delay=0.1))
        connection = connected(server.base_url, way)
        page_of(connection)

    assert (connection.traffic.requests, connection.traffic.retries) == (1, 0)
    assert connection.traffic.seconds_answering >= 0.1


def test_the_number_of_pages_ahead_is_found_by_the_pages_of_all_reads() -> None:
    with Server(echo) as server:
        server.faults.add(Fault(delay=0.02, times=None))
        first = connected(server.base_url)
        with fetching(first) as fetcher:
            for _ in range(2):
                fetcher.request(prepared(first))
            fetcher.next_page(whole)

        assert connected(server.base_url).rate_limit.concurrency.size == 16


def test_a_page_that_has_arrived_is_known_before_it_is_taken() -> None:
    with Server(echo) as server:
        connection = connected(server.base_url)
        with fetching(connection) as fetcher:
            for _ in range(2):
                fetcher.request(prepared(connection))
            assert not fetcher.has_next
            fetcher.next_page(whole)
            while not fetcher.has_next:
                fetcher.collect()
            fetcher.discard()
            assert not fetcher.has_next


def test_pages_ahead_are_requested_while_those_that_are_there_are_taken() -> None:
    with Server(echo) as server:
        connection = connected(server.base_url)
        with fetching(connection) as fetcher:
            for _ in range(2):
                fetcher.request(prepared(connection))
            fetcher.next_page(whole)
            while not fetcher.has_next:
                fetcher.collect()
            fetcher.request(prepared(connection, "/later"))
            fetcher.next_page(whole)
            deadline = time.monotonic() + 60
            while len(server.requests) < 3 and time.monotonic() < deadline:
                time.sleep(0.001)

    assert server.requests[-1].path == "/later"


def test_a_read_without_pages_ahead_changes_no_number_that_was_found() -> None:
    with Server(echo) as server:
        server.faults.add(Fault(delay=0.02, times=2))
        connection = connected(server.base_url)
        with fetching(connection) as fetcher:
            for _ in range(30):
                fetcher.fetch(prepared(connection), whole)

        assert connection.rate_limit.concurrency.size == 4
