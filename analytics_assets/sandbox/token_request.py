"""Token requests: parameters, credentials, and errors of RFC 6749."""

import base64
import binascii
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qs, unquote_plus

import msgspec

ClientAuthentication = Literal["form", "basic", "json"]


@dataclass(frozen=True)
class TokenReply:
    """A reply of the token endpoint.

    Args:
        status: The HTTP status.
        body: The JSON object of the body.
        headers: Headers beyond the ones of every JSON answer.
    """

    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)


class RefusedTokenRequest(Exception):  # noqa: N818 - an answer of the protocol, not a failure
    """A token request is answered with an error.

    Args:
        error: The code of RFC 6749 section 5.2.
        description: The reason, for the client's developer.
    """

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description

    def reply(self) -> TokenReply:
        """Return the reply with the status, body and headers that the RFC requires."""
        body = {"error": self.error, "error_description": self.description}
        if self.error == "invalid_client":
            return TokenReply(401, body, {"WWW-Authenticate": 'Basic realm="sandbox"'})
        return TokenReply(400, body)


def read_parameters(
    content_type: str, body: bytes, accepted: Collection[ClientAuthentication]
) -> tuple[dict[str, str], ClientAuthentication]:
    """Read the parameters of a token request.

    Args:
        content_type: The request's content type.
        body: The request's body.
        accepted: The client authentication methods; JSON is read only if it is among them.

    Returns:
        The parameters, and the method that credentials among them amount to.

    Raises:
        RefusedTokenRequest: The body cannot be read.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == "application/json" and "json" in accepted:
        return _json_parameters(body), "json"
    if media_type == "application/x-www-form-urlencoded":
        return _form_parameters(body), "form"
    raise RefusedTokenRequest("invalid_request", f"content type {media_type!r} is not accepted")


def _form_parameters(body: bytes) -> dict[str, str]:
    try:
        values = parse_qs(body.decode(), strict_parsing=bool(body), errors="strict")
    except ValueError as error:
        raise RefusedTokenRequest("invalid_request", "the body is not form-encoded") from error
    if any(len(given) > 1 for given in values.values()):
        raise RefusedTokenRequest("invalid_request", "a parameter is given more than once")
    return {name: given[0] for name, given in values.items()}


def _json_parameters(body: bytes) -> dict[str, str]:
    try:
        values = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise RefusedTokenRequest("invalid_request", "the body is not JSON") from error
    if not isinstance(values, dict) or not all(isinstance(v, str) for v in values.values()):
        raise RefusedTokenRequest("invalid_request", "the body must be a JSON object of strings")
    return values


def read_basic_credentials(authorization: str) -> tuple[str, str]:
    """Read the credentials of an ``Authorization: Basic`` header.

    Args:
        authorization: The header's value.

    Returns:
        The client's id and secret.

    Raises:
        RefusedTokenRequest: It is no such header.
    """
    scheme, _, encoded = authorization.partition(" ")
    try:
        client_id, colon, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise RefusedTokenRequest("invalid_client", "malformed Basic credentials") from error
    if scheme.lower() != "basic" or not colon:
        raise RefusedTokenRequest("invalid_client", "malformed Basic credentials")
    # RFC 6749 section 2.3.1: both parts are form-encoded before they are joined.
    return unquote_plus(client_id), unquote_plus(secret)
