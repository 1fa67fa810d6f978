"""The check of a response: a status below 400, and a body that is a page of rows."""

from typing import Any

import requests

from analytics_assets.extract.compat import keep_body
from analytics_assets.extract.http.errors import (
    HINTS,
    BodyError,
    ResponseError,
    describe_request,
    excerpt,
)
from analytics_assets.extract.http.redaction import Redact
from analytics_assets.extract.rows.data_selector import (
    ABSENCE_HINT,
    AbsentRowsError,
    DataSelector,
)
from analytics_assets.extract.rows.response_body import decode, outline


def check_response(
    response: requests.Response,
    *_args: Any,
    redact: Redact = str,
    where: str = "",
    selector: DataSelector | None = None,
    exact: bool = False,
    **_kw: Any,
) -> None:
    """Refuse a response that is not a page of rows; a `requests` hook.

    Keeps the decoded body in the response: dlt drops what a hook returns, and calls `json` later.

    Args:
        response: the response.
        redact: removes secrets from a text.
        where: the resource that is read, such as "traffic_sources".
        selector: the place of the rows; None if any JSON is accepted.
        exact: True to keep the digits of all numbers, for decimal columns.

    Raises:
        ResponseError: the status is 400 or above.
        BodyError: the body is not JSON, reports an error, or has no list of rows in their place.
        AbsentRowsError: the body has nothing there, which may mean that there are no rows.
    """
    if response.is_redirect:
        return
    request = describe_request(response.request, redact)
    subject = f"{where}: {request}" if where else request
    if response.status_code >= requests.codes.bad_request:
        raise ResponseError(
            f"{subject}: the API answered {response.status_code} {response.reason or ''}".rstrip()
            + HINTS.get(response.status_code, "")
            + excerpt(response, redact),
            response=response,
        )
    body, problem = decode(response, exact)
    if not problem and selector:
        problem = selector.failure(body)
    if problem:
        raise BodyError(
            f"{subject}: the API answered {response.status_code} with {problem}"
            + HINTS.get(response.status_code, "")
            + excerpt(response, redact),
            response=response,
        )
    misplacement = selector.misplacement(body) if selector else None
    if selector and misplacement:
        text = (
            f"{subject}: the API answered {response.status_code} with {misplacement}: "
            f"{redact(outline(body))}. Set `data_selector` of the entry to where its rows are."
        )
        absence = selector.absence(body)
        if absence:
            raise AbsentRowsError(text + ABSENCE_HINT, body, absence, response)
        raise BodyError(text, response=response)
    keep_body(response, body)
