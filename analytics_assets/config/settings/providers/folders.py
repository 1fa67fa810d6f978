"""Folders of settings that an environment variable names."""

import os
from pathlib import Path

from analytics_assets.config.errors import UnreachableFolderError


def named_folder(variable: str) -> Path | None:
    """Return the folder that an environment variable names; None if it is not set, or empty.

    Raises:
        UnreachableFolderError: there is no such folder, or this user cannot enter it.
    """
    if not (name := os.environ.get(variable)):
        return None
    folder = Path(name).absolute()
    try:
        os.stat(f"{folder}/.")  # which a file does not have
    except OSError as error:
        raise UnreachableFolderError(
            f"The environment variable {variable} names the folder {folder}, which cannot be "
            f"used: {error.strerror}. Make or mount it there, so that the user of the process can "
            "read it, name another one, or remove the variable."
        ) from None
    return folder
