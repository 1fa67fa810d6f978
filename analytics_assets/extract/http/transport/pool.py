"""Transports to an API: libcurl, or a session of requests where libcurl cannot replace it."""

from threading import Lock
from typing import TYPE_CHECKING, Any, TypeAlias

import requests
from dlt.sources.helpers.requests import Session
from requests.utils import select_proxy

from analytics_assets.config.settings.request import RequestSettings
from analytics_assets.extract.http.transport.preparation import Preparation
from analytics_assets.extract.http.transport.session import SessionTransport

if TYPE_CHECKING:
    from analytics_assets.extract.http.transport.curl import CurlTransport

Transport: TypeAlias = "CurlTransport | SessionTransport"


class TransportPool:
    """The transports of the reads of an API, with their open connections.

    Requests go over libcurl; over a session of requests if it is the user's own, or if the
    environment names a proxy.

    Args:
        url: the API's base URL, for which the environment may name a proxy and certificates.
        settings: timeouts and retries.
        session: the user's own session; None if there is none.

    Attributes:
        is_parallel: True if several requests can wait for their answers at once.
        preparation: prepares requests for the transports.

    Example:
        >>> TransportPool("https://api.test", RequestSettings(), requests.Session()).is_parallel
        False
    """

    def __init__(
        self, url: str, settings: RequestSettings, session: requests.Session | None = None
    ) -> None:
        self.settings = settings
        self._is_own = session is None
        self.session = session or Session(raise_for_status=False)
        environment = self.session.merge_environment_settings(url, {}, None, None, None)
        self._verify: Any = environment["verify"]
        needs_session = select_proxy(url, environment["proxies"]) or environment["cert"]
        self.is_parallel = self._is_own and not needs_session
        self.preparation = Preparation(self.session, repeats=self.is_parallel)
        self._idle: list[Transport] = []
        self._cookies: Any = None
        self._lock = Lock()

    def take(self) -> Transport:
        """Return the transport for a read, with the open connections of an earlier one if any."""
        if not self.is_parallel:
            return SessionTransport(self.session, self.settings, self._lock)
        try:
            return self._idle.pop()
        except IndexError:
            # takes 0.02 s, which a process without a request does not need
            from analytics_assets.extract.http.transport.curl import CurlTransport, shared_cookies

            verify = self._verify is not False and (self._verify or True)
            with self._lock:
                self._cookies = self._cookies or shared_cookies()
            return CurlTransport(self.settings, self.session, self._cookies, verify)

    def give_back(self, transport: Transport) -> None:
        """Keep the transport of a read that has ended for the next read."""
        if transport.is_parallel:
            self._idle.append(transport)

    def close(self) -> None:
        """Close the connections that are kept for the next read."""
        while self._idle:
            self._idle.pop().close()
        if self._is_own:
            self.session.close()
