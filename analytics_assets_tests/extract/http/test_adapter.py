import errno
import gzip
import json
import os
import secrets
import socket
from collections.abc import Callable

import pytest

from analytics_assets.config.errors import find_cause
from analytics_assets.extract.http.connection import connect
from analytics_assets.extract.http.errors import NoAnswerError
from analytics_assets_tests.extract.http.conftest import (
    PATH,
    ROWS,
    client_of,
    failed_read,
    read,
)
from analytics_assets_tests.support.http.exchange import Answer, Exchange, head
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.http.server import Server
from analytics_assets_tests.support.sandbox import Sandbox
from analytics_assets_tests.support.token_server import recording

Answered = Callable[[], list[int | None]]


def test_a_response_that_takes_longer_than_the_timeout_is_retried(
    api: Sandbox, answered: Answered, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNTIME__REQUEST_TIMEOUT", "0.5")
    api.faults.add(Fault(path=PATH, delay=60))

    assert read(client_of(api)) == ROWS
    assert len(answered()) > 1


def test_responses_that_always_take_longer_than_the_timeout_are_an_error(
    api: Sandbox, answered: Answered, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNTIME__REQUEST_TIMEOUT", "0.2")
    monkeypatch.setenv("RUNTIME__REQUEST_MAX_ATTEMPTS", "2")
    api.faults.add(Fault(path=PATH, delay=60, times=None))

    error = failed_read({"base_url": api.base_url}, api_key="hunter2-key")

    assert answered() == [None, None]
    assert isinstance(error, NoAnswerError)
    assert "Read timed out" in str(error)


def send_slowly(exchange: Exchange, packed: bool = False) -> None:
    """Send a body byte by byte, each within the timeout, as long as the other end listens."""
    content = gzip.compress(os.urandom(4000)) if packed else b'{"data": [' + b" " * 4000 + b"]}"
    encoding = {"Content-Encoding": "gzip"} if packed else {}
    length = {"Content-Length": str(len(content))}
    pieces = [content[place : place + 1] for place in range(len(content))]
    exchange.send(head(200, {**length, **encoding}), *pieces, pause=0.02)


def send_packed_slowly(exchange: Exchange) -> None:
    send_slowly(exchange, packed=True)


def send_chunks_slowly(exchange: Exchange) -> None:
    exchange.send(head(200, {"Transfer-Encoding": "chunked"}), *[b"1\r\n \r\n"] * 4000, pause=0.02)


@pytest.fixture
def short_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNTIME__REQUEST_DEADLINE", "0.2")
    monkeypatch.setenv("RUNTIME__REQUEST_MAX_ATTEMPTS", "2")


@pytest.mark.usefixtures("short_deadline")
@pytest.mark.parametrize("send", [send_slowly, send_packed_slowly, send_chunks_slowly])
def test_a_body_that_arrives_after_the_deadline_is_an_error_that_names_it(
    send: Callable[[Exchange], None],
) -> None:
    with Server(lambda _request: Answer({"data": []})) as server:
        server.faults.add(Fault(does=send, times=None))
        with pytest.raises(Exception, match="overview") as failure:
            read({"base_url": server.base_url})

    error = find_cause(failure.value, NoAnswerError)
    assert "no whole answer: it took longer than `request_deadline`, 0.2" in str(error)
    assert len(server.requests) == 2


@pytest.mark.usefixtures("short_deadline")
def test_a_body_that_arrives_after_the_deadline_is_retried() -> None:
    with Server(lambda _request: Answer({"data": [{"id": 1}]})) as server:
        server.faults.add(Fault(does=send_slowly))

        assert read({"base_url": server.base_url}) == [{"id": 1}]
        assert len(server.requests) == 2


@pytest.mark.parametrize("size", [0, 10, 200_000])
def test_a_packed_body_is_decoded_whatever_its_size(size: int) -> None:
    found = [{"id": 1, "text": secrets.token_hex(size)}]
    packed = gzip.compress(json.dumps({"data": found}).encode())

    with Server(lambda _request: Answer(packed, headers={"Content-Encoding": "gzip"})) as server:
        assert read({"base_url": server.base_url}) == found


def test_a_cookie_is_sent_with_the_next_request() -> None:
    empty = '{"data": [], "total": 0}'
    with recording(lambda _sent: (200, {"Set-Cookie": "shop=7"}, empty)) as api:
        connection = connect({"base_url": api.url()}, "shop")
        read({"base_url": api.url()}, connection)
        read({"base_url": api.url()}, connection)

        assert [sent.headers.get("cookie") for sent in api.requests] == [None, "shop=7"]


def test_a_refused_connection_is_an_error_with_the_setting_to_check() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"

        error = failed_read({"base_url": url}, api_key="hunter2-key")

    assert isinstance(error, NoAnswerError)
    assert f"GET {url}{PATH}?api_key=***" in str(error)
    assert os.strerror(errno.ECONNREFUSED) in str(error)
    assert str(error).endswith("(check `base_url`)")


def test_an_error_without_a_body_is_reported_as_such(api: Sandbox) -> None:
    api.faults.add(Fault(path=PATH, status=404, body=""))

    assert str(failed_read(client_of(api))).endswith("and `base_url`) and an empty body.")
