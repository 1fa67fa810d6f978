"""What an answer of an API must be, and the errors for what it must not."""

from typing import Any

import requests
from dlt.sources.helpers.rest_client.redaction import sanitize_url
from requests.exceptions import ConnectionError as RequestsConnectionError
from requests.exceptions import ContentDecodingError, HTTPError, RequestException

from analytics_assets.errors import AnalyticsAssetsError
from analytics_assets.extract.redaction import Redact

MENDS = {
    401: " (it refused a new token: check `client_id`, `client_secret` and `scope`)",
    403: " (the client may not read this: check its permissions and `scope`)",
    404: " (check `path` in the entry, and `base_url`)",
    429: " (its limit was still exceeded after the retries: run again later)",
}
EXCERPT_LENGTH = 300  # characters of an answer that an error shows


class ApiError(AnalyticsAssetsError):
    """A request to the API failed for good."""


class ResponseError(ApiError, HTTPError):
    """The API answered with an error status."""


class NoAnswerError(ApiError, RequestsConnectionError):
    """There was no whole answer: no connection, a timeout, or a body cut short."""


class BodyError(ApiError, ContentDecodingError):
    """The answer came whole, but its body is not JSON."""


def check_response(
    response: requests.Response, *_args: Any, redact: Redact = str, where: str = "", **_kw: Any
) -> None:
    """Refuse an answer with an error status or a body that is not JSON; a `requests` hook.

    Args:
        response: the answer.
        redact: takes secrets out of a text.
        where: what was being read, such as "traffic_sources".

    Raises:
        ResponseError: the status is 400 or above.
        BodyError: the body is not JSON.
    """
    if response.is_redirect:
        return
    request = described(response.request, redact)
    what = f"{where}: {request}" if where else request
    if response.status_code >= requests.codes.bad_request:
        raise ResponseError(
            f"{what}: the API answered {response.status_code} {response.reason or ''}".rstrip()
            + MENDS.get(response.status_code, "")
            + excerpt(response, redact),
            response=response,
        )
    try:
        response.json()
    except RequestException:
        raise BodyError(
            f"{what}: the API answered {response.status_code} with a body that is not JSON"
            + excerpt(response, redact),
            response=response,
        ) from None


def described(request: requests.PreparedRequest, redact: Redact) -> str:
    """Return method and URL of a request, secret query parameters blotted out."""
    return f"{request.method} {redact(sanitize_url(request.url or ''))}"


def excerpt(response: requests.Response, redact: Redact) -> str:
    """Return the first part of a body for an error message, without secrets."""
    text = redact(response.text).strip()
    if not text:
        return " and an empty body."
    shown = text if len(text) <= EXCERPT_LENGTH else text[:EXCERPT_LENGTH] + "…"
    return f": {shown}"
