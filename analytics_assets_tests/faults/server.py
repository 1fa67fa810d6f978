"""An API on raw sockets, which can answer with any bytes at all, and a token endpoint."""

import json
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

PATH = "/v1/visits"
REASONS = {200: "OK", 302: "Found", 401: "Unauthorized", 503: "Service Unavailable"}
RESET = struct.pack("ii", 1, 0)  # with this linger option, closing a socket resets it

Does = Callable[["Exchange"], None]


@dataclass(frozen=True)
class Trick:
    """What the server does in place of an honest answer, and to which requests.

    Args:
        does: writes the answer.
        times: how many requests it hits; None means every one.
        offset: the page that it hits; None means any.
        route: whether it hits requests for rows or for a token.
    """

    does: Does
    times: int | None = 1
    offset: int | None = 200
    route: Literal["rows", "token"] = "rows"

    def hits(self, exchange: "Exchange", earlier: int) -> bool:
        """Tell whether this request is answered by the trick, which `earlier` ones were."""
        right_page = self.offset in (None, exchange.offset) or self.route == "token"
        return (
            exchange.route == self.route
            and right_page
            and (self.times is None or earlier < self.times)
        )


@dataclass
class Exchange:
    """One request, and the means to answer it."""

    server: "FaultyServer"
    connection: socket.socket
    path: str
    query: Mapping[str, str]
    authorization: str
    stays_open: bool = True

    @property
    def route(self) -> str:
        return "token" if self.path == "/token" else "rows"

    @property
    def offset(self) -> int:
        return int(self.query.get("offset", 0))

    @property
    def page(self) -> dict[str, Any]:
        """The page that an honest server would answer with."""
        rows = self.server.rows
        limit = int(self.query.get("limit", 100))
        return {"data": rows[self.offset : self.offset + limit], "total": len(rows)}

    def reply(
        self, body: Any = b"", status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        """Answer properly, with JSON unless `body` is bytes."""
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        fields = {
            "Content-Type": "application/json",
            "Content-Length": str(len(payload)),
            **(headers or {}),
        }
        self.connection.sendall(head(status, fields) + payload)

    def send(self, *pieces: bytes, pause: float = 0) -> None:
        """Answer with these bytes and no others; the connection ends behind them."""
        self.stays_open = False
        for piece in pieces:
            self.connection.sendall(piece)
            self.wait(pause)

    def reset(self) -> None:
        """End the connection by a reset."""
        self.stays_open = False
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.connection.close()

    def wait(self, seconds: float) -> None:
        """Let time pass, though no longer than the server runs."""
        if seconds:
            self.server.stopping.wait(seconds)


def head(status: int, headers: Mapping[str, str]) -> bytes:
    """Return the first lines of an answer."""
    lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Whatever')}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


@dataclass
class FaultyServer:
    """Serves rows by offset and limit, and does one trick.

    Args:
        rows: what the API has; may be changed while it runs.
        token_lifetime: seconds after which a token is refused.
        stated_lifetime: what the token endpoint says about that; the same if not given.
    """

    rows: list[Any]
    token_lifetime: float = 3600
    stated_lifetime: float | None = None
    trick: Trick | None = None
    # a process keeps tokens by client, and a later server may get the same port
    client_id: str = field(default_factory=lambda: f"client-{uuid4().hex}")
    requests: Counter[str] = field(default_factory=Counter)
    stopping: threading.Event = field(default_factory=threading.Event)
    _hits: int = 0
    _tokens: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _connections: set[socket.socket] = field(default_factory=set)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> "FaultyServer":
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def play(self, trick: Trick | None) -> None:
        """Do this trick from now on; None is an honest server."""
        self.trick, self._hits = trick, 0
        self.requests.clear()

    def mend(self) -> None:
        """Be honest from now on, and let tokens live."""
        self.play(None)
        self.token_lifetime = 3600

    def issue_token(self) -> str:
        """Make a token that is good from now on."""
        token = uuid4().hex
        self._tokens[f"Bearer {token}"] = time.monotonic() + self.token_lifetime
        return token

    def _start(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with self._lock:
                    self._connections.add(connection)
                self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        # a client that goes away in the middle is no business of the server
        with suppress(OSError), connection, connection.makefile("rb") as lines:
            while exchange := self._read(connection, lines):
                self._answer(exchange)
                if not exchange.stays_open:
                    break
        with self._lock:
            self._connections.discard(connection)

    def _read(self, connection: socket.socket, lines: Any) -> Exchange | None:
        first = lines.readline().split()
        if len(first) != 3:
            return None
        headers = {}
        while line := lines.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        lines.read(int(headers.get("content-length", 0)))
        url = urlsplit(first[1].decode())
        authorization = headers.get("authorization", "")
        return Exchange(self, connection, url.path, dict(parse_qsl(url.query)), authorization)

    def _answer(self, exchange: Exchange) -> None:
        with self._lock:
            self.requests[exchange.route] += 1
            trick = self.trick
            hit = trick is not None and trick.hits(exchange, self._hits)
            self._hits += hit
            good = self._tokens.get(exchange.authorization, 0) > time.monotonic()
        if trick and hit and (good or trick.route == "token"):
            trick.does(exchange)
        elif exchange.route == "token":
            stated = self.token_lifetime if self.stated_lifetime is None else self.stated_lifetime
            exchange.reply({"access_token": self.issue_token(), "expires_in": stated})
        elif good:
            exchange.reply(exchange.page)
        else:
            exchange.reply({"error": "invalid_token"}, 401)
