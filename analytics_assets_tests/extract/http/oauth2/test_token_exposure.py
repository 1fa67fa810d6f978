"""A token and a client secret go to their own servers alone, and into no error."""

import base64
import json
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa

from analytics_assets.extract.http.errors import ApiError, LinkError, TokenError
from analytics_assets.extract.http.oauth2.authentication import OAuth2
from analytics_assets.sandbox import sandbox_rows
from analytics_assets_tests.conftest import TODAY
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.http.fetching import signed_page
from analytics_assets_tests.support.sandbox import Sandbox
from analytics_assets_tests.support.token_server import (
    PAGE_VIEWS,
    RESERVED,
    TOKEN,
    Request,
    chain,
    get,
    private_pem,
    recording,
    settings_for,
    sign,
    token,
)


@pytest.mark.parametrize("status", [302, 307, 308])
def test_a_redirect_of_the_token_endpoint_is_not_followed(sandbox: Sandbox, status: int) -> None:
    with recording(token) as elsewhere:
        location = {"location": elsewhere.url("/token", host="localhost")}
        sandbox.faults.add(Fault(path=TOKEN, status=status, headers=location))

        with pytest.raises(TokenError, match=str(status)):
            sign(OAuth2(settings_for(sandbox)))

        assert elsewhere.requests == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("status", [302, 307])
@pytest.mark.parametrize("answer", [200, 401])
def test_a_redirect_to_another_origin_never_carries_the_token(
    sandbox: Sandbox, host: str, status: int, answer: int
) -> None:
    with recording(lambda _sent: (answer, {}, '{"data": []}')) as elsewhere:
        location = {"location": elsewhere.url("/rows", host)}
        sandbox.faults.add(Fault(path=PAGE_VIEWS, status=status, headers=location))

        with pytest.raises(LinkError, match="another origin"):
            signed_page(OAuth2(settings_for(sandbox)), sandbox.base_url + PAGE_VIEWS)

        assert elsewhere.requests == []
        assert sandbox.tokens.issued == 1


def test_a_redirect_within_the_api_keeps_the_token(sandbox: Sandbox) -> None:
    location = {"location": "/v1/website_overview"}
    sandbox.faults.add(Fault(path=PAGE_VIEWS, status=307, headers=location))

    response = get(OAuth2(settings_for(sandbox)), sandbox.base_url + PAGE_VIEWS)

    assert response.json()["total"] == len(sandbox_rows("website_overview", TODAY))


def echo(sent: Request) -> tuple[int, dict[str, str], str]:
    return 400, {"Content-Type": "text/plain"}, f"{sent.headers.get('authorization')} {sent.text}"


def refuse_with_echo(sent: Request) -> tuple[int, dict[str, str], str]:
    return 400, {}, json.dumps({"error": "invalid_grant", "error_description": sent.text})


def test_an_api_that_echoes_the_token_does_not_get_it_into_the_error(sandbox: Sandbox) -> None:
    with recording(echo) as api:
        auth = OAuth2(settings_for(sandbox))

        with pytest.raises(ApiError, match=r"answered 400.*Bearer \*\*\*") as failure:
            get(auth, api.url())

        assert api.requests[0].headers["authorization"].startswith("Bearer ")
        assert api.requests[0].headers["authorization"].split()[1] not in chain(failure.value)


@pytest.mark.parametrize("method", ["form", "basic", "json"])
@pytest.mark.parametrize("secret", ["plain-secret", f'"{RESERVED}', "sécrèt/with+more"])
def test_a_token_endpoint_that_echoes_the_secret_does_not_get_it_into_the_error(
    method: str, secret: str
) -> None:
    with recording(echo) as endpoint:
        changes = {"client_secret": secret, "client_authentication": method, "client_id": "me"}

        with pytest.raises(TokenError, match="answered 400") as failure:
            sign(OAuth2(settings_for(endpoint, **changes)))

        sent = endpoint.requests[0]
    basic = sent.headers.get("authorization", "Basic none").split()[1]
    spellings = [secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]]
    spellings += [requests.compat.quote_plus(secret), requests.compat.quote(secret, safe="")]
    for spelling in [*spellings, basic]:
        assert spelling not in chain(failure.value)
    assert method != "basic" or base64.b64decode(basic)


@pytest.mark.parametrize("answer", [echo, refuse_with_echo])
@pytest.mark.parametrize("grant", ["refresh_token", "private_key"])
def test_a_token_endpoint_that_echoes_the_grant_does_not_get_it_into_the_error(
    grant: str, answer: Any, key: rsa.RSAPrivateKey
) -> None:
    value = private_pem(key) if grant == "private_key" else "refresh/token+1"
    with recording(answer) as endpoint:
        with pytest.raises(TokenError, match="answered 400") as failure:
            sign(OAuth2(settings_for(endpoint, **{grant: value})))

        form = endpoint.requests[0].form
    signature = form["assertion"].split(".")[2] if grant == "private_key" else value
    assert signature[:40] not in chain(failure.value)
    assert requests.compat.quote_plus(value) not in chain(failure.value)


def test_a_password_that_the_login_repeats_is_in_no_error_but_the_user_is() -> None:
    def repeated(sent: Request) -> Any:
        return 401, {}, json.dumps({"error": "invalid_grant", "error_description": sent.text})

    with recording(repeated) as endpoint:
        settings = settings_for(
            endpoint,
            user_name="reader",
            user_password="open sesame 4711",
            client_authentication="json",
        )
        with pytest.raises(TokenError) as refused:
            sign(OAuth2(settings))

    assert "sesame" not in chain(refused.value)
    assert "reader" in str(refused.value)
