"""The machine, or container, of this process."""

import socket
from functools import cache
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")  # of Linux; another one after each start
NAMESPACE = Path("/proc/self/ns/pid")


@cache
def this_machine() -> str:
    """Return a name that no other machine, and no other container, has.

    Two machines may have the same host name, and the numbers of namespaces are unique on one
    machine only.
    """
    boot_id = BOOT_ID.read_text().strip() if BOOT_ID.exists() else ""
    return f"{tagged_machine()} {boot_id}".strip()


def tagged_machine() -> str:
    """Return the name of the host and, in a container, its namespace of process numbers.

    Runs of releases without leases have it in a tag.
    """
    return f"{socket.gethostname()} {NAMESPACE.readlink() if NAMESPACE.exists() else ''}".strip()
