"""The machine, or container, that this process is on."""

import socket
from pathlib import Path


def this_machine() -> str:
    """Return what tells apart where process numbers are given out: the host, and the container."""
    namespace = Path("/proc/self/ns/pid")
    return f"{socket.gethostname()} {namespace.readlink() if namespace.exists() else ''}".strip()
