"""Bodies without an end, or larger than a limit: refused before the memory is spent."""

import gzip
import tracemalloc
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

import pytest
import requests

from analytics_assets.config.settings.oauth2 import OAuth2Settings
from analytics_assets.extract import openapi
from analytics_assets.extract.http.connection import Connection
from analytics_assets.extract.http.errors import ApiError, NoAnswerError, TokenError
from analytics_assets.extract.http.oauth2.authentication import OAuth2
from analytics_assets.extract.http.transport import body, exchange
from analytics_assets.extract.http.transport.body import BodyLimit
from analytics_assets_tests.support.http.exchange import Exchange, head
from analytics_assets_tests.support.http.fault import Does, Fault
from analytics_assets_tests.support.http.fetching import (
    WAYS,
    connected,
    fetching,
    page_of,
    prepared,
    quick_settings,
    whole,
)
from analytics_assets_tests.support.http.server import Server
from analytics_assets_tests.support.paged_server import Answer

LIMIT = 300_000  # bytes
NO_FIELDS: Mapping[str, str] = {}
PART = b" " * 64 * 1024


def endless(status: int = 200, fields: Mapping[str, str] = NO_FIELDS) -> Does:
    """Send a body until the connection is closed."""

    def does(exchange: Exchange) -> None:
        with suppress(OSError):
            exchange.send(head(status, {"Content-Type": "application/json", **fields}))
            while True:
                exchange.send(PART)

    return does


def endless_chunks(exchange: Exchange) -> None:
    with suppress(OSError):
        exchange.send(head(200, {"Transfer-Encoding": "chunked"}))
        while True:
            exchange.send(b"%x\r\n%s\r\n" % (len(PART), PART))


def bomb(encoding: str, status: int = 200) -> Does:
    """Send 100 MB of spaces in 100 kB."""
    kinds: dict[str, Callable[[], bytes]] = {
        "gzip": lambda: _packed(31),
        "deflate": lambda: _packed(15),
        "gzip, gzip": lambda: gzip.compress(_packed(31)),
    }

    def does(exchange: Exchange) -> None:
        content = kinds[encoding]()
        fields = {"Content-Encoding": encoding, "Content-Length": str(len(content))}
        with suppress(OSError):
            exchange.send(head(status, fields), content)

    return does


def _packed(window: int) -> bytes:
    packer = zlib.compressobj(wbits=window)
    parts = [packer.compress(bytes(1_000_000)) for _ in range(100)]
    return b"".join([*parts, packer.flush()])


TOO_LARGE: dict[str, Does] = {
    "an endless body": endless(),
    "an endless body of chunks": endless_chunks,
    "a body of the announced 10 GB": endless(fields={"Content-Length": str(10**10)}),
    "an endless body that claims to be packed": endless(fields={"Content-Encoding": "gzip"}),
    "a gzip bomb": bomb("gzip"),
    "a deflate bomb": bomb("deflate"),
    "a bomb packed twice": bomb("gzip, gzip"),
}


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(lambda _request: Answer({"data": []})) as running:
        yield running


def limited(server: Server, way: str) -> Connection:
    connection = connected(server.base_url, way)
    connection.pool.settings.max_body = LIMIT
    return connection


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("attack", TOO_LARGE)
def test_a_body_that_is_too_large_is_refused_by_the_name_of_its_limit(
    attack: str, way: str, server: Server
) -> None:
    server.faults.add(Fault(does=TOO_LARGE[attack], times=None))
    connection = limited(server, way)

    tracemalloc.start()
    with pytest.raises(NoAnswerError) as failure:
        page_of(connection)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert "its body is larger than `runtime.max_body`, 300,000 bytes" in str(failure.value)
    assert len(server.requests) == 1  # it would be as large again
    assert peak < 10 * LIMIT
    connection.close()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("packed", [False, True])
def test_a_body_as_large_as_the_limit_is_taken(way: str, packed: bool) -> None:
    body = b"x" * LIMIT
    answer = (
        Answer(gzip.compress(body), headers={"Content-Encoding": "gzip"})
        if packed
        else Answer(body)
    )
    with Server(lambda _request: answer) as server:
        connection = limited(server, way)
        assert page_of(connection).content == body
        connection.close()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "attack",
    [endless(404), bomb("gzip", 404), endless(404, {"Content-Encoding": "gzip"})],
    ids=["endless", "bomb", "endless, as if packed"],
)
def test_of_the_body_of_an_error_the_start_is_taken(attack: Does, way: str, server: Server) -> None:
    server.faults.add(Fault(does=attack, times=None))
    connection = connected(server.base_url, way)

    page = page_of(connection)

    assert page.status == 404
    assert len(page.content) <= 1024 * 1024 + len(PART)
    connection.close()


def token_settings(server: Server) -> OAuth2Settings:
    settings = OAuth2Settings()
    settings.token_url = server.url("/token")
    settings.client_id, settings.client_secret = "id", "hunter2"
    return settings


@pytest.mark.parametrize("attack", [endless(), bomb("gzip")], ids=["endless", "bomb"])
def test_the_answer_of_a_token_endpoint_has_a_small_limit(attack: Does, server: Server) -> None:
    server.faults.add(Fault(does=attack, times=None))
    auth = OAuth2(token_settings(server), quick_settings())

    with pytest.raises(TokenError, match="larger than the limit of a token answer, 1,048,576"):
        auth(requests.Request("GET", server.url("/orders")).prepare())


@pytest.mark.parametrize("attack", [endless(), bomb("gzip")], ids=["endless", "bomb"])
def test_a_document_has_a_limit_of_its_own(
    attack: Does, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = BodyLimit(LIMIT, openapi.DOCUMENT_LIMIT.name)  # a smaller one, to be fast
    monkeypatch.setattr(openapi, "DOCUMENT_LIMIT", limit)
    server.faults.add(Fault(does=attack, times=None))
    connection = connected(server.base_url)

    with pytest.raises(ApiError, match="its body is larger than the limit of a document, 300,000"):
        openapi.fetch_document(connection, "/openapi.json")
    connection.close()


def large(packed: bool) -> Does:
    """Send a page of 200 kB: packed, or in two parts with a second between them."""

    def does(exchange: Exchange) -> None:
        content = gzip.compress(bytes(200_000)) if packed else bytes(200_000)
        coding = {"Content-Encoding": "gzip"} if packed else {}
        first = head(200, {**coding, "Content-Length": str(len(content))}) + content[:-10]
        with suppress(OSError):
            exchange.send(first, content[-10:], pause=0.0 if packed else 1.0)

    return does


@pytest.mark.parametrize("packed", [False, True], ids=["as they arrive", "unpacked"])
def test_large_pages_of_one_read_have_a_limit_together(
    packed: bool, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "AHEAD_BYTES", LIMIT)
    monkeypatch.setattr(body, "AHEAD_BYTES", LIMIT)
    monkeypatch.setattr(exchange, "ERROR_BYTES", 1000)
    server.faults.add(Fault(does=large(packed), times=None))
    connection = limited(server, "libcurl")

    with fetching(connection) as fetcher:
        for number in range(8):
            fetcher.request(prepared(connection, f"/orders?page={number}"))
        with pytest.raises(NoAnswerError, match="those of the pages after it are larger than"):
            [fetcher.next_page(whole) for _ in range(8)]
    connection.close()
