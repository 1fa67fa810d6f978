"""The end of a read without a total: pages that stay silent of more, and errors behind the last."""

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
from analytics_assets.extract.paging.has_more import says_more, sign_of_more
from analytics_assets.extract.paging.total import as_count

# statuses of some APIs behind their last row; a 400 there may be a limit on offsets
NOTHING_THERE = (404, 416)


class PastEnd(requests.Response):
    """A page without rows, in place of an answer behind the last row which is no page.

    Args:
        answer: that answer; `status_code` is 200 here, for those who take it for a page.
        error: what the check of the answer raised.
        sending: the timeout and the like of the request.
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
        """Return True if the API answers the same again, and its first page is still there.

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

    def unconfirmed(self, received: int) -> ResponseError:
        """Return the error, with what to do if it means that there are no further rows.

        Args:
            received: how many rows have arrived.
        """
        self.status_code = self.answered
        return ResponseError(
            f"{self.error} It came behind {received} rows. If it means that there are no more, "
            f'write `"response_actions": [{{"status_code": {self.answered}, "action": "ignore"}}]` '
            "in `endpoint` of the entry.",
            response=self,
        )


def is_silent_of_more(
    paginator: BasePaginator | None, body: Any, rows: int, received: int, detected: bool
) -> bool:
    """Return True if nothing in a page without a total speaks against its being the last one.

    Args:
        paginator: dlt's; only pages by offset or number come without a link to the next one.
        body: the page.
        rows: how many rows it has.
        received: how many rows have arrived with it.
        detected: whether dlt has detected the paginator.
    """
    if not isinstance(paginator, OffsetPaginator | PageNumberPaginator):
        return False
    if says_more(paginator.has_more_path, body) or sign_of_more(body, rows, detected):
        return False
    if isinstance(paginator, PageNumberPaginator) and paginator.total_path:
        # a number of pages, each to be asked for; or one of rows
        found = jsonpath.find_values(paginator.total_path, body)
        return not found or as_count(found[0]) in (None, received)
    return True


def may_be_past_end(error: Exception) -> bool:
    """Return True if an answer may mean that there are no further rows."""
    if not isinstance(error, ResponseError):
        return True
    response = error.response
    return response is not None and response.status_code in NOTHING_THERE
