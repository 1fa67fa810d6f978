"""Each test is named after the behaviour of a package that is worked around here."""

import gzip
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from dlt.common.configuration import configspec
from dlt.common.configuration.exceptions import ConfigFieldMissingException
from dlt.sources.helpers.requests import Client
from dlt.sources.helpers.rest_client.auth import AuthConfigBase, BearerTokenAuth, HttpBasicAuth
from dlt.sources.rest_api import rest_api_resources
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.poolmanager import PoolManager
from urllib3.response import HTTPResponse

from analytics_assets.extract.http.compat import (
    auth_class,
    call_before_response,
    close_idle_connections,
    create_auth,
    set_body,
    with_encoded_dots,
)
from analytics_assets_tests.support.token_server import Server, recording


@pytest.fixture
def api() -> Iterator[Server]:
    with recording(lambda _sent: (200, {"Set-Cookie": "shop=7"}, '{"data": []}')) as server:
        yield server


def used_connection(pool: HTTPConnectionPool) -> Any:
    """Return a connection after a request over it."""
    pool.request("GET", "/")
    assert pool.pool
    return pool.pool.queue[-1]


def test_urllib3_gives_no_access_to_the_socket_of_a_response_that_has_not_arrived(
    api: Server,
) -> None:
    sockets: list[tuple[int, socket.socket]] = []
    manager = PoolManager()
    call_before_response(
        manager, lambda waits_at: sockets.append((threading.get_ident(), waits_at))
    )

    manager.request("GET", api.url())

    [(thread, waits_at)] = sockets
    assert thread == threading.get_ident()
    assert waits_at.getpeername() == ("127.0.0.1", api.port)
    manager.clear()


def test_urllib3_clear_leaves_the_sockets_of_its_pools_open(api: Server) -> None:
    manager = PoolManager()
    pool = manager.connection_from_url(api.url())  # held as an error holds it
    connection = used_connection(pool)

    manager.clear()

    assert connection.sock, "urllib3 closes them: close_idle_connections is not needed any more"
    connection.close()


def test_idle_connections_are_closed_while_their_pool_is_held(api: Server) -> None:
    manager = PoolManager()
    pool = manager.connection_from_url(api.url())
    connection = used_connection(pool)

    close_idle_connections(manager)

    assert connection.sock is None
    assert pool.pool is None


def test_requests_reads_a_body_without_a_deadline_and_from_raw_alone() -> None:
    packed = gzip.compress(json.dumps({"data": [1]}).encode())
    response = requests.Response()
    response.raw = raw = HTTPResponse([], {"Content-Encoding": "gzip"}, 200, preload_content=False)

    set_body(response, packed)

    assert response.json() == {"data": [1]}
    assert response.raw is raw


def test_requests_takes_cookies_from_raw(api: Server) -> None:
    class Adapter(HTTPAdapter):
        def send(self, *args: object, **kwargs: object) -> requests.Response:
            response = super().send(*args, **kwargs)  # type: ignore[arg-type]
            set_body(response, response.raw.read(decode_content=False))
            return response

    with requests.Session() as session:
        session.mount("http://", Adapter())

        assert session.get(api.url()).json() == {"data": []}
        assert session.cookies["shop"] == "7"


def test_dlt_replaces_send_on_the_object_of_its_session() -> None:
    """The reason for the retries of `ApiSession`: they would be repeated for each redirect."""
    assert "send" in vars(Client().session)


@pytest.mark.parametrize(
    ("auth", "expected"),
    [
        ({"type": "bearer", "token": "a-token"}, BearerTokenAuth),
        ({"token": "a-token"}, BearerTokenAuth),
        ({"type": "http_basic", "username": "me", "password": "secret"}, HttpBasicAuth),
        (BearerTokenAuth("a-token"), BearerTokenAuth),
        ("bearer", BearerTokenAuth),
    ],
)
def test_dlt_has_no_public_way_to_an_auth_object(
    monkeypatch: pytest.MonkeyPatch, auth: Any, expected: type
) -> None:
    monkeypatch.setenv("CREDENTIALS__TOKEN", "a-token")

    assert auth_class(auth) is expected
    assert type(create_auth(auth)) is expected


def test_dlt_resolves_an_auth_that_it_creates() -> None:
    assert auth_class({"type": "bearer"}) is BearerTokenAuth
    with pytest.raises(ConfigFieldMissingException):
        create_auth({"type": "bearer"})


class Copied:
    """An object that counts its copies."""

    copies = 0

    def __deepcopy__(self, memo: object) -> "Copied":
        self.copies += 1
        return self


def test_dlt_copies_the_objects_of_a_configuration() -> None:
    """The reason for `__deepcopy__` of `ApiSession` and `OAuth2`."""
    copied = Copied()
    config: Any = {
        "client": {"base_url": "http://a.test"},
        "resources": [{"name": "orders", "endpoint": {"params": {"copied": copied}}}],
    }

    rest_api_resources(config)

    assert copied.copies


@configspec
class Unresolved(AuthConfigBase):
    token: str | None = None


def test_dlt_looks_up_the_fields_of_an_auth_object_that_is_not_resolved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The reason for `resolve()` in `OAuth2`."""
    monkeypatch.setenv("CREDENTIALS__TOKEN", "looked-up")

    assert dict(create_auth(Unresolved()) or {})["token"] == "looked-up"


def test_requests_decodes_the_dots_of_a_path() -> None:
    url = "https://api.example.com/refs/%2E%2E/%2E/a.b?from=/../"

    prepared = requests.Request("GET", url).prepare().url

    assert prepared != url, "requests keeps them: with_encoded_dots is not needed any more"
    assert with_encoded_dots(str(prepared)) == url
