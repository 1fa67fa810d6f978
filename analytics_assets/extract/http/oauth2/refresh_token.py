"""Refresh tokens that the token endpoint replaces at each use, kept from one run to the next.

RFC 6749 section 6 allows an endpoint to issue a new refresh token and to revoke the old one, so
that the configured one works only once.
"""

import hashlib
import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

logger = logging.getLogger(__name__)
MAX_WAIT = 120.0  # seconds, for another process's token request


class RefreshToken:
    """The current refresh token: the configured one, or its latest replacement.

    A replacement is kept in a file that only its owner can read. The file is found by a digest of
    the configured token, so that a newly configured one starts afresh.

    Args:
        configured: the token that was granted once.
        folder: the folder of replacements; made with the first one.
    """

    def __init__(self, configured: str, folder: Path) -> None:
        self._current = configured
        self._file = folder / hashlib.sha256(configured.encode()).hexdigest()[:32]

    @contextmanager
    def in_use(self) -> Iterator[str]:
        """Yield the current token; no other process uses it inside the context.

        If an endpoint gets a replaced token again, it assumes theft and revokes all tokens.
        """
        lock = FileLock(self._file.with_suffix(".lock"), timeout=MAX_WAIT)
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire()
            if self._file.exists():
                self._current = self._file.read_text(encoding="utf-8")
        except OSError as error:
            logger.warning("Rotated refresh tokens cannot be kept in %s: %s", self._file, error)
        try:
            yield self._current
        finally:
            lock.release()

    def replace(self, token: str) -> None:
        """Use `token` from now on, in later runs too."""
        self._current = token
        try:
            # mkstemp makes a file that only its owner can read
            descriptor, name = tempfile.mkstemp(dir=self._file.parent)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(token)
            Path(name).replace(self._file)
        except OSError as error:
            logger.warning(
                "The token endpoint replaced the refresh token, and the new one could not be kept "
                "in %s (%s): the next run will need a new one in the setting `refresh_token`.",
                self._file.parent,
                error.strerror,
            )
