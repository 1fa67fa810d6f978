"""Work in a fork of this process, which may hang or crash without harm."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

LONGEST = 180.0  # seconds for the loads of a trial


def in_a_process(work: Callable[[], Any]) -> Any:
    """Run something in a fork, which may hang or crash; return what it returns, or how it ended."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(work, theirs))
    process.start()
    theirs.close()
    try:
        if not ours.poll(LONGEST):
            return f"NO END within {LONGEST:.0f} s"
        answer = ours.recv()
    except EOFError:
        process.join()
        return f"CRASHED: {signal.Signals(-int(process.exitcode or 0)).name}"
    finally:
        process.kill()
        process.join()
    if isinstance(answer, Exception):
        raise answer
    return answer


def _work(work: Callable[[], Any], answer: Connection) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    try:
        answer.send(work())
    except Exception as error:  # told by the parent
        answer.send(RuntimeError(f"{type(error).__name__}: {error}"))
