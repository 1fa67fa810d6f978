"""A connection to an API: its resolved settings, its fetchers, and the token that reads share."""

import math
import os
import threading
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import requests
from dlt.sources.helpers.rest_client.auth import APIKeyAuth, BearerTokenAuth, HttpBasicAuth
from requests.exceptions import InvalidSchema, InvalidURL, MissingSchema

from analytics_assets.config.errors import ConfigurationError, SettingsError
from analytics_assets.config.settings.client import ClientSettings, resolve_client
from analytics_assets.config.settings.oauth2 import OAuth2Settings
from analytics_assets.config.settings.providers.changes import reread_settings
from analytics_assets.config.settings.request import LimitSettings, RequestSettings, resolve_limits
from analytics_assets.config.settings.resolution import resolved
from analytics_assets.config.text.quantities import duration
from analytics_assets.extract.http.fetcher import Fetcher
from analytics_assets.extract.http.limits.concurrency import Concurrency
from analytics_assets.extract.http.limits.host import HostLimits
from analytics_assets.extract.http.limits.rate_limit import RateLimit
from analytics_assets.extract.http.limits.read_end import ReadEnd
from analytics_assets.extract.http.oauth2.authentication import OAuth2
from analytics_assets.extract.http.page import Page
from analytics_assets.extract.http.shared_store.process import SharedState, shared_store
from analytics_assets.extract.http.traffic import Traffic
from analytics_assets.extract.http.transport.body import BodyLimit
from analytics_assets.extract.http.transport.origin import Origins
from analytics_assets.extract.http.transport.pool import TransportPool
from analytics_assets.redaction.configuration import may_be_secret
from analytics_assets.redaction.redactor import IssuedSecrets, redact

# these sign all requests of a read alike, but for a token that is renewed
UNCHANGING_AUTH = (OAuth2, BearerTokenAuth, APIKeyAuth, HttpBasicAuth)
URL_ERRORS = (InvalidURL, MissingSchema, InvalidSchema, UnicodeError)

# of this process
_tokens: dict[tuple[tuple[str, str], ...], OAuth2] = {}
_hosts: dict[str, HostLimits] = {}
_rate_limits: dict[tuple[str, ...], RateLimit] = {}
_issued: dict[str, IssuedSecrets] = {}
_shared_lock = threading.Lock()


def _start_over_in_child() -> None:
    """Keep the requests, waits and tokens of a process out of those that are forked from it."""
    global _shared_lock
    _shared_lock = threading.Lock()
    for each in (_tokens, _hosts, _rate_limits, _issued):
        each.clear()


os.register_at_fork(after_in_child=_start_over_in_child)


@dataclass(frozen=True)
class Connection:
    """Sends the requests of an API, with its settings, authentication and limits.

    Args:
        settings: the resolved `client` part of the configuration.
        auth: the OAuth2 token, or None where the API uses another kind of auth.
        traffic: counts the requests of its reads.
        pool: the transports of its reads, with timeouts and retries.
        rate_limit: shared by all connections of this process to the host with the same limits.
        issued: what an auth other than `OAuth2` has put on the requests.
        origins: those to which its requests may go.
    """

    settings: ClientSettings
    auth: OAuth2 | None
    traffic: Traffic
    pool: TransportPool
    rate_limit: RateLimit
    issued: IssuedSecrets
    origins: Origins

    def fetcher(
        self,
        end: ReadEnd | None = None,
        limit: BodyLimit | None = None,
    ) -> Fetcher:
        """Return a fetcher for one read; see `Fetcher` for its end, and the limit of a body."""
        return Fetcher(
            *(self.pool, self.rate_limit, self.traffic, self.auth, self.concurrency),
            origins=self.origins,
            end=end,
            limit=limit,
        )

    def fetch(self, request: requests.Request, limit: BodyLimit | None = None) -> Page:
        """Request a page that belongs to no read; see `Fetcher`."""
        with closing(self.fetcher(limit=limit)) as fetcher:
            return fetcher.fetch(self.prepare(request), lambda page: page)

    @property
    def is_parallel(self) -> bool:
        """True if several requests may wait for their answers at once."""
        return self.pool.is_parallel

    @property
    def concurrency(self) -> Concurrency | None:
        """The number of pages to ask for ahead, found once for all reads; None for no page."""
        return self.rate_limit.concurrency if self.is_parallel else None

    def signs_alike(self, request: requests.Request) -> bool:
        """Return True if the requests for all pages of a read have the same headers.

        Args:
            request: one of them, with the auth of its entry or of the client.
        """
        is_unchanging = request.auth is None or type(request.auth) in UNCHANGING_AUTH
        return self.is_parallel and is_unchanging

    def prepare(
        self, request: requests.Request, linked_from: requests.PreparedRequest | None = None
    ) -> requests.PreparedRequest:
        """Return a request ready to be sent: signed, with headers and body.

        Args:
            request: the request.
            linked_from: the request for the page that leads to it; None for the first page of a
                read.

        Raises:
            LinkError: no request may be sent to its URL.
        """
        try:
            prepared = self.pool.preparation.prepare(request)
        except URL_ERRORS as error:
            raise self.origins.unusable(error, linked_from) from None
        by_netrc = request.auth is None and "Authorization" in prepared.headers
        if by_netrc or not self.signs_alike(request):
            for name, value in prepared.headers.items():
                if name not in request.headers and may_be_secret(name, str(value)):
                    self.issued.add(str(value).rpartition(" ")[2])
        return self.origins.admit(prepared, linked_from, request)

    def for_path(self, path: str) -> "Connection":
        """Return the connection for an entry, whose `path` may name an origin of its own."""
        return replace(self, origins=self.origins.including(path))

    @property
    def waits_for(self) -> str:
        """A noun for the wait of its reads: a rate limit, a retry, or the API's answer."""
        pause, retry = self.rate_limit.pause, self.traffic.seconds_until_retry
        if pause:
            return f"the API's rate limit (another {duration(math.ceil(pause))})"
        if retry:
            return f"a retry in {duration(math.ceil(retry))}, after {self.traffic.retry_reason}"
        return "the API's answer"

    def close(self) -> None:
        """Close the connections that are kept for the next request."""
        self.pool.close()

    @property
    def client(self) -> dict[str, Any]:
        """The `client` dictionary for dlt, auth in place; dlt sends no request itself."""
        client = {name: value for name, value in self.settings.client.items() if name != "session"}
        return {**client, "auth": self.auth} if self.auth else client


