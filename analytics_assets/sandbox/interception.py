"""What stands before the API: every request is noted, and the faults are carried out."""

import orjson
from starlette.datastructures import Headers, QueryParams
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from analytics_assets.sandbox.connections import Connections
from analytics_assets.sandbox.faults import Fault, Faults
from analytics_assets.sandbox.journal import Journal, RequestRecord
from analytics_assets.sandbox.oauth import TokenEndpoint

FAULTS_PATH = "/faults"
_BODILESS = {204, 205, 304}
_RawHeaders = list[tuple[bytes, bytes]]


class Interception:
    """An ASGI application around another one, which notes requests and carries out faults.

    Args:
        api: The application that answers properly.
        journal: Where requests are noted.
        faults: What goes wrong. Requests for ``/faults`` themselves are spared.
        tokens: The tokens that an expiry fault revokes.
        connections: The connections that faults close.
    """

    def __init__(
        self,
        api: ASGIApp,
        *,
        journal: Journal,
        faults: Faults,
        tokens: TokenEndpoint,
        connections: Connections,
    ) -> None:
        self._api = api
        self._journal = journal
        self._faults = faults
        self._tokens = tokens
        self._connections = connections

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request.

        Args:
            scope: The ASGI scope of the request.
            receive: The ASGI channel it comes in by.
            send: The ASGI channel the answer goes out by.
        """
        record = RequestRecord(
            method=scope["method"],
            path=scope["path"],
            query=dict(QueryParams(scope["query_string"])),
            authorized="authorization" in Headers(scope=scope),
        )
        self._journal.add(record)

        async def send_and_note(message: Message) -> None:
            # Noted before the first byte leaves: who has the answer finds its status noted.
            if message["type"] == "http.response.start":
                record.status = message["status"]
            await send(message)

        spared = record.path == FAULTS_PATH
        fault = None if spared else self._faults.take(record.path, record.query)
        if fault is None:
            await self._api(scope, receive, send_and_note)
        else:
            await self._misbehave(fault, scope, receive, send_and_note)

    async def _misbehave(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        if fault.expired_token:
            self._tokens.revoke_all()
        if fault.delay:
            await self._connections.pause(fault.delay)
        if fault.drop:
            self._connections.abort(scope["client"])
            await _until_disconnected(receive)
            return
        status, headers, body = _replacement(fault) or await self._proper_reply(scope, receive)
        added = {
            name.encode(): value.encode("latin-1") for name, value in fault.added_headers().items()
        }
        headers = [header for header in headers if header[0] not in added] + list(added.items())
        await send({"type": "http.response.start", "status": status, "headers": headers})
        if not fault.cut_body:
            await send({"type": "http.response.body", "body": body})
            return
        half = body[: len(body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        self._connections.close(scope["client"])
        await _until_disconnected(receive)

    async def _proper_reply(self, scope: Scope, receive: Receive) -> tuple[int, _RawHeaders, bytes]:
        messages: list[Message] = []

        async def collect(message: Message) -> None:
            messages.append(message)

        await self._api(scope, receive, collect)
        start, *parts = messages
        return start["status"], start["headers"], b"".join(part["body"] for part in parts)


def _replacement(fault: Fault) -> tuple[int, _RawHeaders, bytes] | None:
    status = fault.status or 200
    extra: _RawHeaders = []
    if fault.body is not None:
        body = fault.body.encode()
    elif fault.error_body:
        body = _error("internal_error", "The data could not be read.")
    elif fault.expired_token:
        status = fault.status or 401
        extra = [(b"www-authenticate", b'Bearer error="invalid_token"')]
        body = _error("invalid_token", "The access token has expired.")
    elif fault.status is not None:
        body = _error(f"status_{status}", f"This request is answered with status {status}.")
    else:
        return None
    if status in _BODILESS:
        return status, extra, b""
    size = str(len(body)).encode()
    return status, [(b"content-type", b"application/json"), (b"content-length", size), *extra], body


def _error(code: str, message: str) -> bytes:
    return orjson.dumps({"error": {"code": code, "message": message}})


async def _until_disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
