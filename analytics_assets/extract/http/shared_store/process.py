"""The part of a process in the shared store: one connection and one keeper for each database."""

import atexit
import os
from threading import Lock

from analytics_assets.config.settings.oauth2 import OAuth2Settings
from analytics_assets.config.settings.request import LimitSettings, RequestSettings
from analytics_assets.config.settings.resolution import resolved
from analytics_assets.config.settings.shared_store import resolve_patience, resolve_shared_store
from analytics_assets.extract.http.limits.host import HostLimits
from analytics_assets.extract.http.shared_store.host import SharedHostLimits
from analytics_assets.extract.http.shared_store.keeper import Keeper
from analytics_assets.extract.http.shared_store.limit import SharedLimit
from analytics_assets.extract.http.shared_store.store import SharedStore, require_driver
from analytics_assets.extract.http.shared_store.tokens import SharedTokens


class SharedState:
    """The limits that this process shares with others by a database.

    Args:
        url: the database.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._store = SharedStore(url)
        self._keeper = Keeper(self._store)
        self._limits: dict[str, SharedLimit] = {}
        self._hosts: dict[str, HostLimits] = {}

    def limit(self, host: str, settings: LimitSettings) -> SharedLimit:
        """Return the limits of all processes on requests to a host; the same for the same values.

        Args:
            host: the host, with its port if it has one.
            settings: the limits.
        """
        name = f"{host} {settings.max_in_flight} {settings.max_per_second}"
        if name not in self._limits:
            patience = resolve_patience()
            made = SharedLimit(self._store, name, settings, self._keeper, patience)
            self._limits[name] = made
        return self._limits[name]

    def host_limits(self, host: str) -> HostLimits:
        """Return the limits that a host announces to any process."""
        if host not in self._hosts:
            # that of loads, which is none of a single request
            longest = resolved(RequestSettings()).request_max_retry_delay
            self._hosts[host] = SharedHostLimits(self._store, self._keeper, host, longest)
        return self._hosts[host]

    def tokens(self, settings: OAuth2Settings, max_wait: float) -> SharedTokens | None:
        """Return the tokens of an API's client; None without a key to encrypt them.

        Args:
            settings: the settings of the API's `auth`.
            max_wait: the longest wait in seconds for a store that cannot be reached.
        """
        keys = resolve_shared_store().fernet_keys
        if not keys:
            return None
        asked = {key: value for key, value in dict(settings).items() if key != "refresh_token_dir"}
        return SharedTokens(self._store, keys, asked, min(max_wait, resolve_patience()))

    def close(self) -> None:
        """End the requests of this process in the store, as others wait for their places."""
        self._keeper.close()


_lock = Lock()
_states: dict[str, SharedState] = {}  # of this process, by URL


def shared_store() -> SharedState | None:
    """Return the part of this process in the shared store; None if there is none.

    Raises:
        SettingsError: a setting of the store cannot be used, or its driver is missing.
    """
    url = resolve_shared_store().url
    if not url:
        return None
    with _lock:
        if url not in _states:
            require_driver()
            _states[url] = SharedState(url)
        return _states[url]


def close_all() -> None:
    """Close the part of this process in each store; a later connection opens another one."""
    with _lock:
        closed = list(_states.values())
        _states.clear()
    for each in closed:
        each.close()


def _start_over_in_child() -> None:
    global _lock
    _lock = Lock()
    _states.clear()  # a child has neither the thread nor the requests of its parent


os.register_at_fork(after_in_child=_start_over_in_child)
atexit.register(close_all)
