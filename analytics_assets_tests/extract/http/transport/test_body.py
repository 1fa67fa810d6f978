import gzip
import secrets
import zlib
from collections.abc import Callable

import pytest

from analytics_assets_tests.support.http.exchange import Answer
from analytics_assets_tests.support.http.fetching import WAYS, connected, page_of
from analytics_assets_tests.support.http.server import Server


def answering(content: bytes, encoding: str) -> Server:
    return Server(lambda _request: Answer(content, 200, {"Content-Encoding": encoding}))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("size", [0, 10, 200_000])
@pytest.mark.parametrize(
    ("encoding", "encode"), [("gzip", gzip.compress), ("deflate", zlib.compress)]
)
def test_a_packed_body_is_decoded_whatever_its_size(
    way: str, size: int, encoding: str, encode: Callable[[bytes], bytes]
) -> None:
    content = secrets.token_hex(size).encode()
    with answering(encode(content), encoding) as server:
        assert page_of(connected(server.base_url, way)).content == content


def test_a_packed_body_is_decoded_even_if_the_request_does_not_ask_for_one() -> None:
    with answering(gzip.compress(b"[1]"), "gzip") as server:
        page = page_of(connected(server.base_url), headers={"Accept-Encoding": "identity"})

    assert page.content == b"[1]"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("encoding", ["UTF-8", "identity", "none"])
def test_a_body_of_an_unknown_encoding_is_handed_over_as_it_is(way: str, encoding: str) -> None:
    with answering(b"[1]", encoding) as server:
        assert page_of(connected(server.base_url, way)).content == b"[1]"
