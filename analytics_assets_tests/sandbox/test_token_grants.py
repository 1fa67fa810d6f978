import base64
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus

import pytest
import requests

from analytics_assets.sandbox import Sandbox
from analytics_assets_tests.sandbox.client import access_token, get_page, token_response

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
GRANT = {"grant_type": "client_credentials"}


def credentials(sandbox: Sandbox) -> dict[str, str]:
    return {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}


def basic(client_id: str, secret: str) -> dict[str, str]:
    encoded = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    return {"Authorization": f"Basic {encoded}"}


def by_form(sandbox: Sandbox) -> requests.Response:
    return requests.post(sandbox.token_url, data=GRANT | credentials(sandbox), timeout=60)


def by_json(sandbox: Sandbox) -> requests.Response:
    return requests.post(sandbox.token_url, json=GRANT | credentials(sandbox), timeout=60)


def by_basic(sandbox: Sandbox) -> requests.Response:
    headers = basic(quote_plus(sandbox.client_id), quote_plus(sandbox.client_secret))
    return requests.post(sandbox.token_url, data=GRANT, headers=headers, timeout=60)


METHODS: dict[Any, Callable[[Sandbox], requests.Response]] = {
    "form": by_form,
    "json": by_json,
    "basic": by_basic,
}


@pytest.mark.parametrize("method", list(METHODS))
def test_each_client_authentication_method_gets_a_token_that_opens_the_data(
    sandbox: Sandbox, method: str
) -> None:
    reply = METHODS[method](sandbox)

    assert reply.status_code == 200
    assert reply.json()["token_type"] == "Bearer"
    assert reply.headers["Cache-Control"] == "no-store"
    assert get_page(sandbox, "page_views", token=reply.json()["access_token"]).status_code == 200


@pytest.mark.parametrize("accepted", list(METHODS))
def test_a_method_that_is_not_accepted_gets_no_token(accepted: Any) -> None:
    with Sandbox(client_authentication=[accepted]) as sandbox:
        granted = {name for name, ask in METHODS.items() if ask(sandbox).status_code == 200}

        expected = {"form": {"form"}, "json": {"json"}, "basic": {"basic"}}[accepted]
        assert granted == expected
        assert sandbox.tokens.issued == 1


def test_basic_credentials_are_form_decoded_after_base64() -> None:
    with Sandbox(client_id="an id:with/odd+signs", client_secret="50%+ü:&=") as sandbox:
        assert by_basic(sandbox).status_code == 200
        raw = basic(sandbox.client_id, sandbox.client_secret)
        refused = requests.post(sandbox.token_url, data=GRANT, headers=raw, timeout=60)

        assert refused.status_code == 401


def test_a_wrong_secret_is_an_invalid_client_with_a_challenge(sandbox: Sandbox) -> None:
    reply = token_response(sandbox, client_secret="wrong")

    assert reply.status_code == 401
    assert reply.json()["error"] == "invalid_client"
    assert reply.json()["error_description"]
    assert reply.headers["WWW-Authenticate"].startswith("Basic ")
    assert sandbox.tokens.issued == 0


@pytest.mark.parametrize("header", ["Basic !!!", "Basic bm9jb2xvbg==", "Digest abc", "Basic"])
def test_a_malformed_authorization_header_is_an_invalid_client(
    sandbox: Sandbox, header: str
) -> None:
    reply = requests.post(
        sandbox.token_url, data=GRANT, headers={"Authorization": header}, timeout=60
    )

    assert (reply.status_code, reply.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("client_id=a", "application/x-www-form-urlencoded"),
        ("grant_type=a&grant_type=b", "application/x-www-form-urlencoded"),
        ("no pairs", "application/x-www-form-urlencoded"),
        ("", "application/x-www-form-urlencoded"),
        ("{", "application/json"),
        ("[]", "application/json"),
        ('{"grant_type": 1}', "application/json"),
        ("grant_type=client_credentials", "text/plain"),
    ],
)
def test_a_request_that_cannot_be_read_is_an_invalid_request(
    sandbox: Sandbox, body: str, content_type: str
) -> None:
    reply = requests.post(
        sandbox.token_url, data=body, headers={"Content-Type": content_type}, timeout=60
    )

    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_request")