def connect(
    client: Mapping[str, Any],
    api_name: str,
    request_settings: RequestSettings | None = None,
    resource: str = "",
    *,
    embeddable: bool = True,
) -> Connection:
    """Resolve an API's settings; sends no request.

    Args:
        client: the `client` dictionary of a dlt REST configuration.
        api_name: the API's name, the section under which settings are looked up first.
        request_settings: timeout and retries; dlt's `runtime.request_*` settings if not given.
        resource: the one resource that is read, whose own `LimitSettings` go before the API's.
        embeddable: see `resolve_client`.

    Returns:
        The connection. In a process, connections with the same OAuth2 settings share one token,
        those to the same host with the same limits share one rate limit, and all to the same host
        wait when it asks for it.

    Raises:
        SettingsError: a setting is missing or has the wrong type.
    """
    reread_settings()
    settings = resolve_client(client, api_name, embeddable=embeddable)
    origins = _origins(settings, api_name)
    request_settings = request_settings or resolved(RequestSettings())
    with _shared_lock:
        # the embedded API is another one in each process
        store = None if settings.embedded else shared_store()
        auth = _shared_auth(settings.oauth2, request_settings, store)
        limits = resolve_limits(api_name, resource)
        host = urlsplit(settings.base_url).netloc
        max_delay = request_settings.request_max_retry_delay
        rate_limit = _shared_rate_limit(host, limits, max_delay, store)
        issued = _issued.setdefault(host, IssuedSecrets(redact))
    pool = TransportPool(settings.base_url, request_settings, settings.client.get("session"))
    return Connection(settings, auth, Traffic(), pool, rate_limit, issued, origins)


def _origins(settings: ClientSettings, api_name: str) -> Origins:
    try:
        return Origins.of(settings.base_url, settings.allowed_hosts)
    except ConfigurationError:  # of `allowed_hosts`
        raise
    except ValueError as error:
        raise SettingsError(
            f"The setting `base_url` of the {api_name} API cannot be used: {error}."
        ) from None


def _shared_rate_limit(
    host: str, limits: LimitSettings, max_delay: float, store: SharedState | None
) -> RateLimit:
    key = (host, *map(str, (*dict(limits).values(), max_delay)), store.url if store else "")
    if key not in _rate_limits:
        own = _hosts.setdefault(host, HostLimits())
        announced = store.host_limits(host) if store else own
        shared = store.limit(host, limits) if store and limits.is_set else None
        _rate_limits[key] = RateLimit(limits, max_delay, announced, shared=shared)
    return _rate_limits[key]


def _shared_auth(
    settings: OAuth2Settings | None, request_settings: RequestSettings, store: SharedState | None
) -> OAuth2 | None:
    if settings is None:
        return None
    tokens = store.tokens(settings, request_settings.max_wait) if store else None
    own = ((name, str(value)) for name, value in sorted(dict(settings).items()))
    key = (*own, ("shared", tokens.name if tokens else ""))
    if key not in _tokens:
        _tokens[key] = OAuth2(settings, request_settings, shared=tokens)
    return _tokens[key]
