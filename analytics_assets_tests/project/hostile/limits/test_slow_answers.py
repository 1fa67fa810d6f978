"""Answers that never end: over at the deadline, whatever part of them arrives."""

import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
import requests

from analytics_assets.extract.http.connection import connect
from analytics_assets.extract.http.errors import NoAnswerError
from analytics_assets_tests.support.http.exchange import Exchange, head
from analytics_assets_tests.support.http.fault import Does, Fault
from analytics_assets_tests.support.http.fetching import WAYS, connected, page_of
from analytics_assets_tests.support.http.server import Server
from analytics_assets_tests.support.paged_server import Answer

DEADLINE = 0.3  # seconds
PAUSE = 0.02  # seconds between two parts, less than the timeout
PATIENCE = 60.0  # seconds, on a busy machine


def trickle(start: bytes, part: bytes) -> Does:
    """Send a part again and again, until the connection is closed."""

    def does(exchange: Exchange) -> None:
        ends = time.monotonic() + PATIENCE * 3
        with suppress(OSError):
            exchange.send(start)
            while time.monotonic() < ends and not exchange.server.stopping.is_set():
                exchange.send(part)
                time.sleep(PAUSE)

    return does


def redirect(exchange: Exchange) -> None:
    """Redirect to the next URL, each after a while."""
    time.sleep(DEADLINE / 3)
    number = int(exchange.request.query.get("hop", "0")) + 1
    exchange.answer(Answer({}, 302, {"Location": f"/orders?hop={number}"}))


CHUNKED = head(200, {"Transfer-Encoding": "chunked"})
ENDLESS: dict[str, Does] = {
    "a status line": trickle(b"HTTP/1.1 200 O", b"K"),
    "header lines": trickle(b"HTTP/1.1 200 OK\r\n", b"X-More: 1\r\n"),
    "one header line": trickle(b"HTTP/1.1 200 OK\r\nX-More: ", b"1"),
    "informational answers": trickle(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a body": trickle(head(200, {"Content-Length": "1000000"}), b"x"),
    "chunks": trickle(CHUNKED, b"1\r\nx\r\n"),
    "the size of a chunk": trickle(CHUNKED + b"1\r\nx\r\n", b"0"),
    "what stands beside the size of a chunk": trickle(CHUNKED + b"1;", b"x"),
    "lines behind the last chunk": trickle(CHUNKED + b"2\r\n[]\r\n0\r\n", b"X-More: 1\r\n"),
    "one line behind the last chunk": trickle(CHUNKED + b"2\r\n[]\r\n0\r\nX-More: ", b"1"),
    "redirects": redirect,
}


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(lambda _request: Answer({"data": []})) as running:
        yield running


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("attack", ENDLESS)
def test_an_answer_without_an_end_is_over_at_the_deadline(
    attack: str, way: str, server: Server
) -> None:
    server.faults.add(Fault(does=ENDLESS[attack], times=None))
    connection = connected(server.base_url, way, deadline=DEADLINE, max_attempts=2)

    started = time.monotonic()
    with pytest.raises(NoAnswerError, match=r"longer than `request_deadline`, 0\.3 seconds"):
        page_of(connection)

    assert time.monotonic() - started < PATIENCE
    connection.close()


@pytest.mark.parametrize("way", WAYS)
def test_a_request_after_a_late_one_has_the_whole_deadline_again(way: str, server: Server) -> None:
    server.faults.add(Fault(does=redirect, times=1))
    connection = connected(server.base_url, way, deadline=PATIENCE)

    assert page_of(connection).status == 200
    assert page_of(connection).status == 200
    connection.close()


def test_a_session_serves_its_owner_after_a_read(server: Server) -> None:
    def late(exchange: Exchange) -> None:
        time.sleep(PAUSE)
        exchange.answer(exchange.proper())

    server.faults.add(Fault(does=late, times=None))
    session = requests.Session()
    connection = connect({"base_url": server.base_url, "session": session}, "shop")

    assert page_of(connection).status == 200
    assert session.get(server.url("/mine")).status_code == 200
    connection.close()
