"""Folders for the files of a process, below `pipelines_dir`: removed with it, or after it."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

SUFFIX = ".load"
OWNER = "owner.lock"  # the system unlocks it when its process ends in any way


@contextmanager
def working_folder(parent: Path, name: str) -> Iterator[Path]:
    """Make a folder that no other process uses, and remove it at the end.

    Folders that killed processes left behind are removed first. Nothing in them is needed: a load
    is complete or is done again, and dlt restores its state from the warehouse.

    Args:
        parent: the folder that it is made in, `pipelines_dir`; made if it does not exist.
        name: the start of the folder's name.

    Yields:
        The folder.
    """
    parent.mkdir(parents=True, exist_ok=True)
    for owner in parent.glob(f"*{SUFFIX}/{OWNER}"):
        # it lives; or another process has just removed it, or it is another user's
        with suppress(Timeout, OSError), FileLock(owner, blocking=False, thread_local=False):
            shutil.rmtree(owner.parent, ignore_errors=True)
    own = Path(tempfile.mkdtemp(dir=parent, prefix=f"{name}-", suffix=SUFFIX))
    with FileLock(own / OWNER, thread_local=False):
        try:
            yield own
        finally:
            shutil.rmtree(own, ignore_errors=True)
