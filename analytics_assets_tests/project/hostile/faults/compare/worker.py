"""Work in a process that may hang or crash without harm."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import psutil

LONGEST = 120.0  # seconds for the loads of a trial
MOST_MEMORY = 6 * 1024**3  # bytes; a loader that reads for ever is to end before the machine does

Work = Callable[[], Any]


class Worker:
    """A fork of this process that does one work after another, and is replaced if it dies."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("fork")
        self._process: Any = None

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def do(self, work: Work) -> Any:
        """Return what the work returns, or a text about the end of its process.

        Raises:
            RuntimeError: the work raised an error.
        """
        if self._process is None:
            self._start()
        self._pipe.send(work)
        try:
            if too_much := self._too_much():
                self.stop()
                return too_much
            answer = self._pipe.recv()
        except EOFError:
            self._process.join()
            number = -int(self._process.exitcode or 0)
            self.stop()
            return f"CRASHED by {signal.Signals(number).name}"
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _too_much(self) -> str | None:
        """Wait for the answer; return a text if it takes too long or too much memory."""
        deadline = time.monotonic() + LONGEST
        while not self._pipe.poll(1):
            # a limit of the address space would hit DuckDB, which reserves more than it uses
            if psutil.Process(self._process.pid).memory_info().rss > MOST_MEMORY:
                return f"NO END within {MOST_MEMORY // 1024**3} GB"
            if time.monotonic() > deadline:
                return f"NO END within {LONGEST:.0f} s"
        return None

    def stop(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None

    def _start(self) -> None:
        self._pipe, theirs = self._context.Pipe()
        self._process = self._context.Process(target=_serve, args=(theirs, self._pipe))
        self._process.start()
        theirs.close()


def _serve(pipe: Connection, other_end: Connection) -> None:
    other_end.close()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    while True:
        work: Work = pipe.recv()
        try:
            pipe.send(work())
        except Exception as error:  # raised again in the first process
            pipe.send(RuntimeError(f"{type(error).__name__}: {error}"))
