"""Answers over libcurl, complete and broken ones."""

import gzip
import os

import pytest

from analytics_assets.extract.http.errors import NoAnswerError
from analytics_assets_tests.support.deployment import wait_until
from analytics_assets_tests.support.http.broken_answers import (
    broken_chunk,
    raw,
    reset,
    reset_in_body,
    silence,
    stall_in_body,
    unfinished_chunks,
    with_length,
)
from analytics_assets_tests.support.http.exchange import Answer, Exchange, head
from analytics_assets_tests.support.http.fault import Does, Fault
from analytics_assets_tests.support.http.fetching import WAYS, connected, page_of
from analytics_assets_tests.support.http.server import Server

BODY = b'{"data": ["' + b"x" * 2000 + b'"]}'


def answering(content: bytes = BODY, status: int = 200, **headers: str) -> Server:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Server(lambda _request: Answer(content, status, named))


def wrong_gzip(_content: bytes) -> list[bytes]:
    packed = bytearray(gzip.compress(os.urandom(3000)))
    packed[1000:1040] = bytes(40)
    fields = {"Content-Encoding": "gzip", "Content-Length": str(len(packed))}
    return [head(200, fields), bytes(packed)]


BROKEN: dict[str, Does] = {
    "no answer": lambda exchange: exchange.send(),
    "reset": reset,
    "reset in the body": reset_in_body,
    "cut short": with_length(5),
    "broken chunk": raw(broken_chunk),
    "no last chunk": raw(unfinished_chunks),
    "broken encoding": raw(wrong_gzip),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", BROKEN)
def test_an_incomplete_answer_is_retried_and_then_an_error(way: str, kind: str) -> None:
    with answering() as server:
        server.faults.add(Fault(does=BROKEN[kind], times=3))
        assert page_of(connected(server.base_url, way)).content == BODY

        server.faults.add(Fault(does=BROKEN[kind], times=None))
        with pytest.raises(NoAnswerError) as failure:
            page_of(connected(server.base_url, way), "/orders?api_key=hunter2")

    assert len(server.requests) == 4 + 4
    text = str(failure.value)
    assert text.startswith(f"GET {server.base_url}/orders?api_key=***: no complete answer: ")
    assert "Error(" not in text
    assert failure.value.__context__ is None


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("does", [silence, stall_in_body])
def test_an_answer_that_stalls_for_the_timeout_is_an_error(way: str, does: Does) -> None:
    with answering() as server:
        server.faults.add(Fault(does=does, times=None))
        with pytest.raises(NoAnswerError, match="no complete answer: Read timed out"):
            page_of(connected(server.base_url, way, timeout=0.3, max_attempts=2))
        # a server without CPU reads a request after its client has given it up
        wait_until(lambda: len(server.requests) == 2, "the second request")


def send_slowly(exchange: Exchange, packed: bool = False) -> None:
    """Send a body byte by byte, each within the timeout, as long as the other end listens."""
    content = gzip.compress(os.urandom(4000)) if packed else b"[" + b" " * 4000 + b"]"
    encoding = {"Content-Encoding": "gzip"} if packed else {}
    length = {"Content-Length": str(len(content))}
    pieces = [content[place : place + 1] for place in range(len(content))]
    exchange.send(head(200, {**length, **encoding}), *pieces, pause=0.02)


def send_packed_slowly(exchange: Exchange) -> None:
    send_slowly(exchange, packed=True)


def send_chunks_slowly(exchange: Exchange) -> None:
    exchange.send(head(200, {"Transfer-Encoding": "chunked"}), *[b"1\r\n \r\n"] * 4000, pause=0.02)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("send", [send_slowly, send_packed_slowly, send_chunks_slowly])
def test_a_body_that_arrives_after_the_deadline_is_an_error_that_names_it(
    way: str, send: Does
) -> None:
    with answering() as server:
        server.faults.add(Fault(does=send, times=None))
        limit = "no complete answer: it took longer than `request_deadline`, 0.2 seconds"
        with pytest.raises(NoAnswerError, match=limit):
            page_of(connected(server.base_url, way, deadline=0.2, max_attempts=2))
        wait_until(lambda: len(server.requests) == 2, "the second request")


def test_a_slow_body_within_the_deadline_arrives() -> None:
    with answering() as server:
        pieces = raw(lambda content: [head(200, {}), content[:9], content[9:]], pause=0.2)
        server.faults.add(Fault(does=pieces))

        assert page_of(connected(server.base_url, timeout=60)).content == BODY


def test_of_several_answers_the_last_one_counts() -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n"
    late = b"HTTP/1.1 299 All: Good\r\nX-Late: 1\r\nX-Late: 2\r\nContent-Length: 2\r\n\r\n[]"
    with answering() as server:
        server.faults.add(Fault(does=lambda exchange: exchange.send(early + late)))
        page = page_of(connected(server.base_url))

    assert (page.status, page.reason, page.content) == (299, "All: Good", b"[]")
    assert dict(page.headers) == {"X-Late": "1, 2", "Content-Length": "2"}
