"""The machine, or container, of this process."""

import socket
from pathlib import Path


def this_machine() -> str:
    """Return a name for the host and, in a container, its namespace of process numbers."""
    namespace = Path("/proc/self/ns/pid")
    return f"{socket.gethostname()} {namespace.readlink() if namespace.exists() else ''}".strip()
