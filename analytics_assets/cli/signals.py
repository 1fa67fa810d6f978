"""SIGINT and SIGTERM, which end a command; as process 1 of a container, too."""

import os
import signal
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)
_received: list[int] = []


def end_on_signals() -> None:
    """Raise `KeyboardInterrupt` in the main thread at the first signal, and exit at the second.

    A process 1 gets no signal for which it has no handler. A signal that the process ignores from
    its start, as a job in the background of a shell ignores SIGINT, stays ignored.
    """
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)


def exit_code() -> int | None:
    """Return the exit code of a command that a signal has ended, 130 or 143; None without one."""
    return 128 + _received[0] if _received else None


def _interrupt(number: int, frame: FrameType | None) -> None:
    _received.append(number)
    if len(_received) > 1:
        os._exit(128 + number)
    raise KeyboardInterrupt
