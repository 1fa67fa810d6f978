"""Interim answers, and lengths that contradict each other, over each way of requests."""

import pytest

from analytics_assets.extract.http.errors import ApiError
from analytics_assets.extract.http.page import Page
from analytics_assets_tests.support.http.exchange import Answer, Exchange
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.http.fetching import WAYS, connected, page_of
from analytics_assets_tests.support.http.server import Server

pytestmark = pytest.mark.parametrize("way", WAYS)

PATIENCE = 60.0  # seconds, on a busy machine
OK = b"HTTP/1.1 200 OK\r\n"
WHOLE = b"[12]"
EARLY_HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nX-Early: 1\r\n\r\n"


def first_and_next(way: str, answer: bytes, timeout: float = 0.3) -> tuple[Page | str, Page]:
    """Send bytes for the first request over a connection; return the page or error, and the next.

    The bytes are sent behind each other, and the connection stays open. The timeout is that of the
    first request.
    """

    def does(exchange: Exchange) -> None:
        exchange.send(answer)
        exchange.stays_open = True

    with Server(lambda request: Answer([request.path])) as server:
        server.faults.add(Fault(path="/first", does=does, times=None))
        connection = connected(server.base_url, way, max_attempts=1, timeout=timeout)
        try:
            first: Page | str = page_of(connection, "/first")
        except ApiError as error:
            first = str(error)
        connection.pool.settings.request_timeout = PATIENCE
        return first, page_of(connection, "/next")


@pytest.mark.parametrize(
    "interim",
    [
        pytest.param(EARLY_HINTS, id="103 Early Hints comes before the answer"),
        pytest.param(EARLY_HINTS * 3, id="103 Early Hints comes three times"),
        pytest.param(b"HTTP/1.1 102 Processing\r\n\r\n", id="102 Processing comes first"),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n", id="100 Continue that nobody waits for"),
        pytest.param(b"HTTP/1.1 199 A\r\nContent-Length: 5\r\n\r\n", id="199 with a length"),
        pytest.param(b"HTTP/1.1 101 A\r\nUpgrade: x\r\n\r\n", id="101 without an upgrade"),
    ],
)
def test_an_interim_answer_is_never_taken_for_that_of_a_request(interim: bytes, way: str) -> None:
    final = OK + b"Content-Length: 4\r\n\r\n" + WHOLE

    may_time_out = way == "session" or b"101" in interim
    first, following = first_and_next(way, interim + final, 0.3 if may_time_out else PATIENCE)

    if isinstance(first, Page):
        assert (first.status, first.content) == (200, WHOLE)
        assert "X-Early" not in first.headers
    else:
        assert may_time_out
        assert "interim answer" in first or "timed out" in first
    assert following.content == b'["/next"]'


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(b"Content-Length: 2\r\nContent-Length: 4\r\n", id="two lengths, short first"),
        pytest.param(b"Content-Length: 4\r\nContent-Length: 2\r\n", id="two lengths, long first"),
        pytest.param(b"Content-Length: 4, 2\r\n", id="two lengths in one line"),
        pytest.param(b"Content-Length: 4, 4\r\n", id="the same length twice in one line"),
        pytest.param(b"Content-Length: 4\r\nContent-Length: 4\r\n", id="the same length twice"),
        pytest.param(b"Content-Length: -4\r\n", id="a negative length"),
        pytest.param(b"Content-Length: four\r\n", id="a length that is a word"),
        pytest.param(b"Content-Length: 0x4\r\n", id="a length in another base"),
        pytest.param(b"Content-Length: \r\n", id="a length that is empty"),
        pytest.param(b"Content-Length: " + b"9" * 26 + b"\r\n", id="a length of 26 digits"),
        pytest.param(b"Content-Length: " + b"9" * 5000 + b"\r\n", id="a length of 5,000 digits"),
    ],
)
def test_a_length_that_is_wrong_gives_the_whole_body_or_an_error(lines: bytes, way: str) -> None:
    first, following = first_and_next(way, OK + lines + b"\r\n" + WHOLE)

    if isinstance(first, Page):
        assert first.content == WHOLE
    else:
        assert "no complete answer: " in first
    assert following.content == b'["/next"]'


@pytest.mark.parametrize(
    ("rest", "content"),
    [
        pytest.param(
            b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n[12]\r\n0\r\n\r\n",
            WHOLE,
            id="chunks and a length that contradicts them",
        ),
        pytest.param(
            b"Transfer-Encoding: chunked\r\n\r\nzz\r\n[12]\r\n0\r\n\r\n",
            None,
            id="a chunk whose size is no number",
        ),
        pytest.param(
            b"Transfer-Encoding: chunked\r\n\r\n-4\r\n[12]\r\n0\r\n\r\n",
            None,
            id="a chunk of a negative size",
        ),
        pytest.param(
            b'Content-Length: 2\r\n\r\n[]HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n["no"]',
            b"[]",
            id="a second answer behind the first one",
        ),
    ],
)
def test_an_answer_ends_where_it_says(rest: bytes, content: bytes | None, way: str) -> None:
    first, following = first_and_next(way, OK + rest, PATIENCE if content else 0.3)

    if content:
        assert isinstance(first, Page)
        assert first.content == content
    else:
        assert "no complete answer: " in str(first)
    assert following.content == b'["/next"]'
