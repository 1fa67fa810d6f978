"""Errors of requests, and the parts of their messages."""

import re
from http import HTTPStatus
from typing import Any

import requests
from dlt.sources.helpers.rest_client.auth import (
    APIKeyAuth,
    BearerTokenAuth,
    HttpBasicAuth,
    OAuth2ClientCredentials,
)
from dlt.sources.helpers.rest_client.redaction import sanitize_url
from requests.exceptions import ConnectionError as RequestsConnectionError
from requests.exceptions import ContentDecodingError, HTTPError

from analytics_assets.config.errors import AnalyticsAssetsError, find_cause
from analytics_assets.config.text.excerpts import printable
from analytics_assets.redaction.redactor import redact

# by status, appended to the message of an error
HINTS = {
    404: " (check `path` in the entry, and `base_url`)",
    429: " (its limit was still exceeded after the retries: run again later)",
}
OF_AUTH = {
    APIKeyAuth: "`api_key`, `name` and `location`",
    BearerTokenAuth: "`token`",
    HttpBasicAuth: "`username` and `password`",
}
QUOTA = re.compile(r"quota|rate.?limit", re.IGNORECASE)  # in the body of an answer
EXCERPT_LENGTH = 300  # characters of a body in an error message


class ApiError(AnalyticsAssetsError):
    """A request to the API failed for good."""


class ResponseError(ApiError, HTTPError):
    """The API answered with an error status."""


class NoAnswerError(ApiError, RequestsConnectionError):
    """No complete response arrived: no connection, a timeout, or a body cut short."""


class QuotaError(NoAnswerError):
    """The API accepts no request for longer than a load waits."""


class LinkError(ApiError):
    """The API links or redirects to a URL that may not or cannot be requested."""


class RedirectError(LinkError):
    """The API redirected the request too often, or without a URL."""


class BodyError(ApiError, ContentDecodingError):
    """The response arrived complete, but its body is not a page of rows."""


class CancelledReadError(ApiError):
    """A read ended early, as the load has failed elsewhere."""

    def __init__(self) -> None:
        super().__init__("The read was cancelled, as the load has ended.")


class ReadDeadlineError(ApiError):
    """A read took longer than its deadline; nothing of it is loaded."""

    def __init__(self) -> None:
        super().__init__(
            "The read took longer than the setting `reading.deadline` allows; nothing of it is "
            "loaded. Raise it, or read less at once (`incremental`)."
        )


class TokenError(ApiError):
    """The token endpoint gave no token; the message has its error code or the response."""


class TokenUnavailableError(TokenError):
    """The token endpoint does not answer, or answers that it is down or over its limit."""


def is_temporary(status: int) -> bool:
    """Return True for a status by which an API says that it is down, or that its limit is exceeded.

    Example:
        >>> [is_temporary(status) for status in (400, 404, 429, 503)]
        [False, False, True, True]
    """
    return status >= 500 or status == HTTPStatus.TOO_MANY_REQUESTS


def is_quota_used_up(error: BaseException) -> bool:
    """Return True if an error, or one of its causes, says that the API's quota is used up.

    Some APIs answer 403 then, with the reason in the body.
    """
    if find_cause(error, QuotaError):
        return True
    refusal = find_cause(error, ResponseError)
    status = getattr(getattr(refusal, "response", None), "status_code", None)
    if status == requests.codes.forbidden:
        return QUOTA.search(str(refusal)) is not None
    return bool(status == requests.codes.too_many_requests)


def hint_of(status: int, auth: Any, reason: str) -> str:
    """Return the remedy for an error status in parentheses; empty if there is none.

    Args:
        status: the status.
        auth: signed the request, as dlt and requests take it; None if nothing did.
        reason: the start of the body.
    """
    is_oauth2 = hasattr(auth, "renew") or isinstance(auth, OAuth2ClientCredentials)
    if status == requests.codes.forbidden:
        if QUOTA.search(reason):
            return " (its limit is exceeded: run again later)"
        scope = " and `scope`" if is_oauth2 else ""
        return f" (the client may not read this: check its permissions{scope})"
    if status != requests.codes.unauthorized:
        return HINTS.get(status, "")
    if is_oauth2:
        return (
            " (it refused a new token, too: check `client_id`, `client_secret` and `scope` of "
            "`auth`)"
        )
    for kind, names in OF_AUTH.items():
        if isinstance(auth, kind):
            return f" (check {names} of `auth`)"
    if auth is not None:
        return " (check `auth`)"
    places = "`headers`, `params` or `data`"
    return f" (the request had no `auth`: add one to `client`, or check the key in {places})"


def describe_request(request: requests.PreparedRequest) -> str:
    """Return method and URL of a request; secret query parameters are removed by their names."""
    return f"{request.method} {redact(sanitize_url(request.url or ''))}"


def excerpt(response: requests.Response) -> str:
    """Return the start of a body, without secrets, for the end of an error message."""
    # what is cut off here is behind what is shown, and no secret is cut within that
    text = printable(redact(response.text[: 20 * EXCERPT_LENGTH])).strip()
    if not text:
        return " and an empty body."
    shown = text if len(text) <= EXCERPT_LENGTH else text[:EXCERPT_LENGTH] + "…"
    return f": {shown}"
