"""Each grant, each client authentication, and the errors of wrong keys."""

import json
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from analytics_assets.extract.http.errors import TokenError
from analytics_assets.extract.http.oauth2.authentication import OAuth2
from analytics_assets_tests.conftest import TODAY
from analytics_assets_tests.support.sandbox import Sandbox
from analytics_assets_tests.support.token_server import (
    PAGE_VIEWS,
    RESERVED,
    TOKEN,
    chain,
    get,
    private_pem,
    public_pem,
    recording,
    settings_for,
    sign,
    statuses,
    token,
)


def test_client_credentials_get_a_token_that_the_api_accepts(sandbox: Sandbox) -> None:
    auth = OAuth2(settings_for(sandbox))

    response = get(auth, sandbox.base_url + PAGE_VIEWS)

    assert response.json()["data"]
    assert statuses(sandbox) == [200]
    assert sandbox.tokens.issued == 1


@pytest.mark.parametrize("method", ["form", "basic", "json"])
def test_a_client_with_reserved_characters_authenticates_in_each_way(method: Any) -> None:
    client: dict[str, Any] = {"client_id": f"id-{RESERVED}", "client_secret": f"secret-{RESERVED}"}
    with Sandbox(**client, client_authentication=[method], today=TODAY) as sandbox:
        auth = OAuth2(settings_for(sandbox, client_authentication=method))

        assert get(auth, sandbox.base_url + PAGE_VIEWS).ok


def test_a_user_signs_in_at_a_login_that_takes_json_and_names_the_token_otherwise() -> None:
    token = '{"token": "granted-token", "user": {"username": "ali"}}'
    with recording(lambda _: (200, {}, token)) as endpoint:
        settings = settings_for(
            endpoint,
            client_id=None,
            client_secret=None,
            user_name="ali",
            user_password="open sesame",
            client_authentication="json",
            token_field="token",
        )
        header = sign(OAuth2(settings))
        [sent] = endpoint.requests

    assert header == "Bearer granted-token"
    assert sent.body == {"grant_type": "password", "username": "ali", "password": "open sesame"}


def test_an_answer_without_the_named_field_is_refused() -> None:
    with recording(token) as endpoint:
        auth = OAuth2(settings_for(endpoint, user_name="ali", token_field="jwt"))

        with pytest.raises(TokenError, match="without an `jwt`, with the keys `access_token`"):
            sign(auth)


