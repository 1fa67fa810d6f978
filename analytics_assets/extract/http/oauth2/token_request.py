"""The request for a token (RFC 6749 sections 2.3.1, 5.1 and 5.2)."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus

import requests

from analytics_assets.config.settings.oauth2 import OAuth2Settings
from analytics_assets.config.settings.request import RequestSettings
from analytics_assets.extract.http.errors import (
    NoAnswerError,
    TokenError,
    TokenUnavailableError,
    is_temporary,
)
from analytics_assets.extract.http.oauth2.grants import Grant
from analytics_assets.extract.http.oauth2.token_answer import (
    TokenAnswer,
    description_of,
    object_of,
)
from analytics_assets.extract.http.single_request import fetch_alone
from analytics_assets.extract.http.transport.body import BodyLimit
from analytics_assets.redaction.url import split_credentials, without_credentials

# by error code of the token endpoint
HINTS = {
    "invalid_client": "Check `client_id` and `client_secret`.",
    "unauthorized_client": "The client may not use this grant.",
    "invalid_grant": "Check `refresh_token`, `private_key` or the password; it may have expired.",
    "invalid_scope": "Check `scope`.",
}
TOKEN_LIMIT = BodyLimit(1024 * 1024, "the limit of a token answer")
WRONG_URL = (requests.codes.not_found, requests.codes.method_not_allowed)
# of endpoints that look for the client or the grant in another place, or want another grant
REFUSALS = (400, 401, 403, 415, 422)
CERTAIN = ("invalid_grant", "invalid_scope")  # codes of endpoints that understood the request
GRANTS = {
    "client_credentials": "as neither `refresh_token` nor `private_key` is set; set the one that "
    "the endpoint asks for",
    "refresh_token": "as `refresh_token` is set; without it, it is `client_credentials`",
    "password": "as `user_name` is set; without it, it is `client_credentials`",
}
OTHER_GRANT = "as `private_key` is set; without it, it is `client_credentials`"


def request_token(
    settings: OAuth2Settings,
    request_settings: RequestSettings,
    grant: Grant,
    parameters: Mapping[str, str],
) -> TokenAnswer:
    """Send a token request.

    Args:
        settings: the token endpoint, the client and the scope.
        request_settings: timeouts and retries.
        grant: the grant.
        parameters: the grant's parameters.

    Returns:
        The answer.

    Raises:
        TokenError: the endpoint refused, sent something else, or could not be reached.
    """
    arguments = _arguments(settings, grant, parameters)
    request = requests.Request("POST", without_credentials(str(settings.token_url)), **arguments)
    try:
        # a redirect, which would carry the client's secret to wherever it points, is not followed
        page = fetch_alone(request, request_settings, "token_url", TOKEN_LIMIT)
    except NoAnswerError as error:
        text = f"The token endpoint could not be reached: {error}"
        raise TokenUnavailableError(text) from None
    status = page.status
    url = without_credentials(str(settings.token_url))
    where = f"The token endpoint {url} answered {status}"
    fields = object_of(page)
    if fields is not None and status < requests.codes.multiple_choices:
        return TokenAnswer(fields, where, settings.token_field)
    answer = TokenAnswer(fields or {}, where)
    hints = [HINTS.get(answer.error, "Check `token_url`." if status in WRONG_URL else "")]
    if status in REFUSALS and answer.error not in CERTAIN:
        hints += _other_ways(settings, grant)
    kind = TokenUnavailableError if is_temporary(status) else TokenError
    if answer.error:
        raise kind(" ".join([f"{where}{answer.reason}.", *filter(None, hints)]))
    place = "" if status >= requests.codes.server_error else " (check `token_url`)"
    said = f"{where} with an answer that is no token{place}: {description_of(page)}."
    raise kind(" ".join([said, *filter(None, hints[1:])]))


def _other_ways(settings: OAuth2Settings, grant: Grant) -> list[str]:
    """Return sentences about the grant and the place of the client's credentials."""
    sentences = [f"The grant was `{grant.type}`, {GRANTS.get(grant.type, OTHER_GRANT)}."]
    if grant.client_authenticates:
        own = settings.client_authentication
        others = [f"`{each}`" for each in ("form", "basic", "json") if each != own]
        sentences.append(
            f"`client_authentication` is `{own}`: set it to {' or '.join(others)} if the endpoint "
            "takes the client's credentials there."
        )
    return sentences


def _arguments(
    settings: OAuth2Settings, grant: Grant, parameters: Mapping[str, str]
) -> dict[str, Any]:
    """Return the arguments of `requests.post`: the form or JSON body, and the headers."""
    own = {**grant.shown_parameters, **parameters}
    fields = {"grant_type": grant.type, **own, **(settings.token_params or {})}
    headers = {"Accept": "application/json"}
    method = settings.client_authentication if grant.client_authenticates else None
    if grant.client_authenticates:
        client = {"client_id": settings.client_id, "client_secret": settings.client_secret}
        fields |= {"scope": settings.scope} if settings.scope else {}
        fields |= {name: value for name, value in client.items() if value and method != "basic"}
    headers |= split_credentials(str(settings.token_url))[1]
    if method == "basic":
        headers["Authorization"] = f"Basic {basic_credentials(settings)}"
    body = "json" if method == "json" else "data"
    # a no-op auth keeps requests from adding credentials for this host from ~/.netrc
    return {body: fields, "headers": headers, "auth": lambda request: request}


def basic_credentials(settings: OAuth2Settings) -> str:
    """Return the credentials of HTTP Basic, both form-encoded first (RFC 6749 section 2.3.1)."""
    parts = (quote_plus(str(part or "")) for part in (settings.client_id, settings.client_secret))
    return b64encode(":".join(parts).encode()).decode()
