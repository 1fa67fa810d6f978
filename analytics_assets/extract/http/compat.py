"""Undocumented interfaces of requests, urllib3 and dlt, with the reason for each.

Each has a test in `test_compat.py`, named after the upstream behaviour, that fails once it changes.
"""

import re
import socket
from collections.abc import Callable
from io import BytesIO
from typing import Any

import requests
from dlt.sources.helpers.rest_client.auth import AuthConfigBase
from dlt.sources.rest_api import config_setup
from urllib3 import HTTPResponse
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.poolmanager import PoolManager

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


def call_before_response(manager: PoolManager, callback: Callable[[socket.socket], None]) -> None:
    """Call a function with the socket at which a thread is about to wait for a response.

    urllib3 2.8 gives no access to the socket of a request whose response has not arrived, so that
    a wait could not be interrupted. `pool_classes_by_scheme`, `ConnectionCls` and `sock` are
    attributes without documentation.

    Args:
        manager: the manager, before it has made a connection.
        callback: called by the thread that waits.
    """

    class Connection(HTTPConnection):
        def getresponse(self):  # type: ignore[no-untyped-def]
            if self.sock:
                callback(self.sock)
            return super().getresponse()

    class TlsConnection(HTTPSConnection):
        def getresponse(self):  # type: ignore[no-untyped-def]
            if self.sock:
                callback(self.sock)
            return super().getresponse()

    class Pool(HTTPConnectionPool):
        ConnectionCls = Connection

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = TlsConnection

    manager.pool_classes_by_scheme = {"http": Pool, "https": TlsPool}


def close_idle_connections(manager: PoolManager) -> None:
    """Close the connections that are kept for the next request.

    `PoolManager.clear()` of urllib3 2.8 drops its pools and leaves closing their sockets to the
    garbage collector; an error can keep a response, and that its pool, alive.

    Args:
        manager: the manager; the next request opens new connections.
    """
    for key in manager.pools.keys():  # noqa: SIM118  # the container refuses iteration
        pool = manager.pools.get(key)
        if pool:
            pool.close()


def set_body(response: requests.Response, body: bytes) -> None:
    """Decode a body that was read from `response.raw`, as `response.content` from then on.

    requests 2.34 reads the body from `response.raw` alone, without a deadline. It also reads the
    cookies from `response.raw`, which is therefore put back.

    Args:
        response: a response whose `raw` has been read to its end.
        body: the bytes that were read, encoded by `Content-Encoding`.

    Raises:
        requests.exceptions.ContentDecodingError: the body cannot be decoded.
    """
    raw = response.raw
    response.raw = HTTPResponse(BytesIO(body), raw.headers, raw.status, preload_content=False)
    try:
        _ = response.content
    finally:
        response.raw = raw


def create_auth(auth: Any) -> AuthConfigBase | None:
    """Return the auth object of a configuration's `client.auth`.

    dlt 1.31 makes it for its own requests alone, in a module without documentation.

    Args:
        auth: an auth in any of dlt's forms: an object, a dictionary, the name of a type, or None.
    """
    return config_setup.create_auth(auth)


def auth_class(auth: Any) -> type:
    """Return the class of a configuration's `client.auth`, without looking up its settings.

    dlt 1.31 resolves an auth when it creates it; the classes by type have no documentation.

    Args:
        auth: an auth in any of dlt's forms: an object, a dictionary or the name of a type.
    """
    if isinstance(auth, dict):  # not a configuration, which is a mapping, too
        auth = auth.get("type", "bearer")
    found: type = config_setup.get_auth_class(auth) if isinstance(auth, str) else type(auth)
    return found
