"""The end of a read without a total: a page that reports no further rows, or an error after it."""

from typing import Any

import requests
from dlt.common import jsonpath
from dlt.sources.helpers.rest_client.paginators import (
    BasePaginator,
    OffsetPaginator,
    PageNumberPaginator,
)
from requests.exceptions import RequestException

from analytics_assets.extract.http.errors import ResponseError
from analytics_assets.extract.paging.has_more import evidence_of_more, reported_has_more
from analytics_assets.extract.paging.total import as_count

# statuses of some APIs after their last row; a 400 there may be a limit on offsets
NOTHING_THERE = (404, 416)


class PastEnd(requests.Response):
    """A page without rows, in place of a response after the last row that is no page.

    Args:
        answer: that response; `status_code` is 200 here, so that dlt accepts it as a page.
        error: the error that the check of the response raised.
        sending: the arguments of the request, such as its timeout.
    """

    def __init__(
        self, answer: requests.Response, error: Exception, sending: dict[str, Any]
    ) -> None:
        super().__init__()
        state: Any = answer.__getstate__()
        self.__dict__.update(state, connection=answer.connection, raw=answer.raw)
        self.error = error
        self.answered = answer.status_code
        self.status_code = requests.codes.ok
        self._sending = sending

    def json(self, **_: Any) -> list[Any]:
        """Return no rows."""
        return []

    def is_confirmed(self, first: requests.PreparedRequest) -> bool:
        """Return True if the API answers the same again, and still has its first page.

        Args:
            first: the request for the first page of the same read.
        """
        send = self.connection.send
        try:
            again = send(self.request.copy(), **self._sending)
            beginning = send(first.copy(), **self._sending)
        except RequestException:
            return False
        return again.status_code == self.answered and beginning.status_code == requests.codes.ok

    def unconfirmed_error(self, received: int) -> ResponseError:
        """Return the error, with the remedy if it means that there are no further rows.

        Args:
            received: the number of rows that arrived.
        """
        self.status_code = self.answered
        return ResponseError(
            f"{self.error} It came after {received} rows. If it means that there are no more, "
            f'write `"response_actions": [{{"status_code": {self.answered}, "action": "ignore"}}]` '
            "in `endpoint` of the entry.",
            response=self,
        )


def may_be_last_page(
    paginator: BasePaginator | None, body: Any, rows: int, received: int, detected: bool
) -> bool:
    """Return True if a page without a total may be the last one.

    Args:
        paginator: dlt's; only pages by offset or number have no link to the next one.
        body: the page.
        rows: the number of its rows.
        received: the number of rows that arrived, those of the page included.
        detected: True if dlt has detected the paginator.
    """
    if not isinstance(paginator, OffsetPaginator | PageNumberPaginator):
        return False
    if reported_has_more(paginator.has_more_path, body) or evidence_of_more(body, rows, detected):
        return False
    if isinstance(paginator, PageNumberPaginator) and paginator.total_path:
        # a number of pages, which are all requested, or a number of rows
        found = jsonpath.find_values(paginator.total_path, body)
        return not found or as_count(found[0]) in (None, received)
    return True


def may_be_past_end(error: Exception) -> bool:
    """Return True if the error of a response may mean that there are no further rows."""
    if not isinstance(error, ResponseError):
        return True
    response = error.response
    return response is not None and response.status_code in NOTHING_THERE