@pytest.mark.parametrize("method", ["form", "basic", "json"])
def test_a_netrc_entry_for_the_token_endpoint_changes_nothing(
    method: str, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    auth = OAuth2(settings_for(sandbox, client_authentication=method))

    assert get(auth, sandbox.base_url + PAGE_VIEWS).ok


@pytest.mark.parametrize("method", ["form", "json"])
def test_scope_and_further_parameters_are_sent(method: str) -> None:
    with recording(token) as endpoint:
        settings = settings_for(
            endpoint,
            client_authentication=method,
            scope="reports users",
            token_params={"audience": "https://api.example.com"},
        )
        sign(OAuth2(settings))
        sent = endpoint.requests[0]

    assert (json.loads(sent.text) if method == "json" else sent.form) == {
        "grant_type": "client_credentials",
        "client_id": "the-client",
        "client_secret": "the-secret",
        "scope": "reports users",
        "audience": "https://api.example.com",
    }


def test_the_refresh_token_grant_uses_each_rotated_token() -> None:
    with Sandbox(refresh_token="first-token", rotate_refresh_tokens=True, today=TODAY) as sandbox:
        auth = OAuth2(settings_for(sandbox, refresh_token="first-token"))
        for _ in range(3):
            assert get(auth, sandbox.base_url + PAGE_VIEWS).ok
            sandbox.tokens.revoke_all()

        assert sandbox.tokens.issued == 3
        assert statuses(sandbox, TOKEN) == [200, 200, 200]


def test_a_refresh_token_that_is_not_rotated_is_used_again() -> None:
    with Sandbox(refresh_token="first-token", today=TODAY) as sandbox:
        auth = OAuth2(settings_for(sandbox, refresh_token="first-token"))
        for _ in range(2):
            assert get(auth, sandbox.base_url + PAGE_VIEWS).ok
            sandbox.tokens.revoke_all()

        assert statuses(sandbox, TOKEN) == [200, 200]


def test_a_refused_refresh_token_is_an_error_with_the_setting_to_check() -> None:
    with Sandbox(refresh_token="first-token", today=TODAY) as sandbox:
        auth = OAuth2(settings_for(sandbox, refresh_token="stale-token"))

        with pytest.raises(TokenError, match=r"invalid_grant.*Check `refresh_token`") as failure:
            sign(auth)

    assert "stale-token" not in chain(failure.value)


@pytest.mark.parametrize("spelling", ["plain", "line ends written out", "encrypted"])
def test_a_service_account_gets_a_token_with_its_key(key: rsa.RSAPrivateKey, spelling: str) -> None:
    pem = {
        "plain": private_pem(key),
        "line ends written out": private_pem(key).replace("\n", "\\n"),
        "encrypted": private_pem(key, "open sesame"),
    }[spelling]
    passphrase = "open sesame" if spelling == "encrypted" else None
    with Sandbox(public_key=public_pem(key), today=TODAY) as sandbox:
        account = {"private_key": pem, "private_key_passphrase": passphrase, "client_secret": None}
        auth = OAuth2(settings_for(sandbox, **account))

        assert get(auth, sandbox.base_url + PAGE_VIEWS).ok


def test_an_assertion_has_the_claims_of_rfc_7523_and_the_id_of_its_key(
    key: rsa.RSAPrivateKey,
) -> None:
    with recording(token) as endpoint:
        account = {"private_key": private_pem(key), "private_key_id": "key-7", "scope": "reports"}
        before = int(time.time())
        sign(OAuth2(settings_for(endpoint, **account)))
        audience, form = endpoint.url("/token"), endpoint.requests[0].form

    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assert jwt.get_unverified_header(form["assertion"])["kid"] == "key-7"
    claims = jwt.decode(form["assertion"], public_pem(key), ["RS256"], audience=audience)
    assert (claims["iss"], claims["sub"], claims["scope"]) == (
        "the-client",
        "the-client",
        "reports",
    )
    assert before <= claims["iat"]
    assert claims["exp"] - claims["iat"] <= 3600
    assert "client_secret" not in form


def useless_keys(key: rsa.RSAPrivateKey) -> dict[str, tuple[str, str | None]]:
    return {
        "no key": ("hunter2-is-no-key", None),
        "cut short": (private_pem(key)[:300], None),
        "wrong passphrase": (private_pem(key, "open sesame"), "open barley"),
        "missing passphrase": (private_pem(key, "open sesame"), None),
        "needless passphrase": (private_pem(key), "open sesame"),
        "public key": (public_pem(key), None),
        "other kind of key": (private_pem(ec.generate_private_key(ec.SECP256R1())), None),
    }


@pytest.mark.parametrize(
    "trouble",
    [
        "no key",
        "cut short",
        "wrong passphrase",
        "missing passphrase",
        "needless passphrase",
        "public key",
        "other kind of key",
    ],
)
def test_a_key_that_cannot_sign_is_refused_unseen_and_with_a_hint(
    key: rsa.RSAPrivateKey, trouble: str
) -> None:
    pem, passphrase = useless_keys(key)[trouble]
    with recording(token) as endpoint:
        account = {"private_key": pem, "private_key_passphrase": passphrase}
        auth = OAuth2(settings_for(endpoint, **account))

        with pytest.raises(TokenError, match=r"`private_key` cannot sign.*Set a PEM") as failure:
            sign(auth)

        assert endpoint.requests == []
    for line in [line for line in pem.splitlines() if "-----" not in line]:
        assert line not in chain(failure.value)
    assert not passphrase or passphrase not in chain(failure.value)
