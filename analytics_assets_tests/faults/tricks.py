"""What an API, a network or a token endpoint can do wrong: what the tables are made of."""

import gzip
import json
from collections.abc import Callable, Mapping
from typing import Any

from analytics_assets_tests.faults.server import Does, Exchange, Trick, head

JSON = {"Content-Type": "application/json"}


def once(does: Does, offset: int | None = 200) -> Trick:
    """Do it to one request for the page at `offset`."""
    return Trick(does, 1, offset)


def always(does: Does, offset: int | None = 200) -> Trick:
    """Do it to every request for the page at `offset`; None is every page."""
    return Trick(does, None, offset)


def at_token(does: Does, times: int | None = None) -> Trick:
    """Do it at the token endpoint."""
    return Trick(does, times, None, "token")


def status(code: int, body: Any = b"", **headers: str) -> Does:
    """Answer with a status; an underscore in a header's name stands for a dash."""
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda exchange: exchange.reply(body, code, fields)


def body(content: Any, **headers: str) -> Does:
    """Answer 200 with another body."""
    return status(200, content, **headers)


def page(change: Callable[[dict[str, Any]], Any]) -> Does:
    """Answer with the page after a change to it."""
    return lambda exchange: exchange.reply(change(exchange.page))


def rows(change: Callable[[list[Any]], object]) -> Does:
    """Change the API's rows, then answer properly."""

    def does(exchange: Exchange) -> None:
        change(exchange.server.rows)
        exchange.reply(exchange.page)

    return does


def text(replacements: Mapping[bytes, bytes]) -> Does:
    """Answer with the page, some of its bytes replaced by others."""

    def does(exchange: Exchange) -> None:
        payload = json.dumps(exchange.page).encode()
        for old, new in replacements.items():
            payload = payload.replace(old, new)
        exchange.reply(payload)

    return does


def raw(build: Callable[[bytes], list[bytes]], pause: float = 0) -> Does:
    """Answer with the bytes that are built of the honest body, and end the connection."""
    return lambda exchange: exchange.send(*build(json.dumps(exchange.page).encode()), pause=pause)


def delayed(seconds: float) -> Does:
    """Answer properly, but late."""

    def does(exchange: Exchange) -> None:
        exchange.wait(seconds)
        if exchange.route == "token":
            token_answer({"expires_in": 3600})(exchange)
        else:
            exchange.reply(exchange.page)

    return does


def token_answer(fields: Mapping[str, Any]) -> Does:
    """Issue a token, with these other fields in the answer."""
    return lambda exchange: exchange.reply(
        {"access_token": exchange.server.issue_token(), **fields}
    )


def with_length(difference: int) -> Does:
    """Announce more bytes, or fewer, than the body has."""
    return raw(
        lambda payload: [
            head(200, {**JSON, "Content-Length": str(len(payload) + difference)}),
            payload,
        ]
    )


def cut(share: float = 0.5) -> Does:
    """Answer with the first part of the JSON text, under a matching Content-Length."""
    return lambda exchange: exchange.reply(
        (payload := json.dumps(exchange.page).encode())[: int(share * len(payload))]
    )


def broken_chunk(payload: bytes) -> list[bytes]:
    """Announce a chunk whose size is no number, in the middle of the body."""
    half = len(payload) // 2
    return [
        head(200, {**JSON, "Transfer-Encoding": "chunked"}),
        f"{half:x}\r\n".encode() + payload[:half] + b"\r\n",
        b"zz\r\n" + payload[half:] + b"\r\n0\r\n\r\n",
    ]


def unfinished_chunks(payload: bytes) -> list[bytes]:
    """Send the whole body in chunks, but not the last chunk, which says that it is whole."""
    return [
        head(200, {**JSON, "Transfer-Encoding": "chunked"}),
        f"{len(payload):x}\r\n".encode() + payload + b"\r\n",
    ]


def broken_gzip(payload: bytes) -> list[bytes]:
    """Compress the body and send the half of it, under a matching Content-Length."""
    half = gzip.compress(payload)
    half = half[: len(half) // 2]
    fields = {**JSON, "Content-Encoding": "gzip", "Content-Length": str(len(half))}
    return [head(200, fields), half]


def pieces(payload: bytes, count: int = 8) -> list[bytes]:
    """Take an honest answer apart."""
    size = -(-len(payload) // count)
    cuts = [payload[start : start + size] for start in range(0, len(payload), size)]
    return [head(200, {**JSON, "Content-Length": str(len(payload))}), *cuts]


def reset(exchange: Exchange) -> None:
    """Reset the connection before a byte of the answer."""
    exchange.reset()


def reset_in_body(exchange: Exchange) -> None:
    """Reset the connection in the middle of the body."""
    payload = json.dumps(exchange.page).encode()
    exchange.send(head(200, {**JSON, "Content-Length": str(len(payload))}), payload[:500])
    exchange.reset()


def nothing(exchange: Exchange) -> None:
    """Close the connection without a byte of an answer."""
    exchange.send()


def silence(exchange: Exchange) -> None:
    """Say nothing, and keep the connection open."""
    exchange.wait(60)
    exchange.send()


def stall_in_body(exchange: Exchange) -> None:
    """Send the half of the body, and then nothing more."""
    payload = json.dumps(exchange.page).encode()
    exchange.send(head(200, {**JSON, "Content-Length": str(len(payload))}), payload[:500])
    exchange.wait(60)


def redirect(exchange: Exchange) -> None:
    """Send the client to another path, where the same page is."""
    query = "&".join(f"{name}={value}" for name, value in exchange.query.items())
    exchange.reply(status=302, headers={"Location": f"{exchange.server.url}/v2/visits?{query}"})
