"""The HTTP server of all tests: on a port of this machine, with a journal and with faults."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from analytics_assets_tests.support.http.exchange import Answer, Exchange, Request
from analytics_assets_tests.support.http.fault import Faults

Answers = Callable[[Request], Answer]


class Server:
    """Answers requests over HTTP/1.1 on 127.0.0.1, in a thread for each connection.

    Args:
        answers: Returns the answer to a request.
        port: The port to listen on; 0 takes a free one.
        revoke_tokens: Makes all tokens invalid, for a server that issues some.
    """

    def __init__(
        self,
        answers: Answers,
        port: int = 0,
        revoke_tokens: Callable[[], None] = lambda: None,
    ) -> None:
        self.answers = answers
        self.revoke_tokens = revoke_tokens
        self.faults = Faults()
        self.requests: list[Request] = []
        self.port = port
        self.base_url = self.url()
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []

    def url(self, path: str = "", host: str = "127.0.0.1") -> str:
        """Return the URL of a path."""
        return f"http://{host}:{self.port}{path}"

    def answer(self, request: Request) -> Answer:
        """Return the answer to a request, without a fault."""
        return self.answers(request)

    def start(self) -> None:
        """Start the server; it accepts connections from now on."""
        self.stopping = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        self.base_url = self.url()
        self._run(self._accept, self._listener)

    def stop(self) -> None:
        """Stop the server, and return once its threads have ended."""
        self.stopping.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._threads.pop(0).join()  # of the listener: no connection comes after this
        with self._lock:
            for connection in self._connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        while self._threads:
            self._threads.pop().join()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with self._lock:
                    self._connections.add(connection)
                self._run(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        # a client may close its end at any time
        with suppress(OSError), connection, connection.makefile("rb") as lines:
            while request := _read(lines):
                exchange = Exchange(self, connection, request)
                self._answer(exchange)
                if not exchange.stays_open:
                    break
        with self._lock:
            self._connections.discard(connection)

    def _answer(self, exchange: Exchange) -> None:
        self.requests.append(exchange.request)
        if fault := self.faults.take(exchange.request):
            fault.hit(exchange)
        else:
            exchange.answer(exchange.proper())


def _read(lines: Any) -> Request | None:
    first = lines.readline().split()
    if len(first) != 3:
        return None
    headers = {}
    while line := lines.readline().strip():
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    content = lines.read(int(headers.get("content-length", 0)))
    url = urlsplit(first[1].decode())
    query = dict(parse_qsl(url.query, keep_blank_values=True))
    return Request(first[0].decode(), url.path, query, content, headers)
