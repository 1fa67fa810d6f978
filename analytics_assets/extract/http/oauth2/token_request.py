"""The request for a token (RFC 6749 sections 2.3.1, 5.1 and 5.2)."""

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus

import requests

from analytics_assets.config.oauth2_settings import OAuth2Settings
from analytics_assets.config.request_settings import RequestSettings
from analytics_assets.contract.rows.numbers import json_integer
from analytics_assets.extract.http.errors import NoAnswerError, TokenError, excerpt
from analytics_assets.extract.http.oauth2.grants import Grant
from analytics_assets.extract.http.redaction import Redact
from analytics_assets.extract.http.single_request import fetch_alone
from analytics_assets.extract.http.transport.body import BodyLimit

# by error code of the token endpoint
HINTS = {
    "invalid_client": "Check `client_id` and `client_secret`.",
    "unauthorized_client": "The client may not use this grant.",
    "invalid_grant": "Check `refresh_token` or `private_key`; it may have expired.",
    "invalid_scope": "Check `scope`.",
    "unsupported_grant_type": "Set `refresh_token` or `private_key` if the endpoint asks for "
    "one of those grants.",
}
TOKEN_LIMIT = BodyLimit(1024 * 1024, "the limit of a token answer")
WRONG_URL = (requests.codes.not_found, requests.codes.method_not_allowed)


def request_token(
    settings: OAuth2Settings,
    request_settings: RequestSettings,
    grant: Grant,
    parameters: Mapping[str, str],
    redact: Redact,
) -> dict[str, Any]:
    """Send a token request.

    Args:
        settings: the token endpoint, the client and the scope.
        request_settings: timeouts and retries.
        grant: the grant.
        parameters: the grant's parameters.
        redact: removes secrets from a text; it knows the parameters.

    Returns:
        The decoded response.

    Raises:
        TokenError: the endpoint refused, sent something else, or could not be reached.
    """
    arguments = _arguments(settings, grant, parameters)
    request = requests.Request("POST", str(settings.token_url), **arguments)
    try:
        # a redirect would carry the client's secret to wherever it points
        page = fetch_alone(
            *(request, request_settings, redact, "token_url", TOKEN_LIMIT), follows_redirects=False
        )
    except NoAnswerError as error:
        raise TokenError(f"The token endpoint could not be reached: {error}") from None
    return _decoded(page.as_response(), settings, redact)


def access_token_of(answer: Mapping[str, Any], settings: OAuth2Settings, redact: Redact) -> str:
    """Return the token of a response.

    Args:
        answer: the response to the token request.
        settings: the token endpoint.
        redact: removes secrets from a text.

    Raises:
        TokenError: there is none.
    """
    token = answer.get("access_token")
    if not isinstance(token, str) or not token:
        raise TokenError(
            f"The token endpoint {settings.token_url} answered without an "
            f"`access_token`{_error_code(answer, redact)}."
        )
    return token


def _decoded(
    response: requests.Response, settings: OAuth2Settings, redact: Redact
) -> dict[str, Any]:
    try:
        answer = response.json(parse_int=json_integer)
    except requests.JSONDecodeError:
        answer = None
    if isinstance(answer, dict) and response.ok and not response.is_redirect:
        return answer
    status = response.status_code
    what = f"The token endpoint {settings.token_url} answered {status}"
    if isinstance(answer, dict) and "error" in answer:
        hint = HINTS.get(str(answer["error"]), "Check `token_url`." if status in WRONG_URL else "")
        raise TokenError(f"{what}{_error_code(answer, redact)}. {hint}".rstrip())
    hint = "" if status >= requests.codes.server_error else " (check `token_url`)"
    raise TokenError(f"{what} with something that is no token{hint}{excerpt(response, redact)}")


def _arguments(
    settings: OAuth2Settings, grant: Grant, parameters: Mapping[str, str]
) -> dict[str, Any]:
    """Return the arguments of `requests.post`: the form or JSON body, and the headers."""
    fields = {"grant_type": grant.type, **parameters, **(settings.token_params or {})}
    headers = {"Accept": "application/json"}
    method = settings.client_authentication if grant.client_authenticates else None
    if grant.client_authenticates:
        client = {"client_id": settings.client_id, "client_secret": settings.client_secret}
        fields |= {"scope": settings.scope} if settings.scope else {}
        fields |= {name: value for name, value in client.items() if value and method != "basic"}
    if method == "basic":
        headers["Authorization"] = f"Basic {basic_credentials(settings)}"
    body = "json" if method == "json" else "data"
    # a no-op auth keeps requests from adding credentials for this host from ~/.netrc
    return {body: fields, "headers": headers, "auth": lambda request: request}


def basic_credentials(settings: OAuth2Settings) -> str:
    """Return the credentials of HTTP Basic, both form-encoded first (RFC 6749 section 2.3.1)."""
    parts = (quote_plus(str(part or "")) for part in (settings.client_id, settings.client_secret))
    return base64.b64encode(":".join(parts).encode()).decode()


def _error_code(answer: Mapping[str, Any], redact: Redact) -> str:
    code, description = answer.get("error"), answer.get("error_description")
    if not code:
        return ""
    return redact(f": {code} ({description})" if description else f": {code}")
