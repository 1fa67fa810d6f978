"""Answers of a token endpoint that are none, or that have a token which cannot be sent."""

import json
import time
from typing import Any

import pytest

from analytics_assets.extract.http.errors import TokenError
from analytics_assets.extract.http.oauth2.authentication import OAuth2
from analytics_assets_tests.support.token_server import (
    Reply,
    Request,
    chain,
    private_pem,
    recording,
    settings_for,
    sign,
)

MARKED = "marked-T0ken-9f8e7d6c"
JSON = "application/json"
NO_TOKEN = "an answer that is no token"
CUT = "JSON that is no object, not valid, or nested too deeply"


def answered(body: str, status: int = 200, kind: str = JSON, **settings: Any) -> Any:
    """Return the header that a token endpoint's answer makes, or its error."""

    def reply(_sent: Request) -> Reply:
        return status, {"Content-Type": kind}, body

    with recording(reply) as endpoint:
        started = time.process_time()
        try:
            return sign(OAuth2(settings_for(endpoint, **settings)))
        except TokenError as error:
            return error
        finally:
            assert time.process_time() - started < 5


def token(**fields: Any) -> str:
    return json.dumps({"access_token": MARKED, **fields})


NO_TOKENS = [
    pytest.param(
        f"access_token={MARKED}&token_type=bearer",
        "a form in place of JSON, with the keys `access_token`, `token_type`.",
        id="the token comes in a form",
    ),
    pytest.param("a=b&" * 100_000 + " ", NO_TOKEN, id="the answer is almost a form, and long"),
    pytest.param(json.dumps([MARKED]), "JSON that is no object", id="the token comes in a list"),
    pytest.param(json.dumps(MARKED), "application/json", id="the token is a text of JSON"),
    pytest.param(token()[:-1], CUT, id="the JSON is cut behind the token"),
    pytest.param(token() + "}", CUT, id="the JSON has more behind its end"),
    pytest.param("NaN", "application/json", id="the answer is NaN"),
    pytest.param(token(expires_in=float("nan")), CUT, id="expires_in is NaN, which is no JSON"),
    pytest.param(
        f'{{"a":{"[" * 100_000}"{MARKED}"{"]" * 100_000}}}',
        "nested too deeply",
        id="the answer is 100,000 lists deep",
    ),
    pytest.param(f"<p>{MARKED}</p>", "a web page", id="the answer is a web page"),
    pytest.param(MARKED, NO_TOKEN, id="the token comes as plain text"),
    pytest.param(f"\x00\x01{MARKED}", NO_TOKEN, id="the answer is binary"),
    pytest.param(
        json.dumps({"token": MARKED, MARKED + "-" + 40 * "k1": 1}),
        "with the keys `token` and 1 more",
        id="the token is in another field, and is a key itself",
    ),
    pytest.param(
        json.dumps({"access_token": [MARKED]}),
        "without an `access_token`, with the keys `access_token`",
        id="the token is in a list",
    ),
]


@pytest.mark.parametrize(("body", "said"), NO_TOKENS)
def test_an_answer_without_a_token_is_described_and_never_quoted(body: str, said: str) -> None:
    error = answered(body)
    assert isinstance(error, TokenError)
    assert said in str(error)
    assert "token endpoint http://127.0.0.1" in str(error)
    assert MARKED not in chain(error)


@pytest.mark.parametrize(
    "access_token",
    [
        pytest.param(f"{MARKED}\r\nX-Injected: 1", id="a token with CRLF"),
        pytest.param(f"{MARKED}\nX-Injected: 1", id="a token with a line feed"),
        pytest.param(f"{MARKED}\0", id="a token with a null byte"),
        pytest.param(f"{MARKED}\u20ac", id="a token with a character beyond Latin-1"),
        pytest.param(f"{MARKED}\u00e9", id="a token with a character beyond ASCII"),
        pytest.param(f"{MARKED}\ud800", id="a token with half a surrogate pair"),
        pytest.param(f"{MARKED} other", id="a token with a space"),
        pytest.param(f'{MARKED}", realm="x', id="a token with quotes"),
        pytest.param(f"{MARKED},b", id="a token with a comma"),
        pytest.param("==", id="a token of padding alone"),
    ],
)
def test_a_token_that_no_header_can_carry_is_refused_where_it_is_received(
    access_token: str,
) -> None:
    error = answered(token(access_token=access_token))
    assert isinstance(error, TokenError)
    assert "with an `access_token` that no header can carry" in str(error)
    assert "RFC 6750 section 2.1" in str(error)
    assert MARKED not in chain(error)


@pytest.mark.parametrize(
    "access_token",
    [
        pytest.param("abc-._~+/XYZ09==", id="a token with all characters of RFC 6750"),
        pytest.param("00D5g!AQEAQ.b", id="a token with an exclamation mark, as Salesforce has it"),
        pytest.param("12345|b64", id="a token with a bar, as Facebook has it"),
        pytest.param("x" * 10_000, id="a token of 10,000 characters"),
    ],
)
def test_a_token_that_a_header_can_carry_is_sent_as_it_is(access_token: str) -> None:
    assert answered(token(access_token=access_token)) == f"Bearer {access_token}"


