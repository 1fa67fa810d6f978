"""What an API answers behind its last row, and whether that is the end."""

from typing import Any

import requests
from dlt.common import jsonpath
from dlt.sources.helpers.rest_client.paginators import (
    BasePaginator,
    OffsetPaginator,
    PageNumberPaginator,
)
from requests.exceptions import RequestException

from analytics_assets.extract.http.response import ResponseError
from analytics_assets.extract.paging.has_more import says_more, sign_of_more
from analytics_assets.extract.paging.total import as_count

# what some APIs answer behind their last row; a 400 there may be a limit on offsets
NOTHING_THERE = (404, 416)


def is_silent_of_more(
    paginator: BasePaginator | None, body: Any, rows: int, received: int, guessed: bool
) -> bool:
    """Tell whether nothing in a page without a total speaks against its being the last one.

    Args:
        paginator: how the pages are asked for; only by offset or number is an end not named.
        body: the page.
        rows: how many rows it has.
        received: how many rows have arrived with it.
        guessed: whether the way to the next page was guessed.
    """
    if not isinstance(paginator, OffsetPaginator | PageNumberPaginator):
        return False
    if says_more(paginator.has_more_path, body) or sign_of_more(body, rows, guessed):
        return False
    if isinstance(paginator, PageNumberPaginator) and paginator.total_path:
        # a number of pages, all of which are to be asked for; or one of rows
        found = jsonpath.find_values(paginator.total_path, body)
        return not found or as_count(found[0]) in (None, received)
    return True


def nothing_there(error: Exception) -> bool:
    """Tell whether an answer may mean that there are no further rows."""
    if not isinstance(error, ResponseError):
        return True
    response = error.response
    return response is not None and response.status_code in NOTHING_THERE


def is_confirmed(
    response: requests.Response, status: int, first: requests.PreparedRequest, **sending: Any
) -> bool:
    """Ask again whether there is nothing, and whether the endpoint is still there at all.

    Args:
        response: the answer which says that there is nothing.
        status: its status.
        first: the request for the first page of the same read.
        sending: the timeout and the like of the request.
    """
    adapter = response.connection
    asked = response.request
    try:
        again = adapter.send(asked.copy(), **sending)
        beginning = adapter.send(first.copy(), **sending)
    except RequestException:
        return False
    return again.status_code == status and beginning.status_code == requests.codes.ok


def as_empty_page(
    response: requests.Response, error: Exception, sending: dict[str, Any]
) -> requests.Response:
    """Make an answer which may say that there is nothing a page without rows, to be judged."""
    status, response.status_code = response.status_code, requests.codes.ok
    response.json = lambda **_: []  # type: ignore[method-assign]
    response.doubt = error, status, sending  # type: ignore[attr-defined]
    return response


def doubt_of(response: requests.Response) -> tuple[Exception | None, int, dict[str, Any]]:
    """Return of such a page the error, the status and how it was asked for; else no error."""
    doubt: tuple[Exception | None, int, dict[str, Any]]
    doubt = getattr(response, "doubt", (None, response.status_code, {}))
    return doubt


def not_sure(
    error: Exception, status: int, response: requests.Response, received: int
) -> ResponseError:
    """Return the error with what to do if it means that there are no further rows."""
    return ResponseError(
        f"{error} It came behind {received} rows. If it means that there are no more, write "
        f'`"response_actions": [{{"status_code": {status}, "action": "ignore"}}]` in `endpoint` '
        "of the entry.",
        response=response,
    )
