"""An API with a secret wherever one can stand, and another origin to which it tries to lead."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests

from analytics_assets.extract.source import rest_api_source
from analytics_assets_tests.support.http.exchange import Answer, Request
from analytics_assets_tests.support.http.server import Answers, Server
from analytics_assets_tests.support.paged_server import Read, drain, rows

MARK = "marked-secret"  # in each secret
COOKIE = {"Set-Cookie": f"session={MARK}-cookie; Path=/"}
AUTHS: Mapping[str, Any] = {
    "a bearer token": {"type": "bearer", "token": f"{MARK}-token"},
    "an API key in a header": {"type": "api_key", "name": "X-Key", "api_key": f"{MARK}-key"},
    "an API key in a parameter": {
        "type": "api_key",
        "name": "key",
        "api_key": f"{MARK}-key",
        "location": "query",
    },
    "HTTP Basic": {"type": "http_basic", "username": "me", "password": f"{MARK}-password"},
}
BEARER = AUTHS["a bearer token"]


def last_page(request: Request) -> Answer:
    """The page of the other origin."""
    return Answer({"data": rows(3), "next": None})


@dataclass
class TwoOrigins:
    """The API and the other origin, on two ports of this machine.

    Args:
        api: the server at `base_url`.
        other: the server at another port.
        client: further parts of `client`.
    """

    api: Server
    other: Server
    client: dict[str, Any] = field(default_factory=dict)

    def read(self, way: str = "libcurl", *parents: dict[str, Any], **endpoint: Any) -> Read:
        """Read the last resource, `orders`; the client and the entry have secrets."""
        client: dict[str, Any] = {
            "base_url": self.api.base_url,
            "headers": {"X-Client": f"{MARK}-client-header"},
            "auth": dict(BEARER),
            **self.client,
        }
        if way == "session":
            client["session"] = requests.Session()
            client["session"].headers["X-Session"] = f"{MARK}-session"
        endpoint = {
            "path": "/orders",
            "data_selector": "data",
            "headers": {"X-Endpoint": f"{MARK}-endpoint"},
            **endpoint,
        }
        entry = {"name": "orders", "primary_key": "id", "endpoint": endpoint}
        config: Any = {"client": client, "resources": [*parents, entry]}
        return drain(rest_api_source(config, "shop").resources["orders"])

    @property
    def is_refused(self) -> bool:
        """True if the other origin got no request at all."""
        return self.other.requests == []

    def names_of_both_are_in(self, error: str) -> bool:
        """Return True if an error names both origins, and no secret."""
        names = (self.api.base_url, self.other.base_url)
        return all(each in error for each in names) and MARK not in error


@contextmanager
def two_origins(answers: Answers, other: Answers = last_page) -> Iterator[TwoOrigins]:
    """Run both; an answer of the API may have the text `OTHER` for the other origin.

    The API sets a cookie with each answer.
    """
    with Server(other) as there:

        def answer(request: Request) -> Answer:
            given = answers(request)
            headers = {name: leading(each) for name, each in given.headers.items()}
            return Answer(leading(given.content), given.status, {**COOKIE, **headers})

        def leading(content: Any) -> Any:
            if isinstance(content, bytes):
                return content.replace(b"OTHER", there.base_url.encode())
            return content.replace("OTHER", there.base_url)

        with Server(answer) as api:
            yield TwoOrigins(api, there)


def secrets_in(request: Request) -> list[str]:
    """Return the places of a request that have a secret."""
    parts = {
        **request.headers,
        **{f"?{name}": each for name, each in request.query.items()},
        "body": request.text,
    }
    basic = "bWU6bWFya2VkLXNlY3JldC1wYXNzd29yZA=="
    return [name for name, each in parts.items() if MARK in each or basic in each]
