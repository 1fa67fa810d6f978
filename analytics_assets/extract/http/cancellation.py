"""Reads that are given up: what still waits for the API on their behalf ends at once."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar

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


def wait_at(waited_at: socket.socket) -> None:
    """Say at which socket this thread is about to wait for an answer.

    Raises:
        GivenUpError: the read was given up.
    """
    read = _current.get()
    if read:
        read.waits_at(waited_at)


@contextmanager
def waiting() -> Iterator[None]:
    """Send a request and take its whole answer in here."""
    try:
        yield
    finally:
        read = _current.get()
        if read:
            read.waits_no_more()