def test_a_refresh_token_with_line_ends_is_refused() -> None:
    error = answered(token(refresh_token=f"{MARKED}\r\n"), refresh_token="first")
    assert "with a `refresh_token` that has other characters" in str(error)
    assert MARKED not in chain(error)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"expires_in": 10**4999}, id="expires_in has 5,000 digits"),
        pytest.param({"expires_in": "9" * 5000}, id="expires_in is a text of 5,000 digits"),
        pytest.param({"expires_in": -1}, id="expires_in is negative"),
        pytest.param({"expires_in": {"a": [1]}}, id="expires_in is an object"),
        pytest.param({"expires_at": "9" * 5000}, id="expires_at has 5,000 digits"),
        pytest.param({"expires_at": "0000-99-99"}, id="expires_at is no date"),
        pytest.param({"token_type": "BearerToken"}, id="token_type is BearerToken, as of Apigee"),
        pytest.param({"token_type": " bEARER "}, id="token_type is Bearer in odd letters"),
        pytest.param({"token_type": None}, id="token_type is null"),
        pytest.param({"token_type": "JWT"}, id="token_type is JWT"),
    ],
)
def test_a_clumsy_lifetime_or_type_does_no_harm(fields: dict[str, Any]) -> None:
    body = token(**{**fields, "expires_in": 0} if fields.get("expires_in") == 10**4999 else fields)
    if fields.get("expires_in") == 10**4999:  # Python writes no such number
        body = body.replace('"expires_in": 0', f'"expires_in": 1{"0" * 4999}')
    assert answered(body) == f"Bearer {MARKED}"


@pytest.mark.parametrize("kind", ["mac", "DPoP", "pop", "Basic", "N_A", "x" * 1000 + MARKED])
def test_a_token_that_is_not_sent_as_bearer_is_a_sentence(kind: str) -> None:
    error = answered(token(token_type=kind))
    assert "whose `token_type` is `" in str(error)
    assert "only `Bearer` tokens can be sent" in str(error)
    assert len(str(error)) < 400
    assert MARKED not in chain(error)


OTHER_WAY = "`client_authentication` is `form`: set it to `basic` or `json`"
NO_GRANT = "The grant was `client_credentials`, as neither `refresh_token` nor `private_key` is set"


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        pytest.param(
            '{"error": "unsupported_grant_type"}',
            400,
            ("unsupported_grant_type", NO_GRANT, OTHER_WAY),
            id="an endpoint does not know the grant",
        ),
        pytest.param(
            '{"error": "invalid_client"}',
            401,
            ("Check `client_id` and `client_secret`", OTHER_WAY),
            id="an endpoint takes the client in HTTP Basic alone",
        ),
        pytest.param(
            '{"error": "invalid_request", "error_description": "grant_type is missing"}',
            400,
            ("(grant_type is missing)", OTHER_WAY),
            id="an endpoint takes JSON alone",
        ),
        pytest.param("", 403, ("an empty body", OTHER_WAY), id="an endpoint answers 403 alone"),
        pytest.param("no", 415, (NO_TOKEN, OTHER_WAY), id="an endpoint refuses the media type"),
        pytest.param("no", 422, (NO_TOKEN, OTHER_WAY), id="an endpoint answers 422"),
        pytest.param(
            '{"error": {"code": 400, "message": "Bad", "status": "INVALID_ARGUMENT"}}',
            400,
            ("INVALID_ARGUMENT (Bad)", OTHER_WAY),
            id="an endpoint describes the error in an object",
        ),
    ],
)
def test_a_refusal_names_the_settings_whose_other_values_would_help(
    body: str, status: int, said: tuple[str, ...]
) -> None:
    error = answered(body, status)
    assert f"answered {status}" in str(error)
    for part in said:
        assert part in str(error)


def test_a_refused_scope_does_not_speak_of_other_ways() -> None:
    error = answered('{"error": "invalid_scope"}', 400)
    assert str(error).endswith("Check `scope`.")


def test_a_refused_service_account_hears_of_its_grant_alone(key: Any) -> None:
    error = answered('{"error": "invalid_request"}', 400, private_key=private_pem(key))
    assert "as `private_key` is set; without it" in str(error)
    assert "client_authentication" not in str(error)


@pytest.mark.parametrize("status", [400, 401, 403, 500])
@pytest.mark.parametrize("kind", [JSON, "text/plain", "text/html"])
def test_an_error_page_that_shows_a_token_is_not_quoted(status: int, kind: str) -> None:
    error = answered(f"token {MARKED} is not for you", status, kind)
    assert NO_TOKEN in str(error)
    assert MARKED not in chain(error)


def test_a_description_of_an_error_is_shown_without_what_looks_like_a_token() -> None:
    long = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJl"
    described = {"error": "invalid_grant", "error_description": f"The token {long} has expired."}
    error = answered(json.dumps(described), 400)
    assert "invalid_grant (The token *** has expired.)" in str(error)


def test_a_description_of_10_megabytes_makes_a_short_error() -> None:
    error = answered(json.dumps({"error": "e" * 10_000_000}), 400)
    assert len(str(error)) < 1000
