"""The token endpoint: grants, client authentication, and the tokens that are valid."""

import hmac
import math
import secrets
import threading
import time
from collections.abc import Collection
from typing import Any, Literal

import jwt

from analytics_assets.sandbox.token_request import (
    ClientAuthentication,
    RefusedTokenRequest,
    TokenReply,
    read_basic_credentials,
    read_parameters,
)

ExpiryField = Literal["expires_in", "expires_at", "none"]

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class TokenEndpoint:
    """Grants access tokens by RFC 6749 and RFC 7523, and keeps those that are valid.

    Args:
        client_id: The one client's id.
        client_secret: Its secret.
        lifetime: Seconds for which a token is valid.
        expiry_field: The field of the expiry in a reply: seconds left, a Unix time, or none.
        client_authentication: The places of credentials: a form, HTTP Basic, a JSON object.
            Without ``"json"`` a JSON body is refused.
        refresh_token: The refresh token that is accepted at first; without it the grant is
            unsupported.
        rotate_refresh_tokens: Each refresh replaces the refresh token.
        public_key: PEM that verifies the client's RS256 assertions; without it the grant is
            unsupported.
    """

    def __init__(
        self,
        *,
        client_id: str,
        client_secret: str,
        lifetime: float = 3600,
        expiry_field: ExpiryField = "expires_in",
        client_authentication: Collection[ClientAuthentication] = ("form", "basic", "json"),
        refresh_token: str | None = None,
        rotate_refresh_tokens: bool = False,
        public_key: str | None = None,
    ) -> None:
        self.client_id = client_id
        self.client_secret = client_secret
        self._lifetime = lifetime
        self._expiry_field = expiry_field
        self._client_authentication = frozenset(client_authentication)
        self._refresh_token = refresh_token
        self._rotate = rotate_refresh_tokens
        self._public_key = public_key
        self._lock = threading.Lock()
        self._expiry: dict[str, float] = {}
        self._issued = 0
        self._scopes: list[str] = []

    @property
    def issued(self) -> int:
        """The number of access tokens issued."""
        with self._lock:
            return self._issued

    @property
    def scopes(self) -> list[str]:
        """The scopes of the granted requests that asked for any, oldest first."""
        with self._lock:
            return list(self._scopes)

    def accepts(self, token: str) -> bool:
        """Return True if an access token was issued here, has not expired and was not revoked.

        Args:
            token: The token of an ``Authorization: Bearer`` header.
        """
        with self._lock:
            return self._expiry.get(token, -math.inf) > time.monotonic()

    def revoke_all(self) -> None:
        """Make every access token issued so far invalid."""
        with self._lock:
            self._expiry.clear()

    def answer(
        self, *, content_type: str, body: bytes, authorization: str | None, token_url: str
    ) -> TokenReply:
        """Answer one token request.

        Args:
            content_type: The request's content type.
            body: The request's body.
            authorization: The request's Authorization header.
            token_url: The URL of this endpoint, which must be the audience of an assertion.

        Returns:
            A token, or the error that RFC 6749 section 5.2 names for the request.
        """
        try:
            parameters, placement = read_parameters(content_type, body, self._client_authentication)
            grant = parameters.get("grant_type")
            if grant is None:
                raise RefusedTokenRequest("invalid_request", "grant_type is missing")
            self._authenticate(parameters, placement, authorization, optional=grant == JWT_BEARER)
            return self._grant(grant, parameters, token_url)
        except RefusedTokenRequest as refused:
            return refused.reply()

    def _authenticate(
        self,
        parameters: dict[str, str],
        placement: ClientAuthentication,
        authorization: str | None,
        *,
        optional: bool,
    ) -> None:
        method = placement
        client_id, secret = parameters.get("client_id"), parameters.get("client_secret")
        if authorization is not None:
            if secret is not None:
                raise RefusedTokenRequest("invalid_request", "the client authenticated in two ways")
            method = "basic"
            client_id, secret = read_basic_credentials(authorization)
        elif secret is None and optional:
            return
        if method not in self._client_authentication:
            raise RefusedTokenRequest(
                "invalid_client", f"client authentication by {method} is not accepted"
            )
        if not (_same(client_id, self.client_id) and _same(secret, self.client_secret)):
            raise RefusedTokenRequest("invalid_client", "unknown client or wrong secret")

    def _grant(self, grant: str, parameters: dict[str, str], token_url: str) -> TokenReply:
        replacement: dict[str, Any] = {}
        if grant == "refresh_token" and self._refresh_token is not None:
            replacement = self._use_refresh_token(parameters)
        elif grant == JWT_BEARER and self._public_key is not None:
            self._verify_assertion(self._public_key, parameters, token_url)
        elif grant != "client_credentials":
            raise RefusedTokenRequest(
                "unsupported_grant_type", f"grant type {grant!r} is not supported"
            )
        return TokenReply(200, self._issue(parameters.get("scope")) | replacement)

    def _use_refresh_token(self, parameters: dict[str, str]) -> dict[str, Any]:
        given = parameters.get("refresh_token")
        if given is None:
            raise RefusedTokenRequest("invalid_request", "refresh_token is missing")
        with self._lock:
            if not _same(given, self._refresh_token):
                raise RefusedTokenRequest(
                    "invalid_grant", "the refresh token is invalid or was used already"
                )
            if not self._rotate:
                return {}
            self._refresh_token = secrets.token_urlsafe(24)
            return {"refresh_token": self._refresh_token}

    def _verify_assertion(self, key: str, parameters: dict[str, str], token_url: str) -> None:
        assertion = parameters.get("assertion")
        if assertion is None:
            raise RefusedTokenRequest("invalid_request", "assertion is missing")
        try:
            jwt.decode(
                assertion,
                key,
                algorithms=["RS256"],
                audience=token_url,
                issuer=self.client_id,
                options={"require": ["aud", "exp", "iss"]},
            )
        except jwt.PyJWTError as error:
            raise RefusedTokenRequest(
                "invalid_grant", f"the assertion is invalid: {error}"
            ) from error

    def _issue(self, scope: str | None) -> dict[str, Any]:
        token = secrets.token_urlsafe(24)
        now = time.monotonic()
        with self._lock:
            self._expiry = {known: end for known, end in self._expiry.items() if end > now}
            self._expiry[token] = now + self._lifetime
            self._issued += 1
            if scope is not None:
                self._scopes.append(scope)
        body: dict[str, Any] = {"access_token": token, "token_type": "Bearer"}
        if self._expiry_field == "expires_in":
            whole = float(self._lifetime).is_integer()
            body["expires_in"] = int(self._lifetime) if whole else self._lifetime
        elif self._expiry_field == "expires_at":
            body["expires_at"] = int(time.time() + self._lifetime)
        return body if scope is None else body | {"scope": scope}


def _same(given: str | None, expected: str | None) -> bool:
    if given is None or expected is None:
        return False
    return hmac.compare_digest(given.encode(), expected.encode())
