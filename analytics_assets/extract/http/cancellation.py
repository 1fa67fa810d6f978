"""Cancellation of a read: its threads stop waiting for the API at once."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar

from analytics_assets.extract.http.errors import ApiError


class ReadCancelledError(ApiError):
    """The read that a request belongs to was cancelled; nobody waits for its response."""


class CancelScope:
    """The threads of a read, and the sockets at which they wait."""

    def __init__(self) -> None:
        self._cancelled = threading.Event()
        self._lock = threading.Lock()
        self._sockets: dict[int, socket.socket] = {}  # by thread
        self._shut_down: list[socket.socket] = []

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Make the scope that of this thread, within."""
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
                with suppress(OSError):  # the other side was faster
                    each.shutdown(socket.SHUT_RDWR)

    def close_sockets(self) -> None:
        """Close the sockets that `cancel` has shut down, after the scope's threads have ended.

        An error keeps its response, and that its socket, for as long as it is looked at.
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

    def watch(self, waits_at: socket.socket) -> None:
        """Shut a socket down, at which this thread waits, if the scope is cancelled.

        Raises:
            ReadCancelledError: the scope was cancelled.
        """
        with self._lock:
            self._sockets[threading.get_ident()] = waits_at
        self.sleep(0)

    def unwatch(self) -> None:
        """Leave this thread's socket alone from now on: the next request may be another read's."""
        with self._lock:
            self._sockets.pop(threading.get_ident(), None)


_current: ContextVar[CancelScope | None] = ContextVar("cancel_scope", default=None)


def in_cancel_scope() -> bool:
    """True if this thread works for a read, and is not the one that waits for it."""
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


def watch_socket(waits_at: socket.socket) -> None:
    """Shut a socket down, at which this thread waits, if its scope is cancelled.

    Raises:
        ReadCancelledError: the scope was cancelled.
    """
    scope = _current.get()
    if scope:
        scope.watch(waits_at)


@contextmanager
def watched_exchange() -> Iterator[None]:
    """Send a request and read its whole response within; its socket is watched no longer."""
    try:
        yield
    finally:
        scope = _current.get()
        if scope:
            scope.unwatch()
