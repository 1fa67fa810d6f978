"""Tokens that processes share: encrypted, and renewed by one process at a time."""

import hashlib
import hmac
import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from analytics_assets.config.text.quantities import duration
from analytics_assets.extract.http.shared_store.statements import READ_ENCRYPTED, WRITE_ENCRYPTED
from analytics_assets.extract.http.shared_store.store import (
    SharedStore,
    SharedStoreError,
    StoreUnavailableError,
)

logger = logging.getLogger(__name__)
T = TypeVar("T")

RETRY_SECONDS = 1.0  # between two tries to reach the store


class UnreadableTokenError(SharedStoreError):
    """No key of the settings decrypts a token of the store."""


@dataclass(frozen=True)
class StoredToken:
    """A token in the store.

    Args:
        fields: the token, with what is to be known of it.
        left: seconds until it expires; None for never.
        used: seconds in which another process may send it to the token endpoint; 0 or less if none
            does.
    """

    fields: dict[str, Any]
    left: float | None
    used: float


class SharedTokens:
    """The tokens of an API's client in the shared store.

    Names tell nothing of what they are made of: that of an access token is a keyed digest of the
    settings it was asked for with, that of a refresh token a digest of the configured one.

    Args:
        store: the store.
        keys: the keys that decrypt; the first one encrypts.
        settings: everything that a token is asked for with.
        patience: seconds to wait for a store that cannot be reached.
    """

    def __init__(
        self,
        store: SharedStore,
        keys: Sequence[str],
        settings: Mapping[str, Any],
        patience: float,
    ) -> None:
        self._store, self._patience = store, patience
        self._first, self._all = Fernet(keys[0]), MultiFernet([Fernet(key) for key in keys])
        asked = json.dumps({name: str(value) for name, value in settings.items()}, sort_keys=True)
        digest = hmac.new(keys[0].encode(), asked.encode(), hashlib.sha256)
        self.name = f"access {digest.hexdigest()}"

    def read(self, name: str) -> StoredToken | None:
        """Return a token; None if there is none.

        Raises:
            UnreadableTokenError: the settings have not the key that encrypted it.
            SharedStoreError: the store cannot be used.
        """
        rows = self._store.run(READ_ENCRYPTED, {"name": name})
        if not rows:
            return None
        ((encrypted, left, used),) = rows
        try:
            fields = self._all.decrypt(encrypted.encode())
        except InvalidToken:
            raise UnreadableTokenError(
                "a token in the shared store cannot be decrypted: write the key by which it was "
                "encrypted into `shared_store.encryption_key`, behind the new one and a space"
            ) from None
        return StoredToken(json.loads(fields), left, used)

    def write(
        self,
        name: str,
        fields: Mapping[str, Any],
        lifetime: float | None = None,
        used: float = 0.0,
    ) -> None:
        """Keep a token, encrypted by the first key.

        Args:
            name: its name.
            fields: the token with its fields.
            lifetime: seconds until it expires; None for never.
            used: seconds in which it is sent to the token endpoint, which may replace it; 0 else.

        Raises:
            SharedStoreError: the store cannot be used.
        """
        encrypted = self._first.encrypt(json.dumps(dict(fields)).encode()).decode()
        values = {
            "name": name,
            "encrypted": encrypted,
            "lifetime": lifetime,
            "used": used,
            "holder": self._store.holder,
        }
        self._store.run(WRITE_ENCRYPTED, values)

    @contextmanager
    def alone(self, name: str, max_wait: float) -> Iterator[None]:
        """Keep other processes from renewing a token.

        Raises:
            StoreUnavailableError: another one does so for longer than `max_wait` seconds, or the
                store cannot be reached.
        """
        with self._store.held(name, min(max_wait, self._patience)):
            yield

    def patiently(self, use: Callable[[], T], what: str) -> T:
        """Use the store, and wait for it where it cannot be reached.

        Args:
            use: uses it.
            what: the consequence, as the start of a sentence.

        Raises:
            SharedStoreError: it cannot be used, or not be reached for too long.
        """
        ends, is_warned = time.monotonic() + self._patience, False
        while True:
            try:
                return use()
            except StoreUnavailableError as error:
                if time.monotonic() > ends:
                    raise
                if not is_warned:
                    is_warned = True
                    logger.warning(
                        "%s, as %s. Waiting for up to %s (setting `lock_patience`) ...",
                        *(what, error, duration(self._patience)),
                    )
                time.sleep(min(RETRY_SECONDS, self._patience))