def test_credentials_in_two_places_are_an_invalid_request(sandbox: Sandbox) -> None:
    reply = requests.post(
        sandbox.token_url,
        data=GRANT | credentials(sandbox),
        headers=basic(sandbox.client_id, sandbox.client_secret),
        timeout=60,
    )

    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("grant", ["password", "refresh_token", JWT_BEARER])
def test_a_grant_that_is_not_set_up_is_unsupported(sandbox: Sandbox, grant: str) -> None:
    reply = token_response(sandbox, grant_type=grant)

    assert (reply.status_code, reply.json()["error"]) == (400, "unsupported_grant_type")


def test_requested_scopes_are_recorded_and_confirmed(sandbox: Sandbox) -> None:
    assert "scope" not in token_response(sandbox).json()
    assert token_response(sandbox, scope="read write").json()["scope"] == "read write"

    assert sandbox.tokens.scopes == ["read write"]
    assert sandbox.tokens.issued == 2


def test_a_refresh_token_can_be_used_again_unless_it_rotates() -> None:
    with Sandbox(refresh_token="first") as sandbox:
        for _ in range(2):
            reply = token_response(sandbox, grant_type="refresh_token", refresh_token="first")
            assert reply.status_code == 200
            assert "refresh_token" not in reply.json()
            assert get_page(sandbox, "page_views", token=reply.json()["access_token"]).ok


def test_a_rotated_refresh_token_is_refused_and_its_successor_accepted() -> None:
    with Sandbox(refresh_token="first", rotate_refresh_tokens=True) as sandbox:
        first = token_response(sandbox, grant_type="refresh_token", refresh_token="first")
        second = first.json()["refresh_token"]
        again = token_response(sandbox, grant_type="refresh_token", refresh_token="first")
        after = token_response(sandbox, grant_type="refresh_token", refresh_token=second)

        assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
        assert after.status_code == 200
        assert after.json()["refresh_token"] not in ("first", second)


def test_a_refresh_without_the_refresh_token_is_an_invalid_request() -> None:
    with Sandbox(refresh_token="first") as sandbox:
        reply = token_response(sandbox, grant_type="refresh_token")

        assert (reply.status_code, reply.json()["error"]) == (400, "invalid_request")


def test_the_expiry_is_in_the_configured_field() -> None:
    with Sandbox(lifetime=120) as sandbox:
        reply = token_response(sandbox).json()
        assert (reply["expires_in"], "expires_at" in reply) == (120, False)
    with Sandbox(lifetime=120, expiry_field="expires_at") as sandbox:
        before = int(time.time())
        reply = token_response(sandbox).json()
        assert before + 120 <= reply["expires_at"] <= time.time() + 120
        assert "expires_in" not in reply
    with Sandbox(lifetime=120, expiry_field="none") as sandbox:
        reply = token_response(sandbox).json()
        assert set(reply) == {"access_token", "token_type"}


def test_a_token_expires_at_the_end_of_its_lifetime_and_not_before() -> None:
    lifetime = 0.4
    with Sandbox(lifetime=lifetime) as sandbox:
        asked = time.monotonic()
        token = access_token(sandbox)
        got = time.monotonic()
        while True:
            sent = time.monotonic()
            reply = get_page(sandbox, "page_views", token=token, limit=1)
            if reply.status_code == 401:
                break
            assert sent < got + lifetime, "the token outlived its lifetime"
        refused = time.monotonic()

        assert refused >= asked + lifetime
        assert 'error="invalid_token"' in reply.headers["WWW-Authenticate"]


def test_revoking_makes_every_token_invalid_and_new_ones_valid(sandbox: Sandbox) -> None:
    tokens = [access_token(sandbox), access_token(sandbox)]
    assert all(get_page(sandbox, "page_views", token=token).ok for token in tokens)

    sandbox.tokens.revoke_all()

    assert [get_page(sandbox, "page_views", token=token).status_code for token in tokens] == [
        401,
        401,
    ]
    assert get_page(sandbox, "page_views").status_code == 200
