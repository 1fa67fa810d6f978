"""Refresh tokens that the token endpoint replaces at each use, kept from one run to the next.

RFC 6749 section 6 allows an endpoint to issue a new refresh token and to revoke the old one, so
that the configured one works only once.
"""

import hashlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from analytics_assets.config.settings.oauth2 import OAuth2Settings
from analytics_assets.config.settings.shared_store import resolve_shared_store
from analytics_assets.extract.http.oauth2.grants import Grant

logger = logging.getLogger(__name__)
MAX_WAIT = 120.0  # seconds, for another process's token request


class RefreshTokenGrant(Grant):
    """A refresh token that was granted once (RFC 6749 section 6), or its latest replacement.

    A replacement is kept in a file that only its owner can read, in a folder that is made with the
    first one. The file is found by a digest of the configured token, so that a newly configured one
    starts afresh.
    """

    type = "refresh_token"

    def __init__(self, settings: OAuth2Settings) -> None:
        super().__init__(settings)
        self._token = str(settings.refresh_token)
        self._digest = hashlib.sha256(self._token.encode()).hexdigest()[:32]
        self._file = Path(settings.refresh_token_dir) / self._digest

    @contextmanager
    def parameters(self) -> Iterator[dict[str, str]]:
        """Yield the refresh token; no other process uses it inside the context.

        If an endpoint gets a replaced token again, it assumes theft and revokes all tokens.
        """
        lock = FileLock(self._file.with_suffix(".lock"), timeout=MAX_WAIT)
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire()
            if self._file.exists():
                self._token = self._file.read_text(encoding="utf-8")
        except OSError as error:
            logger.warning(
                "Rotated refresh tokens cannot be kept in %s (setting `refresh_token_dir`): %s",
                self._file.parent,
                error.strerror or error,
            )
        try:
            yield {"refresh_token": self._token}
        finally:
            lock.release()

    def rotate(self, token: str) -> None:
        """Use the refresh token that replaces the one just used, in later runs too."""
        self._token = token
        store = resolve_shared_store()
        if store.url and not store.fernet_keys:
            logger.warning(
                "The token endpoint replaced the refresh token, and the new one is kept on this "
                "machine alone, in %s: set `shared_store.encryption_key` to load on others, too.",
                self._file.parent,
            )
        try:
            part = self._file.with_suffix(".part")  # of the owner of the lock, or of a killed one
            part.unlink(missing_ok=True)
            with open(part, "x", encoding="utf-8", opener=_owners_alone) as file:
                file.write(token)
            part.replace(self._file)
        except OSError as error:
            logger.warning(
                "The token endpoint replaced the refresh token, and the new one could not be kept "
                "in %s (setting `refresh_token_dir`; %s): the next run will need a new one in the "
                "setting `refresh_token`.",
                self._file.parent,
                error.strerror,
            )


def _owners_alone(path: str, flags: int) -> int:
    """Open a file that only its owner can read."""
    return os.open(path, flags, 0o600)
