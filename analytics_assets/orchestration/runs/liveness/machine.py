"""The machine, or container, of this process, and its processes."""

import socket
from functools import cache
from pathlib import Path
from uuid import getnode

import psutil

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")  # of Linux; another one after each start
NAMESPACE = Path("/proc/self/ns/pid")
STARTED = 19  # the place of a process's start behind its name: proc(5), `starttime`


@cache
def this_machine() -> str:
    """Return a name that no other machine, and no other container, has.

    Two machines may have the same host name, and the numbers of namespaces are unique on one
    machine only. Where there is no id of the system's start, the network card has one.
    """
    unique = BOOT_ID.read_text().strip() if BOOT_ID.exists() else f"{getnode():x}"
    return f"{tagged_machine()} {unique}"


def tagged_machine() -> str:
    """Return the name of the host and, in a container, its namespace of process numbers.

    Runs of releases without leases have it in a tag.
    """
    return f"{socket.gethostname()} {NAMESPACE.readlink() if NAMESPACE.exists() else ''}".strip()


def start_of(process: int) -> str:
    """Return the start of a process of this machine, which tells it from a later one.

    In Linux it is counted from the start of the system: times of the day change with the clock.

    Args:
        process: its number.

    Returns:
        The start; empty if the process has ended.
    """
    stat = Path(f"/proc/{process}/stat")
    try:
        if psutil.Process(process).status() == psutil.STATUS_ZOMBIE:
            return ""
        if NAMESPACE.exists():
            return stat.read_text().rpartition(")")[2].split()[STARTED]
        return str(psutil.Process(process).create_time())
    except (psutil.NoSuchProcess, OSError):
        return ""
