import secrets
from typing import Any

import pytest
import requests
from dlt.common.configuration import configspec
from dlt.sources.helpers.rest_client.auth import (
    APIKeyAuth,
    AuthConfigBase,
    BearerTokenAuth,
    HttpBasicAuth,
)

from analytics_assets.config.errors import ConfigurationError, SettingsError
from analytics_assets.extract.http.connection import Connection, connect
from analytics_assets_tests.conftest import TODAY
from analytics_assets_tests.extract.http.limits.responses import Response
from analytics_assets_tests.support.http.exchange import Answer
from analytics_assets_tests.support.http.fetching import page_of
from analytics_assets_tests.support.http.server import Server
from analytics_assets_tests.support.sandbox import Sandbox
from analytics_assets_tests.support.token_server import sign


@configspec
class OwnAuth(AuthConfigBase):
    """An auth of the user, which may sign each request otherwise."""

    def __call__(self, request: Any) -> Any:
        return request


def connected(**client: Any) -> Connection:
    return connect({"base_url": "http://api.test/v1", **client}, "shop")


def test_connections_to_one_host_share_its_rate_limit() -> None:
    first, second = connected(), connected()
    elsewhere = connected(base_url="http://b.test/v1")

    assert first.rate_limit is second.rate_limit
    assert first.rate_limit is not elsewhere.rate_limit


def test_connections_to_one_host_share_the_number_of_pages_ahead() -> None:
    first, second = connected(), connected()
    elsewhere = connected(base_url="http://b.test/v1")

    assert first.concurrency is second.concurrency
    assert first.concurrency is not elsewhere.concurrency


def test_a_refusal_of_one_resource_holds_for_another_with_limits_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SOURCES__SHOP__REFUNDS__READING__MAX_IN_FLIGHT", "2")
    orders, refunds = (
        connect({"base_url": "http://c.test"}, "shop", resource=resource)
        for resource in ("orders", "refunds")
    )
    assert orders.rate_limit is not refunds.rate_limit

    orders.rate_limit.observe(*Response(429, {"Retry-After": "60"}))

    assert refunds.rate_limit.try_acquire() > 0


def test_connections_with_the_same_settings_share_one_token_and_others_do_not() -> None:
    client: dict[str, Any] = {"client_id": secrets.token_hex(8), "client_secret": "sandbox-secret"}
    with Sandbox(**client, today=TODAY) as sandbox:
        auth = {"type": "oauth2", "token_url": sandbox.token_url, **client}
        connections = [
            connected(auth={**auth, "scope": scope}) for scope in ("reports", "reports", "users")
        ]
        tokens = [sign(connection.auth) for connection in connections if connection.auth]

    assert tokens[0] == tokens[1] != tokens[2]


def test_a_session_of_the_configuration_is_not_handed_to_dlt() -> None:
    assert "session" not in connected(session=requests.Session()).client


def test_connections_that_are_kept_open_are_closed() -> None:
    with Server(lambda _request: Answer([1])) as server:
        connection = connected(base_url=server.base_url)
        page_of(connection, "/orders")
        connection.close()
        page_of(connection, "/orders")
        connection.close()

    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "auth",
    [
        None,
        BearerTokenAuth("a-token"),
        APIKeyAuth("X-Shop", "a-key", "header"),
        HttpBasicAuth("me", "secret"),
    ],
    ids=lambda auth: type(auth).__name__,
)
def test_an_auth_of_dlt_signs_all_requests_of_a_read_alike(auth: Any) -> None:
    assert connected().signs_alike(requests.Request(auth=auth))


def test_a_token_signs_all_requests_of_a_read_alike() -> None:
    settings = {"token_url": "http://a.test", "client_id": "me", "client_secret": "so"}
    connection = connected(auth={"type": "oauth2", **settings})

    assert connection.signs_alike(requests.Request(auth=connection.auth))


def test_an_auth_of_the_user_may_sign_each_request_differently() -> None:
    assert not connected().signs_alike(requests.Request(auth=OwnAuth()))


def test_a_session_of_the_user_may_prepare_each_request_differently() -> None:
    assert not connected(session=requests.Session()).signs_alike(requests.Request())


def test_a_client_certificate_is_used_by_requests() -> None:
    session = requests.Session()
    session.cert = "client.pem"
    connection = connected(base_url="https://127.0.0.1:9", session=session)

    with pytest.raises(OSError, match=r"TLS certificate file.*client.pem"):
        page_of(connection, "/orders")


@pytest.mark.parametrize("base_url", ["https://", "http://a.test:port", "http://a.test:99999"])
def test_a_base_url_without_an_origin_is_refused_with_its_name(base_url: str) -> None:
    with pytest.raises(SettingsError, match=r"`base_url` of the shop API cannot be used: "):
        connect({"base_url": base_url}, "shop")


def test_a_host_of_http_beside_a_base_url_of_https_is_refused() -> None:
    client = {"base_url": "https://a.test", "allowed_hosts": ["http://b.test"]}

    with pytest.raises(ConfigurationError, match="HTTPS never falls back to HTTP"):
        connect(client, "shop")
