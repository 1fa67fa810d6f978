"""The one server of this process, for loads without another API."""

import atexit
import os
import threading
from datetime import date

from analytics_assets.sandbox.server import Sandbox

_lock = threading.Lock()
_server: Sandbox | None = None


def embedded_sandbox(today: date | None = None) -> Sandbox:
    """Return the server of this process; the first call starts it, the process's end stops it.

    A forked child has a server of its own, which its first call starts.

    Args:
        today: The day that its data is as of from now on. None leaves it unchanged; at first
            it is the current UTC day.

    Returns:
        The running server.
    """
    global _server
    with _lock:
        if _server is None:
            _server = Sandbox(today=today)
            _server.start()
        elif today is not None:
            _server.today = today
        return _server


def _stop() -> None:
    global _server
    with _lock:
        if _server is not None:
            _server.stop()
            _server = None


def _start_over_in_child() -> None:
    global _lock, _server
    # Another thread of the parent may have held the lock while it forked.
    _lock = threading.Lock()
    if _server is not None:
        _server.close_in_child()
        _server = None


atexit.register(_stop)
os.register_at_fork(after_in_child=_start_over_in_child)
