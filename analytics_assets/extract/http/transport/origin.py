"""The origins of an API: its credentials are for them, and no link or redirect leads elsewhere."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

import requests

from analytics_assets.config.errors import ConfigurationError
from analytics_assets.extract.http.compat import with_encoded_dots
from analytics_assets.extract.http.errors import LinkError, describe_request
from analytics_assets.redaction.redactor import redact

DEFAULT_PORTS = {"http": 80, "https": 443}
HARMLESS = ("accept", "accept-encoding", "accept-language", "user-agent")  # headers


class Origin(NamedTuple):
    """Scheme, host and port of a URL (RFC 6454 section 4), each in its normal form.

    Example:
        >>> Origin.of("HTTPS://Bücher.Example.:443/orders") == Origin.of("https://xn--bcher-kva.example")
        True
        >>> str(Origin.of("http://[0:0::1]:8080/"))
        'http://[::1]:8080'
    """

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> "Origin":
        """Return the origin of a URL.

        Raises:
            ValueError: it is no URL of HTTP with a host.
        """
        end = url.find("/", 8)  # behind `https://`; the pages of an API differ after it
        return _parsed(url if end < 0 else url[:end])

    def __str__(self) -> str:
        """Return the origin as a URL, without the default port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"


@lru_cache(maxsize=256)
def _parsed(url: str) -> Origin:
    parts = urlsplit(url)
    host = (parts.hostname or "").removesuffix(".")
    if parts.scheme not in DEFAULT_PORTS or not host:
        raise ValueError("it is no URL such as https://api.example.com/orders")
    if not host.isascii():
        encoded = requests.PreparedRequest()
        encoded.prepare_url(url, None)
        return _parsed(str(encoded.url))
    with suppress(ValueError):  # of a name
        host = str(ip_address(host))
    port = DEFAULT_PORTS[parts.scheme] if parts.port is None else parts.port
    return Origin(parts.scheme, host, port)


class AnonymousRequest(requests.PreparedRequest):
    """A request without any credential; transports send it without cookies and certificates."""


@dataclass(frozen=True)
class Origins:
    """The origins to which the requests of an API may go.

    Args:
        own: those that get its credentials; the first one is that of `base_url`.
        anonymous: those that are asked without credentials.
    """

    own: tuple[Origin, ...]
    anonymous: frozenset[Origin] = frozenset()

    @classmethod
    def of(cls, base_url: str, allowed_hosts: Mapping[str, bool] | None = None) -> "Origins":
        """Return the origins of an API.

        Args:
            base_url: its base URL.
            allowed_hosts: further hosts; True for one that gets credentials. One without a scheme
                has that of the base URL, or HTTPS.

        Raises:
            ValueError: the base URL is none.
            ConfigurationError: a host is reached by HTTP, and the base URL by HTTPS.
        """
        base = Origin.of(base_url)
        own, anonymous = [base], set[Origin]()
        for host, gets_credentials in (allowed_hosts or {}).items():
            schemes = ("",) if "://" in host else dict.fromkeys((f"{base.scheme}://", "https://"))
            found = [Origin.of(scheme + host) for scheme in schemes]
            if base.scheme == "https" and "http" in [each.scheme for each in found]:
                raise ConfigurationError(
                    f"`allowed_hosts` of `client` names {host}, and `base_url` is {base}: HTTPS "
                    "never falls back to HTTP. Name the host by `https://`, or leave it out."
                )
            own += found if gets_credentials else []
            anonymous |= set() if gets_credentials else set(found)
        return cls(tuple(own), frozenset(anonymous))

    def including(self, path: str) -> "Origins":
        """Return the origins of an entry: with that of its `path`, if it names one itself.

        One that is admitted without credentials stays so.
        """
        if "://" not in path:
            return self
        with suppress(ValueError):
            named = Origin.of(path)
            # a host with a placeholder is filled in by rows of the API
            if named not in (*self.own, *self.anonymous) and "{" not in named.host:
                return replace(self, own=(*self.own, named))
        return self

    def admit(
        self,
        request: requests.PreparedRequest,
        linked_from: requests.PreparedRequest | None = None,
        given: requests.Request | None = None,
        verb: str = "links",
    ) -> requests.PreparedRequest:
        """Return a request as it may be sent: as it is, or without credentials.

        Args:
            request: the request, with the credentials of the API.
            linked_from: the request for the page that leads to it; None for the first page of a
                read.
            given: the request as it was before credentials were added to it; None after a redirect.
            verb: the way in which that page leads there: it links or redirects.

        Raises:
            LinkError: nothing may be sent to its origin; the error names that and the API's.
        """
        url = str(request.url)
        try:
            target = Origin.of(url)
        except ValueError as error:
            raise self.unusable(error, linked_from, verb) from None
        came_from = Origin.of(str(linked_from.url)) if linked_from else None
        if came_from and came_from.scheme == "https" and target.scheme == "http":
            raise self._error(
                *(linked_from, verb),
                f"{target} from {came_from}: HTTPS never falls back to HTTP, so nothing was sent "
                "there. The API must give a URL with `https://`.",
            )
        if target in self.own:
            return request
        if target not in self.anonymous:
            raise self._error(
                *(linked_from, verb),
                f"{target}, which is another origin than {' and '.join(map(str, self.own))}, so "
                "nothing was sent there. If it belongs to the API, name it in `base_url`, or in "
                "`allowed_hosts` of `client`.",
            )
        if request.method != "GET" or request.body or (given and (given.params or given.data)):
            raise self._error(
                *(linked_from, verb),
                f"{target}, which `allowed_hosts` of `client` admits without credentials. The "
                "request has parameters or a body, which may hold some, so nothing was sent there. "
                'Admit it "with_credentials" if it may get them.',
            )
        kept = {name: each for name, each in request.headers.items() if name.lower() in HARMLESS}
        bare = AnonymousRequest()
        bare.prepare("GET", str(given.url) if given else url, kept)
        bare.url = with_encoded_dots(str(bare.url))
        return bare

    def unusable(
        self,
        error: Exception,
        linked_from: requests.PreparedRequest | None = None,
        verb: str = "links",
    ) -> LinkError:
        """Return the error of a text that is no URL; see `admit`."""
        return self._error(linked_from, verb, f"a URL that cannot be requested: {error}")

    def _error(
        self, linked_from: requests.PreparedRequest | None, verb: str, reason: str
    ) -> LinkError:
        source = "The `path` of an entry, or of the row that it is read from, leads"
        if linked_from:
            source = f"{describe_request(linked_from)}: the API {verb}"
        return LinkError(f"{source} to {redact(reason)}")
