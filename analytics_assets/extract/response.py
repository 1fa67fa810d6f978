"""What an answer of an API must be, and the errors for what it must not."""

from typing import Any

import requests
from dlt.sources.helpers.rest_client.redaction import sanitize_url
from requests.exceptions import ConnectionError as RequestsConnectionError
from requests.exceptions import ContentDecodingError, HTTPError

from analytics_assets.errors import AnalyticsAssetsError
from analytics_assets.extract.body import RowsPath, decode, outline
from analytics_assets.extract.redaction import Redact

MENDS = {
    401: " (it refused a new token: check `client_id`, `client_secret` and `scope`)",
    403: " (the client may not read this: check its permissions and `scope`)",
    404: " (check `path` in the entry, and `base_url`)",
    204: " (if it means that there are no rows: `response_actions` of the entry can ignore it)",
    429: " (its limit was still exceeded after the retries: run again later)",
}
EXCERPT_LENGTH = 300  # characters of an answer that an error shows


class ApiError(AnalyticsAssetsError):
    """A request to the API failed for good."""


class ResponseError(ApiError, HTTPError):
    """The API answered with an error status."""


class NoAnswerError(ApiError, RequestsConnectionError):
    """There was no whole answer: no connection, a timeout, or a body cut short."""


class RedirectError(ApiError):
    """The API sent the request from one place to the next without end."""


class BodyError(ApiError, ContentDecodingError):
    """The answer came whole, but its body is not a page of rows."""


def check_response(
    response: requests.Response,
    *_args: Any,
    redact: Redact = str,
    where: str = "",
    rows: RowsPath | None = None,
    **_kw: Any,
) -> None:
    """Refuse an answer that is not a page of rows; a `requests` hook.

    Leaves the decoded body with the response, whose `json` gives it from then on.

    Args:
        response: the answer.
        redact: takes secrets out of a text.
        where: what was being read, such as "traffic_sources".
        rows: where the rows are; None if any JSON will do.

    Raises:
        ResponseError: the status is 400 or above.
        BodyError: the body is not JSON, reports an error, or has no list of rows where they are.
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
    body, complaint = decode(response)
    if not complaint and rows:
        complaint = rows.failure(body)
    if complaint:
        raise BodyError(
            f"{what}: the API answered {response.status_code} with {complaint}"
            + MENDS.get(response.status_code, "")
            + excerpt(response, redact),
            response=response,
        )
    misplacement = rows.misplacement(body) if rows else None
    if misplacement:
        raise BodyError(
            f"{what}: the API answered {response.status_code} with {misplacement}: "
            f"{redact(outline(body))}. Set `data_selector` of the entry to where its rows are.",
            response=response,
        )
    response.json = lambda **_: body  # type: ignore[method-assign]


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
