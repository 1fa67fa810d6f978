"""Reads that are given up: what still waits for the API on their behalf ends at once."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.poolmanager import PoolManager

from analytics_assets.extract.http.errors import ApiError


class GivenUpError(ApiError):
    """The read that a request belongs to was given up; nobody waits for its answer."""


class Read:
    """A read as its threads see it: whether it goes on, and which sockets it waits at."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._waits_at: dict[int, socket.socket] = {}  # by thread
        self._shut_down: list[socket.socket] = []

    @contextmanager
    def current(self) -> Iterator[None]:
        """Let what this thread does belong to the read."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)

    def give_up(self) -> None:
        """End all waits and answers of the read."""
        with self._lock:
            self._over.set()
            self._shut_down += self._waits_at.values()
            for waited_at in self._waits_at.values():
                with suppress(OSError):  # the other side was faster
                    waited_at.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the sockets of a read that was given up, once none of its threads runs any more.

        An error holds on to its answer, and that to its socket, for as long as it is looked at.
        """
        for waited_at in self._shut_down:
            waited_at.close()

    def pause(self, seconds: float) -> None:
        """Wait.

        Raises:
            GivenUpError: the read was given up.
        """
        if self._over.wait(seconds):
            raise GivenUpError("The read that this request was for has been given up.")

    def waits_at(self, waited_at: socket.socket) -> None:
        """Say at which socket this thread waits for an answer.

        Raises:
            GivenUpError: the read was given up.
        """
        with self._lock:
            self._waits_at[threading.get_ident()] = waited_at
        self.pause(0)

    def waits_no_more(self) -> None:
        """Say that the answer is there: its socket may be another read's from now on."""
        with self._lock:
            self._waits_at.pop(threading.get_ident(), None)


_current: ContextVar[Read | None] = ContextVar("read", default=None)


def in_a_read() -> bool:
    """Tell whether this thread works for a read, and not as the one that waits for it."""
    return _current.get() is not None


def pause(seconds: float) -> None:
    """Wait, as long as the read that this thread works for goes on.

    Args:
        seconds: how long.

    Raises:
        GivenUpError: the read was given up.
    """
    read = _current.get()
    if read:
        read.pause(seconds)
    else:
        time.sleep(seconds)


def _wait_at(connection: HTTPConnection) -> None:
    read = _current.get()
    if read and connection.sock:
        read.waits_at(connection.sock)


class _Connection(HTTPConnection):
    def getresponse(self):  # type: ignore[no-untyped-def]
        _wait_at(self)
        return super().getresponse()


class _TlsConnection(HTTPSConnection):
    def getresponse(self):  # type: ignore[no-untyped-def]
        _wait_at(self)
        return super().getresponse()


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class InterruptibleAdapter(HTTPAdapter):
    """An adapter whose answers are not waited for once their read is given up."""

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Send a request and take its whole answer in here."""
        try:
            yield
        finally:
            read = _current.get()
            if read:
                read.waits_no_more()

    def init_poolmanager(self, *args, **kwargs):  # type: ignore[no-untyped-def]
        """Make the pool of connections."""
        super().init_poolmanager(*args, **kwargs)
        _let_be_interrupted(self.poolmanager)

    def proxy_manager_for(self, *args, **kwargs):  # type: ignore[no-untyped-def]
        """Make the pool of connections to a proxy."""
        proxies = super().proxy_manager_for(*args, **kwargs)
        _let_be_interrupted(proxies)
        return proxies

    def close(self) -> None:
        """Close all connections that wait for a request.

        urllib3 2 leaves that to the garbage collector, and an error may hold on to an answer.
        """
        for manager in (self.poolmanager, *self.proxy_manager.values()):
            for key in manager.pools.keys():  # noqa: SIM118  # it cannot be gone through itself
                pool = manager.pools.get(key)
                if pool:
                    pool.close()
        super().close()


def _let_be_interrupted(connections: PoolManager) -> None:
    connections.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
