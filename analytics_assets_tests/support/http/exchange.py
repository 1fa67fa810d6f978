"""A request to a server of the tests, an answer to it, and the connection that carries both."""

import json
import socket
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

REASONS = {200: "OK", 302: "Found", 401: "Unauthorized", 503: "Service Unavailable"}
WITHOUT_BODY = {204, 304}
RESET = struct.pack("ii", 1, 0)  # with this linger option, closing a socket resets it


@dataclass
class Request:
    """A request; equal to another one that asks for the same.

    Args:
        method: The HTTP method.
        path: The path, without the query.
        query: The query's parameters.
        content: The body.
        headers: The headers by their names in lower case.
        moment: The time of its arrival, in seconds since the epoch.
        status: The status of its answer; None until then, or if there never was one.
    """

    method: str
    path: str
    query: dict[str, str]
    content: bytes = b""
    headers: dict[str, str] = field(default_factory=dict, compare=False, repr=False)
    moment: float = field(default_factory=time.time, compare=False, repr=False)
    status: int | None = field(default=None, compare=False, repr=False)

    def number(self, name: str, default: int = 0) -> int:
        """Return a parameter of the query as a number."""
        return int(self.query.get(name, default))

    @property
    def authorized(self) -> bool:
        """True if it has an Authorization header."""
        return "authorization" in self.headers

    @property
    def body(self) -> Any:
        """The body as JSON; None if it is empty."""
        return json.loads(self.content) if self.content else None

    @property
    def text(self) -> str:
        """The body as text."""
        return self.content.decode()

    @property
    def form(self) -> dict[str, str]:
        """The body as a form."""
        return dict(parse_qsl(self.text))


@dataclass(frozen=True)
class Answer:
    """An answer: a body of bytes as it is, anything else as JSON."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        """The bytes of the body."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()

    @property
    def all_headers(self) -> dict[str, str]:
        """The headers, with the usual content type where none is given."""
        given = {name.title(): value for name, value in self.headers.items()}
        return {"Content-Type": "application/json", **given}


def head(status: int, headers: Mapping[str, str]) -> bytes:
    """Return the first lines of an answer."""
    lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Other')}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


class Exchange:
    """One request, and the means to answer it: properly, or with any bytes.

    Args:
        server: The server.
        connection: The connection to the client.
        request: The request.
    """

    def __init__(self, server: Any, connection: socket.socket, request: Request) -> None:
        self.server = server
        self.request = request
        self.stays_open = True
        self._connection = connection

    def proper(self) -> Answer:
        """Return the server's own answer."""
        answer: Answer = self.server.answer(self.request)
        return answer

    @property
    def page(self) -> Any:
        """The body of the proper answer, from JSON."""
        return json.loads(self.proper().content)

    def answer(self, answer: Answer) -> None:
        """Send an answer that is well-formed."""
        content = b"" if answer.status in WITHOUT_BODY else answer.content
        headers = {**answer.all_headers, "Content-Length": str(len(content))}
        self.request.status = answer.status
        self._connection.sendall(head(answer.status, headers) + content)

    def reply(
        self, body: Any = b"", status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        """Send an answer of this body."""
        self.answer(Answer(body, status, headers or {}))

    def send(self, *pieces: bytes, pause: float = 0) -> None:
        """Send these bytes and no others, then close the connection."""
        self.stays_open = False
        for piece in pieces:
            self._connection.sendall(piece)
            self.wait(pause)

    def reset(self) -> None:
        """Reset the connection."""
        self.stays_open = False
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self._connection.close()

    def wait(self, seconds: float) -> None:
        """Wait, though no longer than the server runs."""
        if seconds:
            self.server.stopping.wait(seconds)
