"""The sign-in of an API, by the security schemes of its document."""

from typing import Any

import pytest

from analytics_assets.cli.commands.new.proposal.security import SignIn
from analytics_assets.cli.commands.new.writing.entries import config_of, plain
from analytics_assets.cli.commands.new.writing.nodes import SECRET, SETTING
from analytics_assets_tests.cli.commands.new.documents import (
    ORDER,
    array,
    get,
    proposed,
    query,
    values,
)

BEARER = {"type": "http", "scheme": "bearer"}
BASIC = {"type": "http", "scheme": "basic"}
HEADER = {"type": "apiKey", "in": "header", "name": "X-API-Key"}
OTHER_HEADER = {"type": "apiKey", "in": "header", "name": "X-App"}
COOKIE = {"type": "apiKey", "in": "cookie", "name": "session"}


def oauth2(flow: str, **others: Any) -> dict[str, Any]:
    return {"type": "oauth2", "flows": {flow: {"tokenUrl": "https://id.example.com/token"}}}


def sign_in(schemes: dict[str, Any], security: Any = None, url: str | None = None) -> SignIn:
    """The sign-in by some schemes; without `security`, each of them alone is accepted."""
    wanted = [{name: []} for name in schemes] if security is None else security
    components = {"securitySchemes": schemes}
    paths = {"/orders": get(array(ORDER))}
    return proposed(paths, url=url, components=components, security=wanted).sign_in


@pytest.mark.parametrize(
    ("scheme", "auth"),
    [
        (BEARER, {"type": "bearer", "token": SECRET}),
        (BASIC, {"type": "http_basic", "username": SETTING, "password": SECRET}),
        (
            HEADER,
            {"type": "api_key", "name": "X-API-Key", "api_key": SECRET, "location": "header"},
        ),
        (
            {**HEADER, "in": "query", "name": "key"},
            {"type": "api_key", "name": "key", "api_key": SECRET, "location": "query"},
        ),
        (
            oauth2("clientCredentials"),
            {
                "type": "oauth2",
                "token_url": "https://id.example.com/token",
                "client_id": SECRET,
                "client_secret": SECRET,
            },
        ),
    ],
)
def test_each_scheme_becomes_the_auth_of_its_kind(scheme: Any, auth: Any) -> None:
    found = sign_in({"own": scheme})

    assert (found.auth.value, found.auth.check, found.notes) == (auth, None, ())


def test_a_sign_in_of_a_person_needs_a_refresh_token() -> None:
    found = sign_in({"own": oauth2("authorizationCode")})

    assert found.auth.value["refresh_token"] == SECRET
    assert "refresh token" in str(found.auth.check)


def test_the_flow_of_swagger_2_is_read_too() -> None:
    scheme = {"type": "oauth2", "flow": "application", "tokenUrl": "https://id.example.com/t"}

    assert sign_in({"own": scheme}).auth.value["token_url"] == "https://id.example.com/t"


def test_a_relative_token_url_is_resolved_against_the_documents() -> None:
    scheme = {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "/token"}}}

    assert sign_in({"own": scheme}).auth.value["token_url"] == SETTING
    found = sign_in({"own": scheme}, url="https://api.example.com/docs/openapi.json")
    assert found.auth.value["token_url"] == "https://api.example.com/token"


def test_a_cookie_is_refused_with_the_reason() -> None:
    found = sign_in({"own": COOKIE})

    assert found.auth.value is None
    assert found.notes == (
        "Sign-in own: the cookie `session` belongs to a session of a browser, which a load does "
        "not have; ask the vendor for a key",
    )


def test_of_several_ways_the_simplest_is_taken_and_the_others_are_named() -> None:
    found = sign_in({"basic": BASIC, "oauth": oauth2("authorizationCode"), "token": BEARER})

    assert found.auth.value["type"] == "bearer"
    assert found.notes == ("The API accepts other ways to sign in, too: http_basic, oauth2",)


def test_keys_that_are_needed_together_are_auth_and_headers() -> None:
    found = sign_in({"key": HEADER, "app": OTHER_HEADER}, [{"key": [], "app": []}])

    assert found.auth.value["name"] == "X-API-Key"
    assert values(found.headers) == {"X-App": SECRET}


def test_schemes_that_nothing_requires_are_a_guess() -> None:
    assert "does not say" in str(sign_in({"own": BEARER}, security=[]).auth.check)


def test_an_operation_without_sign_in_needs_none() -> None:
    components = {"securitySchemes": {"own": BEARER}}
    paths = {"/orders": get(array(ORDER), security=[])}

    assert proposed(paths, components=components, security=[{"own": []}]).sign_in == SignIn()


@pytest.mark.parametrize(
    ("about", "kind"), [("Bearer token.", "bearer"), ("`Token abc`.", "api_key")]
)
def test_the_header_authorization_is_read_by_its_description(about: str, kind: str) -> None:
    scheme = {"type": "apiKey", "in": "header", "name": "Authorization", "description": about}
    found = sign_in({"own": scheme})

    assert found.auth.value["type"] == kind
    assert found.auth.check


@pytest.mark.parametrize(("name", "place"), [("Authorization", "header"), ("api_key", "query")])
def test_a_key_among_the_parameters_is_a_sign_in(name: str, place: str) -> None:
    parameter = {"name": name, "in": place, "required": True, "schema": {"type": "string"}}
    api = proposed({"/orders": get(array(ORDER), parameter)})
    [resource] = api.resources

    assert (resource.params, resource.headers) == ({}, {})
    assert api.sign_in.auth.value["type"] in ("bearer", "api_key")
    assert api.sign_in.auth.check


def test_two_keys_of_the_query_are_auth_and_a_parameter_of_all_requests() -> None:
    key, token = ({"type": "apiKey", "in": "query", "name": name} for name in ("key", "token"))
    sent = [query(name, required=True) for name in ("key", "token")]
    security: Any = [{"key": [], "token": []}]
    components = {"securitySchemes": {"key": key, "token": token}}
    paths = {"/orders": get(array(ORDER), *sent)}
    api = proposed(paths, components=components, security=security)
    config = plain(config_of(api))

    assert config["client"]["auth"]["name"] == "key"
    assert config["resource_defaults"]["endpoint"] == {"params": {"token": SECRET}}
    assert "params" not in config["resources"][0]["endpoint"]
