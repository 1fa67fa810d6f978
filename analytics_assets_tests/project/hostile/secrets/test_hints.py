"""Remedies after a refusal name the settings of the auth that the API uses."""

from typing import Any

import pytest
import requests
from dlt.sources.helpers.rest_client.auth import APIKeyAuth, BearerTokenAuth, HttpBasicAuth

from analytics_assets.extract.source import rest_api_source
from analytics_assets_tests.support.http.exchange import Answer, Request
from analytics_assets_tests.support.http.server import Server
from analytics_assets_tests.support.token_server import chain

BEARER = {"type": "bearer", "token": "t0ken-x"}
API_KEY = {"type": "api_key", "name": "X-Key", "api_key": "the-key", "location": "header"}
OAUTH2 = {"type": "oauth2", "client_id": "me", "client_secret": "the-secret"}


def refusal(status: int, auth: Any, body: Any = b"") -> str:
    """Return the error of a read that the API refuses."""

    def answer(sent: Request) -> Answer:
        if sent.path == "/token":
            return Answer({"access_token": "granted-token"})
        return Answer(body, int(sent.path.removeprefix("/")))

    with Server(answer) as api:
        auth = {**auth, "token_url": api.url("/token")} if auth is OAUTH2 else auth
        client = {"base_url": api.base_url, **({"auth": auth} if auth else {})}
        entry = {"name": "orders", "endpoint": {"path": str(status), "paginator": "single_page"}}
        with pytest.raises(Exception, match=f"answered {status}") as failure:
            list(
                rest_api_source({"client": client, "resources": [entry]}, "shop").resources[
                    "orders"
                ]
            )
    return chain(failure.value)


@pytest.mark.parametrize(
    ("auth", "hint"),
    [
        pytest.param(API_KEY, "(check `api_key`, `name` and `location` of `auth`)", id="a key"),
        pytest.param(APIKeyAuth("X-Key", "the-key"), "check `api_key`", id="an object with a key"),
        pytest.param(
            {"type": "bearer", "token": "t0ken-x"}, "(check `token` of `auth`)", id="a token"
        ),
        pytest.param(BearerTokenAuth("t0ken-x"), "check `token`", id="an object with a token"),
        pytest.param(HttpBasicAuth("me", "pw-x9"), "check `username` and `password`", id="Basic"),
        pytest.param(None, "the request had no `auth`: add one to `client`", id="no auth"),
    ],
)
def test_a_401_of_an_api_without_oauth2_does_not_speak_of_client_ids(auth: Any, hint: str) -> None:
    text = refusal(401, auth)
    assert hint in text
    assert "client_id" not in text
    assert "client_secret" not in text


def test_a_401_of_an_api_with_oauth2_names_the_client() -> None:
    text = refusal(401, OAUTH2)
    assert "it refused a new token, too: check `client_id`, `client_secret` and `scope`" in text


@pytest.mark.parametrize(("auth", "names_scope"), [(OAUTH2, True), (API_KEY, False)])
def test_a_403_speaks_of_scopes_where_there_are_some(auth: Any, names_scope: bool) -> None:
    assert ("`scope`" in refusal(403, auth)) is names_scope


def test_a_403_that_names_a_quota_is_no_matter_of_permissions() -> None:
    body = {"error": {"errors": [{"domain": "usageLimits", "reason": "quotaExceeded"}]}}

    text = refusal(403, OAUTH2, body)

    assert "(its limit is exceeded: run again later)" in text
    assert "permission" not in text


def test_an_auth_of_ones_own_is_named_as_such() -> None:
    class Signature(requests.auth.AuthBase):
        def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
            request.headers["X-Signature"] = "s1gned-by-hand"
            return request

    session = requests.Session()
    session.auth = Signature()
    entry = {"name": "orders", "endpoint": {"path": "401", "paginator": "single_page"}}
    with Server(lambda sent: Answer(str(sent.headers).encode(), 401)) as api:
        config = {"client": {"base_url": api.base_url, "session": session}, "resources": [entry]}
        with pytest.raises(Exception, match="answered 401") as failure:
            list(rest_api_source(config, "shop").resources["orders"])
    assert "client_id" not in chain(failure.value)
    assert "s1gned-by-hand" not in chain(failure.value)
