"""Refresh tokens that the token endpoint replaces, kept for processes on all machines."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from analytics_assets.config.settings.oauth2 import OAuth2Settings
from analytics_assets.extract.http.errors import TokenError, TokenUnavailableError
from analytics_assets.extract.http.oauth2.refresh_token import RefreshTokenGrant
from analytics_assets.extract.http.shared_store.store import (
    SharedStoreError,
    StoreUnavailableError,
)
from analytics_assets.extract.http.shared_store.tokens import SharedTokens

logger = logging.getLogger(__name__)
USE_SECONDS = 60.0  # in which a token endpoint answers
TRY_SECONDS = 5.0  # of a try to get the token for this process alone


class SharedRefreshTokenGrant(RefreshTokenGrant):
    """A refresh token that was granted once, or its latest replacement by any process.

    The store knows that a token is on its way to the endpoint: a process that loses the store
    meanwhile has the time to write the replacement before another one reads. A replacement that an
    earlier release has kept in a file is the first that the store gets.

    Args:
        settings: the settings of the API's `auth`.
        shared: the tokens of the API's client in the store.
    """

    def __init__(self, settings: OAuth2Settings, shared: SharedTokens) -> None:
        super().__init__(settings)
        self._shared = shared
        self._name = f"refresh {self._digest}"
        self._is_replaced = False

    @contextmanager
    def parameters(self) -> Iterator[dict[str, str]]:
        """Yield the refresh token; no other process uses it inside the context.

        Raises:
            TokenUnavailableError: the store cannot be reached, or another process has the token.
            TokenError: the store refuses.
        """
        shared, name = self._shared, self._name
        with ExitStack() as alone:
            try:
                shared.patiently(
                    lambda: alone.enter_context(shared.alone(name, TRY_SECONDS)),
                    "The refresh token is not used",
                )
                shared.patiently(self._begin_use, "The refresh token is not used")
            except StoreUnavailableError as error:
                raise TokenUnavailableError(_text(error)) from None
            except SharedStoreError as error:
                raise TokenError(_text(error)) from None
            self._is_replaced = False
            try:
                yield {"refresh_token": self._token}
            finally:
                if not self._is_replaced:
                    with suppress(SharedStoreError):
                        self._write()

    def rotate(self, token: str) -> None:
        """Use the refresh token that replaces the one just used, in all processes."""
        self._token, self._is_replaced = token, True
        try:
            self._shared.patiently(self._write, "The new refresh token is not kept yet")
        except SharedStoreError as error:
            logger.warning(
                "The token endpoint replaced the refresh token, and the new one could not be kept, "
                "as %s: the next run will need a new one in the setting `refresh_token`.",
                error,
            )

    def _begin_use(self) -> None:
        found = self._shared.read(self._name)
        if found and found.used > 0:
            raise StoreUnavailableError("another process has sent it to the token endpoint")
        if found:
            self._token = found.fields["refresh_token"]
        elif self._file.exists():
            self._token = self._file.read_text(encoding="utf-8")
        self._write(USE_SECONDS)

    def _write(self, used: float = 0.0) -> None:
        self._shared.write(self._name, {"refresh_token": self._token}, used=used)


def _text(error: SharedStoreError) -> str:
    return (
        f"No token is requested, as {error}. The refresh token is that of all processes: check the "
        "settings `shared_store.url`, by default `destination.postgres.credentials`, and "
        "`shared_store.encryption_key`."
    )
