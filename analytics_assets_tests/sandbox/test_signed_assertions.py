from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from analytics_assets.sandbox import Sandbox
from analytics_assets_tests.sandbox.client import get_page

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_pem(key: rsa.RSAPrivateKey) -> str:
    return (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


def assert_with(key: rsa.RSAPrivateKey, sandbox: Sandbox, **claims: Any) -> requests.Response:
    usual = {
        "iss": sandbox.client_id,
        "aud": sandbox.token_url,
        "exp": datetime.now(UTC) + timedelta(minutes=5),
    }
    present = {name: value for name, value in (usual | claims).items() if value is not None}
    form = {"grant_type": JWT_BEARER, "assertion": jwt.encode(present, key, algorithm="RS256")}
    return requests.post(sandbox.token_url, data=form, timeout=60)


def test_a_signed_assertion_gets_a_token_without_a_secret(key: rsa.RSAPrivateKey) -> None:
    with Sandbox(public_key=public_pem(key)) as sandbox:
        reply = assert_with(key, sandbox)

        assert reply.status_code == 200
        assert get_page(sandbox, "page_views", token=reply.json()["access_token"]).ok


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "https://elsewhere.example/token"},
        {"iss": "somebody else"},
        {"exp": datetime(2020, 1, 1, tzinfo=UTC)},
        {"aud": None},
        {"iss": None},
        {"exp": None},
    ],
)
def test_an_assertion_for_another_audience_issuer_or_time_is_an_invalid_grant(
    key: rsa.RSAPrivateKey, claims: dict[str, Any]
) -> None:
    with Sandbox(public_key=public_pem(key)) as sandbox:
        reply = assert_with(key, sandbox, **claims)

        assert (reply.status_code, reply.json()["error"]) == (400, "invalid_grant")
        assert sandbox.tokens.issued == 0


def test_an_assertion_signed_with_another_key_is_an_invalid_grant(key: rsa.RSAPrivateKey) -> None:
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    with Sandbox(public_key=public_pem(key)) as sandbox:
        reply = assert_with(stranger, sandbox)

        assert (reply.status_code, reply.json()["error"]) == (400, "invalid_grant")
