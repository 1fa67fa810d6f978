"""The check of a response: a status below 400, and a body that is a page of rows."""

from typing import Any

import requests

from analytics_assets.extract.http.errors import (
    HINTS,
    BodyError,
    ResponseError,
    describe_request,
    excerpt,
)
from analytics_assets.extract.http.redaction import Redact
from analytics_assets.extract.rows.response_body import RowsPath, decode, outline


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
    request = describe_request(response.request, redact)
    what = f"{where}: {request}" if where else request
    if response.status_code >= requests.codes.bad_request:
        raise ResponseError(
            f"{what}: the API answered {response.status_code} {response.reason or ''}".rstrip()
            + HINTS.get(response.status_code, "")
            + excerpt(response, redact),
            response=response,
        )
    body, complaint = decode(response)
    if not complaint and rows:
        complaint = rows.failure(body)
    if complaint:
        raise BodyError(
            f"{what}: the API answered {response.status_code} with {complaint}"
            + HINTS.get(response.status_code, "")
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
