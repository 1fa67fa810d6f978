"""The folder in which dlt works during one load: made for it, and removed after it.

Beside each folder is a file that the living process keeps locked. A process that is killed leaves
both behind, but not the lock: that is how its folder is told from one in use.
"""

import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from filelock import FileLock, Timeout

from analytics_assets.warehouse.machine import this_machine

IN_USE = ".in_use"  # what the name of the lock file has on top of the folder's
FORGOTTEN = timedelta(days=7)


@contextmanager
def working_folder(parent: Path, name: str) -> Iterator[Path]:
    """Make a folder that no other load uses, and remove it at the end.

    Args:
        parent: where it is to be; made if need be, and rid of what killed processes left there.
        name: what the folder's name begins with.

    Yields:
        The folder.
    """
    parent.mkdir(parents=True, exist_ok=True)
    remove_dead_folders(parent)
    folder = parent / f"{name}-{_machine()}-{uuid4().hex[:8]}"
    lock_file = folder.with_name(folder.name + IN_USE)
    # locked before the folder is there, so that at no moment it looks as if nobody used it
    with FileLock(lock_file, thread_local=False):
        folder.mkdir()
        try:
            yield folder
        finally:
            _remove(folder, lock_file)


def remove_dead_folders(parent: Path) -> list[Path]:
    """Remove the folders of processes that are gone, with what they had not loaded.

    Nothing in them is needed: a load is complete or is done again, and dlt takes its state from
    the warehouse. A folder of another machine or container, on a disk that they share, is left
    alone until nothing in it has changed for a week: locks may not reach that far.

    Args:
        parent: the folder that holds them.

    Returns:
        The folders that were removed.
    """
    removed = []
    for lock_file in sorted(parent.glob(f"*{IN_USE}")):
        folder = lock_file.with_name(lock_file.name.removesuffix(IN_USE))
        if not (f"-{_machine()}-" in folder.name or _is_forgotten(folder, lock_file)):
            continue
        try:
            with FileLock(lock_file, timeout=0, thread_local=False):
                _remove(folder, lock_file)
        except (Timeout, PermissionError):  # in use, or somebody else's
            continue
        removed.append(folder)
    return removed


def _machine() -> str:
    return hashlib.sha256(this_machine().encode()).hexdigest()[:8]


def _remove(folder: Path, lock_file: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
    lock_file.unlink(missing_ok=True)


def _is_forgotten(folder: Path, lock_file: Path) -> bool:
    places = [str(lock_file), *(place for place, _, _ in os.walk(folder))]
    try:
        newest = max(os.path.getmtime(place) for place in places)
    except FileNotFoundError:  # its owner has just removed it
        return False
    return time.time() - newest > FORGOTTEN.total_seconds()
