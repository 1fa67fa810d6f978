"""Folders for the files of a process, below `pipelines_dir`: removed with it, or after it."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from analytics_assets.config.process.writable import writing_to

BEGUN, SUFFIX = ".begun", ".load"  # of a folder until it is locked, and then
BEGINNING = 60.0  # seconds, in which a folder is locked once it was made
REMEDY = "Name another folder by the setting `pipelines_dir` (`PIPELINES_DIR`)"
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

    Raises:
        SettingsError: no folder can be made there.
    """
    with writing_to(parent, REMEDY):
        parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(parent)
        begun = Path(tempfile.mkdtemp(dir=parent, prefix=f"{name}-", suffix=BEGUN))
    with FileLock(begun / OWNER, thread_local=False):
        # others take a folder of this name for one whose owner lives only if it is locked
        own = begun.rename(begun.with_suffix(SUFFIX))
        try:
            yield own
        finally:
            shutil.rmtree(own, ignore_errors=True)


def _remove_abandoned(parent: Path) -> None:
    """Remove the folders whose owners have ended."""
    for owner in (*parent.glob(f"*{SUFFIX}/{OWNER}"), *parent.glob(f"*{BEGUN}/{OWNER}")):
        # it lives; or another process has just removed it, or it is another user's
        with suppress(Timeout, OSError):
            if owner.parent.suffix == BEGUN and time.time() - owner.stat().st_mtime < BEGINNING:
                continue
            with FileLock(owner, blocking=False, thread_local=False):
                shutil.rmtree(owner.parent, ignore_errors=True)
