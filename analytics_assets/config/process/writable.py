"""Errors of folders and files that cannot be written, with the setting that names another place."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from analytics_assets.config.errors import SettingsError

# a read-only file system, as containers have it, or one of another user
FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


@contextmanager
def writing_to(path: Path, remedy: str) -> Iterator[None]:
    """Raise the error of a path that must not be written as one that names the remedy.

    Args:
        path: the path.
        remedy: how to name another one, as a sentence without its end.

    Raises:
        SettingsError: it is on a read-only file system, or this user has no right to write there.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in FORBIDDEN:
            raise
        raise SettingsError(
            f"{path.absolute()} cannot be written: {error.strerror}. {remedy}, or give this user "
            "the right to write there."
        ) from None
