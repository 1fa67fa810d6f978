"""An API whose pages stall, and what a read of it leaves behind."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import psutil

from analytics_assets_tests.support.paged_server import rows

MAX_IN_FLIGHT = 16


@dataclass
class Stalling:
    """An API of many pages that stalls behind the first few, until the test ends.

    Args:
        fails_at: the page that is refused once all others are stalled.
        in_body: whether to stall within the body, rather than before the answer.
    """

    fails_at: int | None = 8
    in_body: bool = False
    stalled: int = 0
    port: int = 0
    earlier: list[Any] = field(default_factory=list)
    requests: list[int] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, handler: BaseHTTPRequestHandler, offset: int) -> None:
        last_good = 6 if self.fails_at is None else self.fails_at - 2
        if offset <= last_good:
            page = {"data": rows(offset, offset + 1), "total": 1000}
            return reply(handler, 200, json.dumps(page).encode())
        if offset == self.fails_at:
            self.wait_for_stalled(MAX_IN_FLIGHT - 1)
            return reply(handler, 403, b"{}")
        if self.in_body:
            handler.send_response(200)
            handler.send_header("Content-Length", "1000")
            handler.end_headers()
            handler.wfile.write(b'{"data": [')
            handler.wfile.flush()
        with self.changed:
            self.stalled += 1
            self.changed.notify_all()
        self.over.wait()
        handler.close_connection = True
        return None

    def wait_for_stalled(self, many: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: self.stalled >= many, 10), self.stalled


def reply(handler: BaseHTTPRequestHandler, status: int, content: bytes) -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)


@contextmanager
def stalling(api: Stalling) -> Iterator[Stalling]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def do_GET(self) -> None:
            offset = int(self.path.partition("offset=")[2].partition("&")[0] or 0)
            api.requests.append(offset)
            api.answer(self, offset)

        def log_message(self, *_arguments: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Ignore clients that have closed their connection."""

    with Server(("127.0.0.1", 0), Handler) as server:
        api.port = server.server_port
        # an earlier test can have left a connection to an API that had the same port
        api.earlier = [each.laddr for each in sockets_to(api)]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield api
        finally:
            api.over.set()
            server.shutdown()
            thread.join()


def sockets_to(api: Stalling) -> list[Any]:
    """This process's own ends of the connections to the API; the API's are not counted."""
    return [
        each
        for each in psutil.Process().net_connections("tcp")
        if each.raddr and each.raddr.port == api.port and each.laddr not in api.earlier
        if each.status != psutil.CONN_TIME_WAIT
    ]
