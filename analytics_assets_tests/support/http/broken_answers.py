"""Answers that are broken, late or changed: what a fault may do in place of a proper answer."""

import gzip
from collections.abc import Callable, Mapping
from typing import Any

from analytics_assets_tests.support.http.exchange import Exchange, head
from analytics_assets_tests.support.http.fault import Does

JSON = {"Content-Type": "application/json"}


def page(change: Callable[[dict[str, Any]], Any]) -> Does:
    """Answer with the page after a change to it."""
    return lambda exchange: exchange.reply(change(exchange.page))


def text(replacements: Mapping[bytes, bytes]) -> Does:
    """Answer properly, some bytes of the body replaced by others."""

    def does(exchange: Exchange) -> None:
        content = exchange.proper().content
        for old, new in replacements.items():
            content = content.replace(old, new)
        exchange.reply(content)

    return does


def raw(build: Callable[[bytes], list[bytes]], pause: float = 0) -> Does:
    """Answer with the bytes that are built of the proper body, and close the connection."""
    return lambda exchange: exchange.send(*build(exchange.proper().content), pause=pause)


def late(seconds: float) -> Does:
    """Answer properly, but late; the token is checked when the request arrives."""

    def does(exchange: Exchange) -> None:
        answer = exchange.proper()
        exchange.wait(seconds)
        exchange.answer(answer)

    return does


def with_length(difference: int) -> Does:
    """Announce more bytes, or fewer, than the body has."""
    return raw(
        lambda content: [
            head(200, {**JSON, "Content-Length": str(len(content) + difference)}),
            content,
        ]
    )


def cut_json(share: float = 0.5) -> Does:
    """Answer with the first part of the JSON text, under a matching Content-Length."""
    return lambda exchange: exchange.reply(
        (content := exchange.proper().content)[: int(share * len(content))]
    )


def broken_chunk(content: bytes) -> list[bytes]:
    """Announce a chunk whose size is no number, in the middle of the body."""
    half = len(content) // 2
    return [
        head(200, {**JSON, "Transfer-Encoding": "chunked"}),
        f"{half:x}\r\n".encode() + content[:half] + b"\r\n",
        b"zz\r\n" + content[half:] + b"\r\n0\r\n\r\n",
    ]


def unfinished_chunks(content: bytes) -> list[bytes]:
    """Send the whole body in chunks, but not the last chunk, which marks its end."""
    return [
        head(200, {**JSON, "Transfer-Encoding": "chunked"}),
        f"{len(content):x}\r\n".encode() + content + b"\r\n",
    ]


def broken_gzip(content: bytes) -> list[bytes]:
    """Compress the body and send half of it, under a matching Content-Length."""
    half = gzip.compress(content)
    half = half[: len(half) // 2]
    fields = {**JSON, "Content-Encoding": "gzip", "Content-Length": str(len(half))}
    return [head(200, fields), half]


def pieces(content: bytes, count: int = 8) -> list[bytes]:
    """Split a proper answer."""
    size = -(-len(content) // count)
    cuts = [content[start : start + size] for start in range(0, len(content), size)]
    return [head(200, {**JSON, "Content-Length": str(len(content))}), *cuts]


def reset(exchange: Exchange) -> None:
    """Reset the connection before a byte of the answer."""
    exchange.reset()


def reset_in_body(exchange: Exchange) -> None:
    """Reset the connection in the middle of the body."""
    begin(exchange)
    exchange.reset()


def silence(exchange: Exchange) -> None:
    """Send nothing, and keep the connection open."""
    exchange.wait(60)
    exchange.send()


def stall_in_body(exchange: Exchange) -> None:
    """Send a part of the body, and nothing after it."""
    begin(exchange)
    exchange.wait(60)


def begin(exchange: Exchange) -> None:
    """Send the first part of a proper answer."""
    content = exchange.proper().content
    exchange.send(head(200, {**JSON, "Content-Length": str(len(content))}), content[:500])


def redirect(exchange: Exchange) -> None:
    """Send the client to another path, with the same query."""
    query = "&".join(f"{name}={value}" for name, value in exchange.request.query.items())
    location = f"{exchange.server.base_url}/v2/visits?{query}"
    exchange.reply(status=302, headers={"Location": location})
