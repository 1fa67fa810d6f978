"""The folder in which dlt works during one load: made for it, and removed after it."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

SUFFIX = ".load"
ABANDONED = timedelta(days=7)  # a read may take days, in which nothing is written here


@contextmanager
def working_folder(parent: Path, name: str) -> Iterator[Path]:
    """Make a folder that no other load uses, and remove it at the end.

    Folders that killed processes left behind are removed once nothing in them has changed for a
    week. Nothing in them is needed: a load is complete or is done again, and dlt restores its
    state from the warehouse.

    Args:
        parent: the folder that it is made in; made if it does not exist.
        name: the start of the folder's name.

    Yields:
        The folder.
    """
    parent.mkdir(parents=True, exist_ok=True)
    for folder in parent.glob(f"*{SUFFIX}"):
        with suppress(FileNotFoundError):  # another load has just removed it
            if time.time() - _last_change(folder) > ABANDONED.total_seconds():
                shutil.rmtree(folder, ignore_errors=True)  # it may belong to another user
    with tempfile.TemporaryDirectory(dir=parent, prefix=f"{name}-", suffix=SUFFIX) as own:
        yield Path(own)


def _last_change(folder: Path) -> float:
    """Return the time at which a folder, or anything in it, last changed, in seconds since 1970."""
    return max(path.stat().st_mtime for path in (folder, *folder.rglob("*")))
