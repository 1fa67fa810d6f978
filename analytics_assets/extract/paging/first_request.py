"""The first request of a read, as dlt makes it of an entry."""

from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import requests
from dlt.sources.helpers.rest_client.paginators import BasePaginator


class _RequestMadeError(Exception):
    """Carries the request out of dlt's client, which would send it."""

    def __init__(self, request: requests.Request) -> None:
        super().__init__()
        self.request = request


class FirstRequest(BasePaginator):
    """The paginator that dlt gets of each entry: dlt makes requests, and sends none.

    dlt documents `init_request` as the place where a paginator completes the first request:
    https://dlthub.com/docs/general-usage/http/rest-client#implementing-a-custom-paginator
    """

    def init_request(self, request: requests.Request) -> NoReturn:
        """Take the request out of dlt's client."""
        raise _RequestMadeError(request)

    def update_state(self, response: requests.Response, data: list[Any] | None = None) -> None:
        """Never called, as no request is sent."""

    def update_request(self, request: requests.Request) -> None:
        """Never called, as no request is sent."""


def first_request(pages: Iterator[Any]) -> tuple[requests.Request, bool]:
    """Return the first request of a read.

    Args:
        pages: dlt's generator of pages, by the paginator `FirstRequest`.

    Returns:
        The request, and True if dlt takes the pages in threads, as of `parallelize`.
    """
    is_parallel = False
    try:
        page: Callable[[], Any] | Any = next(pages)
        is_parallel = callable(page)
        page()
    except _RequestMadeError as made:
        return made.request, is_parallel
    raise AssertionError("dlt's client calls `init_request` before it sends")
