"""Pages fetched from a server of the test, over each way of requests."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import requests
from dlt.common.configuration import resolve_configuration

from analytics_assets.config.settings.request import LimitSettings, RequestSettings
from analytics_assets.extract.http.connection import Connection, connect
from analytics_assets.extract.http.fetcher import Fetcher
from analytics_assets.extract.http.limits.rate_limit import RateLimit
from analytics_assets.extract.http.oauth2.authentication import OAuth2
from analytics_assets.extract.http.page import Page
from analytics_assets.extract.http.traffic import Traffic
from analytics_assets.extract.http.transport.origin import Origins
from analytics_assets.extract.http.transport.pool import TransportPool
from analytics_assets_tests.support.http.server import Server

WAYS = ("libcurl", "session")


def quick_settings(**changes: Any) -> RequestSettings:
    """Settings of requests with short waits between attempts."""
    settings = RequestSettings()
    settings.request_backoff_factor = 0.01
    for name, value in changes.items():
        setattr(settings, f"request_{name}", value)
    return settings


def connected(base_url: str, way: str = "libcurl", **changes: Any) -> Connection:
    """A connection whose requests take one of the ways."""
    client: dict[str, Any] = {"base_url": base_url}
    if way == "session":
        client["session"] = requests.Session()
    return connect(client, "shop", quick_settings(**changes))


@contextmanager
def fetching(connection: Connection) -> Iterator[Fetcher]:
    """A fetcher that is closed at the end."""
    fetcher = connection.fetcher()
    try:
        yield fetcher
    finally:
        fetcher.close()


def prepared(
    connection: Connection, path: str = "/orders", method: str = "GET", **parts: Any
) -> requests.PreparedRequest:
    """A request ready to be sent."""
    url = path if "://" in path else f"{connection.settings.base_url}{path}"
    return connection.prepare(requests.Request(method, url, **parts))


def page_of(
    connection: Connection, path: str = "/orders", method: str = "GET", **parts: Any
) -> Page:
    """Fetch one page."""
    with fetching(connection) as fetcher:
        return fetcher.fetch(prepared(connection, path, method, **parts), whole)


def whole(page: Page) -> Page:
    """Take a page as it is."""
    return page


def signed_page(auth: OAuth2, url: str) -> Page:
    """Fetch a page whose requests carry a token; settings are those of a run."""
    settings = resolve_configuration(RequestSettings())
    pool = TransportPool(url, settings)
    limit = RateLimit(LimitSettings(), settings.request_max_retry_delay)
    fetcher = Fetcher(pool, limit, Traffic(), auth, origins=Origins.of(url))
    try:
        request = requests.Request("GET", url, auth=auth)
        return fetcher.fetch(pool.preparation.prepare(request), whole)
    finally:
        fetcher.close()
        pool.close()


def sockets_to(server: Server) -> list[Any]:
    """This process's own ends of the connections to a server."""
    return [
        each
        for each in psutil.Process().net_connections("tcp")
        if each.raddr and each.raddr.port == server.port
        if each.status not in (psutil.CONN_TIME_WAIT, psutil.CONN_CLOSE)
    ]
