"""Undocumented interfaces of requests and dlt, with the reason for each.

Each has a test in `test_compat.py`, named after the upstream behaviour, that fails once it changes.
"""

import re
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any

import requests
from dlt.sources.helpers.rest_client.auth import AuthConfigBase
from dlt.sources.rest_api import config_setup
from requests.adapters import HTTPAdapter

_thread = threading.local()
DOT_SEGMENT = re.compile(r"(?<=/)\.\.?(?=[/?#]|$)")


def with_encoded_dots(url: str) -> str:
    """Encode the segments `.` and `..` of a URL that requests has prepared.

    requests 2.34 decodes the `%2E%2E` of a path, after urllib3 has resolved the segments that were
    not encoded: the API would ask for another path. Those that are left were encoded.

    Example:
        >>> with_encoded_dots("https://api.example.com/refs/../kids?from=/../")
        'https://api.example.com/refs/%2E%2E/kids?from=/../'
    """
    path, mark, query = url.partition("?")
    return DOT_SEGMENT.sub(lambda found: found[0].replace(".", "%2E"), path) + mark + query


def create_auth(auth: Any) -> AuthConfigBase | None:
    """Return the auth object of a configuration's `client.auth`.

    dlt 1.31 makes it for its own requests alone, in a module without documentation.

    Args:
        auth: an auth in any of dlt's forms: an object, a dictionary, the name of a type, or None.
    """
    return config_setup.create_auth(auth)


@contextmanager
def answer_due(
    session: requests.Session,
    request: requests.PreparedRequest,
    given: Mapping[str, Any],
    ends: float,
) -> Iterator[None]:
    """Close the connection of a request whose answer has not arrived in time.

    The timeout of requests 2.34 holds for each part that arrives: an API that sends a byte a second
    of its headers, of the size of a chunk or of what follows the last one keeps a read for ever. A
    connection is made by the class that its pool names, and by no other part of requests or urllib3
    2.8 that could be replaced.

    Args:
        session: sends the request in this context.
        request: the request.
        given: the proxies and certificates for it.
        ends: the time, by `time.monotonic`, at which they are due.
    """
    adapter = session.get_adapter(str(request.url))
    if isinstance(adapter, HTTPAdapter) and str(request.url).startswith("http"):
        pool: Any = adapter.get_connection_with_tls_context(
            request, given["verify"], proxies=given["proxies"], cert=given["cert"]
        )
        pool.ConnectionCls = _closing(pool.ConnectionCls)
    _thread.ends, _thread.timers = ends, []
    try:
        yield
    finally:
        for timer in _thread.timers:
            timer.cancel()
        del _thread.ends, _thread.timers


@cache
def _closing(kind: type[Any]) -> type[Any]:
    """Return a class of connections that close themselves if headers are late."""
    if issubclass(kind, _ClosingConnection):
        return kind
    return type(f"Closing{kind.__name__}", (_ClosingConnection, kind), {})


class _ClosingConnection:
    sock: socket.socket | None

    def getresponse(self) -> Any:
        if not hasattr(_thread, "ends"):  # the session is used by others, too
            return super().getresponse()  # type: ignore[misc]
        left = max(0.0, _thread.ends - time.monotonic())
        timer = threading.Timer(left, _shut, [self.sock])
        timer.daemon = True
        _thread.timers.append(timer)
        timer.start()
        response = super().getresponse()  # type: ignore[misc]
        if time.monotonic() >= _thread.ends:  # headers that break off are complete to Python
            raise TimeoutError
        return response


def _shut(sock: socket.socket | None) -> None:
    if sock:
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
