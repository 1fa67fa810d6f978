"""Cancellation of a read: its threads stop waiting for the API at once."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar

from analytics_assets.extract.http.errors import ApiError


class ReadCancelledError(ApiError):
    """The read that a request belongs to was cancelled; its response is not needed."""


class CancelScope:
    """The threads of a read, and the sockets at which they wait."""

    def __init__(self) -> None:
        self._cancelled = threading.Event()
        self._lock = threading.Lock()
        self._sockets: dict[int, socket.socket] = {}  # by thread
        self._shut_down: list[socket.socket] = []

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Make this the scope of the current thread inside the context."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)

    def cancel(self) -> None:
        """End all waits of the scope's threads."""
        with self._lock:
            self._cancelled.set()
            self._shut_down += self._sockets.values()
            for each in self._sockets.values():
                with suppress(OSError):  # the other side has closed it
                    each.shutdown(socket.SHUT_RDWR)

    def close_sockets(self) -> None:
        """Close the sockets that `cancel` has shut down, after the scope's threads have ended.

        As long as an error is handled, it refers to its response, and that to its socket.
        """
        for each in self._shut_down:
            each.close()

    def sleep(self, seconds: float) -> None:
        """Sleep.

        Raises:
            ReadCancelledError: the scope was cancelled.
        """
        if self._cancelled.wait(seconds):
            raise ReadCancelledError("The read that this request was for has been cancelled.")

    def watch(self, waiting: socket.socket) -> None:
        """Shut a socket down, at which this thread waits, if the scope is cancelled.

        Raises:
            ReadCancelledError: the scope was cancelled.
        """
        with self._lock:
            self._sockets[threading.get_ident()] = waiting
        self.sleep(0)

    def unwatch(self) -> None:
        """Stop watching this thread's socket: its next request may belong to another read."""
        with self._lock:
            self._sockets.pop(threading.get_ident(), None)


_current: ContextVar[CancelScope | None] = ContextVar("cancel_scope", default=None)


def in_cancel_scope() -> bool:
    """True if this thread sends requests for a read that another thread consumes."""
    return _current.get() is not None


def sleep(seconds: float) -> None:
    """Sleep, until this thread's scope is cancelled.

    Args:
        seconds: the time to sleep.

    Raises:
        ReadCancelledError: the scope was cancelled.
    """
    scope = _current.get()
    if scope:
        scope.sleep(seconds)
    else:
        time.sleep(seconds)


def watch_socket(waiting: socket.socket) -> None:
    """Shut a socket down, at which this thread waits, if its scope is cancelled.

    Raises:
        ReadCancelledError: the scope was cancelled.
    """
    scope = _current.get()
    if scope:
        scope.watch(waiting)


@contextmanager
def watched_exchange() -> Iterator[None]:
    """Stop watching this thread's socket at the end of one exchange of request and response."""
    try:
        yield
    finally:
        scope = _current.get()
        if scope:
            scope.unwatch()
