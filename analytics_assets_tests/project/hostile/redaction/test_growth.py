"""Endpoints that issue a token for each request: the redactor knows the newest ones alone."""

import itertools
from typing import Any

import pytest
from dlt.sources.helpers.rest_client.auth import OAuth2ClientCredentials

from analytics_assets.extract.http.oauth2.authentication import OAuth2
from analytics_assets.extract.source import rest_api_source
from analytics_assets.redaction.redactor import MOST_KNOWN, NEWEST, Redactor, redact
from analytics_assets_tests.support.http.exchange import Answer, Request
from analytics_assets_tests.support.http.server import Server
from analytics_assets_tests.support.token_server import settings_for, sign

LOADS = 3 * NEWEST


@pytest.fixture
def endpoint() -> Any:
    numbers = itertools.count()

    def answer(sent: Request) -> Answer:
        if sent.path == "/token":
            return Answer({"access_token": token(next(numbers)), "expires_in": 0})
        return Answer([{"id": 1}])

    with Server(answer) as server:
        yield server


def token(number: int) -> str:
    return f"{number:03}-t0ken-of-a-request"


def known() -> int:
    return sum(token(number) in redact for number in range(LOADS))


def test_tokens_that_live_no_second_are_forgotten(endpoint: Server) -> None:
    auth = OAuth2(settings_for(endpoint))
    headers = [sign(auth) for _ in range(LOADS)]
    assert len(set(headers)) == LOADS
    assert known() == NEWEST
    assert redact(f"you sent {token(LOADS - 1)}") == "you sent ***"
    assert auth.signed(signed_with(headers[-1]))
    assert not auth.signed(signed_with(headers[0]))


def signed_with(header: str) -> Any:
    class Signed:
        headers = {"Authorization": header}  # noqa: RUF012

    return Signed()


def test_tokens_of_an_auth_of_dlt_are_forgotten(endpoint: Server) -> None:
    for _ in range(LOADS):  # as the ticks of a sensor make one each
        auth = OAuth2ClientCredentials(
            access_token_url=endpoint.url("/token"), client_id="me", client_secret="the-s3cret"
        )
        entry = {"name": "orders", "endpoint": {"path": "orders", "paginator": "single_page"}}
        client = {"base_url": endpoint.base_url, "auth": auth}
        config: Any = {"client": client, "resources": [entry]}
        assert list(rest_api_source(config, "shop").resources["orders"]) == [{"id": 1}]
    assert redact("the-s3cret") == "***"
    assert NEWEST / 2 < known() <= NEWEST


def test_a_process_knows_no_more_than_its_limit() -> None:
    redactor = Redactor()
    for number in range(2 * MOST_KNOWN):
        redactor.add("always-kn0wn")
        redactor.add(f"{number:05}-s3cret")
    assert redactor("always-kn0wn") == "***"
    assert sum(f"{number:05}-s3cret" in redactor for number in range(2 * MOST_KNOWN)) < MOST_KNOWN
