"""Google's token endpoint, as its documentation of service accounts and refresh tokens says."""

import base64
import json
from functools import cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from analytics_assets_tests.recipes.server import Answer, Request, VendorServer
from analytics_assets_tests.support.token_server import private_pem

ACCESS_TOKEN = "ya29.granted-by-google"
ACCOUNT = "loader@a-project.iam.gserviceaccount.com"
CLIENT_ID, CLIENT_SECRET = "7.apps.googleusercontent.com", "GOCSPX-the-clients-secret"
REFRESH_TOKEN = "1//the-refresh-token"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LONGEST_LIFE = 3600  # seconds of an assertion


@cache
def key_of_the_account() -> rsa.RSAPrivateKey:
    """The private key of the service account."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class GoogleServer(VendorServer):
    """An API of Google, and the token endpoint that its clients use.

    Attributes:
        scope: the scope that a token must have.
    """

    scope = ""

    def settings(self) -> dict[str, str]:
        return {"CLIENT_ID": ACCOUNT, "PRIVATE_KEY": private_pem(key_of_the_account())}

    @property
    def refresh_token_settings(self) -> dict[str, str]:
        """The settings of a user who signs in by a refresh token."""
        return {
            "CLIENT_ID": CLIENT_ID,
            "CLIENT_SECRET": CLIENT_SECRET,
            "REFRESH_TOKEN": REFRESH_TOKEN,
        }

    def answer(self, request: Request) -> Answer:
        if request.path == "/token":
            return self._token(request.form)
        if request.headers.get("authorization") != f"Bearer {ACCESS_TOKEN}":
            text = "Request had invalid authentication credentials."
            return error(401, text, "UNAUTHENTICATED")
        return self.report(request)

    def report(self, request: Request) -> Answer:
        """Return the answer to a request that is signed in."""
        raise NotImplementedError

    def _token(self, form: dict[str, str]) -> Answer:
        if form.get("grant_type") == JWT_BEARER:
            refusal = self._refusal_of_assertion(form.get("assertion", ""))
        else:
            refusal = _refusal_of_refresh_token(form)
        if refusal:
            return Answer({"error": refusal, "error_description": "Bad Request"}, 400)
        granted = {"access_token": ACCESS_TOKEN, "expires_in": 3599, "token_type": "Bearer"}
        return Answer({**granted, "scope": self.scope})

    def _refusal_of_assertion(self, assertion: str) -> str:
        signed, _, signature = assertion.rpartition(".")
        header, _, claims_part = signed.partition(".")
        try:
            key_of_the_account().public_key().verify(
                _decoded(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256()
            )
            claims: dict[str, Any] = json.loads(_decoded(claims_part))
            algorithm = json.loads(_decoded(header))["alg"]
        except (InvalidSignature, ValueError, KeyError):
            return "invalid_grant"
        is_known = algorithm == "RS256" and claims.get("iss") == ACCOUNT
        is_for_us = claims.get("aud") == f"{self.url}/token"
        lives = claims.get("exp", 0) - claims.get("iat", 0)
        if not (is_known and is_for_us and 0 < lives <= LONGEST_LIFE):
            return "invalid_grant"
        return "" if claims.get("scope") == self.scope else "invalid_scope"


def _refusal_of_refresh_token(form: dict[str, str]) -> str:
    if form.get("grant_type") != "refresh_token":
        return "unsupported_grant_type"
    if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
        return "invalid_client"
    return "" if form.get("refresh_token") == REFRESH_TOKEN else "invalid_grant"


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def error(code: int, message: str, status: str, **more: Any) -> Answer:
    """Return an error in the form of Google's APIs."""
    return Answer({"error": {"code": code, "message": message, "status": status, **more}}, code)
