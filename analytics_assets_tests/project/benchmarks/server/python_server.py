"""The API of the benchmark for machines without nginx, where nothing but its tests can run."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit


@contextmanager
def serving_from_python(pages: Path) -> Iterator[str]:
    """Serve the same pages as nginx; for machines without it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # headers and body in one packet, or the client waits for the second

        def do_GET(self) -> None:
            address = urlsplit(self.path)
            query = {name: value for name, [value] in parse_qs(address.query).items()}
            page = 100 * int(query.get("page", "0"))
            token = query.get("cursor", "").removeprefix("after_")
            self.answer(address.path, query.get("offset") or token or str(page))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/oauth/token":
                self.send(200, b'{"access_token": "static", "expires_in": 36000}')
            else:
                self.answer(self.path, json.loads(body)["offset"])

        def answer(self, path: str, offset: object) -> None:
            folder = pages / path.removeprefix("/lat").split("/")[1]
            page = folder / f"{offset}.json"
            page = page if page.exists() else folder / "end.json"
            self.send(200, page.read_bytes()) if page.exists() else self.send(404, b"{}")

        def send(self, status: int, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = Thread(target=partial(server.serve_forever, poll_interval=0.01))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
