"""The embedded API with a journal, with faults, and with resources of the test's own."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urlencode

from starlette.types import Message

from analytics_assets import sandbox
from analytics_assets.sandbox.rows import Row
from analytics_assets_tests.support.http.exchange import Answer, Request
from analytics_assets_tests.support.http.fault import Fault, Faults
from analytics_assets_tests.support.http.server import Server

__all__ = ["Fault", "Sandbox"]


class Sandbox(sandbox.Sandbox):
    """The embedded API on the server of the tests.

    Args:
        extra_rows: Rows of further resources by name, served under ``/v1/`` as they are.
        **settings: The arguments of the embedded API.
    """

    def __init__(
        self, *, extra_rows: Mapping[str, Sequence[Any]] | None = None, **settings: Any
    ) -> None:
        super().__init__(**settings)
        self._extra_rows = dict(extra_rows or {})
        self._server = Server(self._answer, self._port, self.tokens.revoke_all)

    @property
    def faults(self) -> Faults:
        """The faults of the server."""
        return self._server.faults

    @property
    def requests(self) -> list[Request]:
        """The requests so far, oldest first."""
        return self._server.requests

    @property
    def base_url(self) -> str:
        """The URL of the API, without a slash at the end."""
        return self._server.base_url

    def rows(self, resource: str) -> Sequence[Row]:
        """Return the rows of a resource."""
        return (
            self._extra_rows[resource] if resource in self._extra_rows else super().rows(resource)
        )

    def start(self) -> None:
        """Start the server."""
        self._server.start()

    def stop(self) -> None:
        """Stop the server."""
        self._server.stop()

    def _answer(self, request: Request) -> Answer:
        scope = {
            "type": "http",
            "method": request.method,
            "scheme": "http",
            "path": unquote(request.path),
            "root_path": "",
            "query_string": urlencode(request.query).encode(),
            "headers": [
                (name.encode("latin-1"), value.encode("latin-1"))
                for name, value in request.headers.items()
            ],
        }
        messages: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": request.content, "more_body": False}

        async def send(message: Message) -> None:
            messages.append(message)

        asyncio.run(self.application(scope, receive, send))
        start, *parts = messages
        headers = {name.decode(): value.decode("latin-1") for name, value in start["headers"]}
        return Answer(b"".join(part.get("body", b"") for part in parts), start["status"], headers)
