"""Responses that are no page of rows, and may be the end of a read."""

from collections.abc import Sequence
from typing import Any

import requests
from requests.exceptions import RequestException

from analytics_assets.extract.compat import IgnoredResponse
from analytics_assets.extract.http.errors import ResponseError
from analytics_assets.extract.paging.evidence.end_of_read import REFUSED
from analytics_assets.extract.rows.data_selector import AbsentRowsError

# statuses of some APIs after their last row
NOTHING_THERE = (404, 416)


class _WithoutRows(requests.Response):
    """A page without rows, in place of a response.

    Args:
        answer: that response.
        error: the error that the check of the response raised.
    """

    def __init__(self, answer: requests.Response, error: Exception) -> None:
        super().__init__()
        state: Any = answer.__getstate__()
        self.__dict__.update(state, connection=answer.connection, raw=answer.raw)
        self.error = error

    def json(self, **_: Any) -> list[Any]:
        """Return no rows."""
        return []


class EmptyAnswer(_WithoutRows):
    """A page without rows, in place of a body without anything in their place.

    Args:
        answer: the response.
        error: the error that the check of the response raised, with the body.
    """

    error: AbsentRowsError


class PastEnd(_WithoutRows):
    """A page without rows, in place of a response after the last row that is no page.

    Args:
        answer: that response; `status_code` is 200 here, so that dlt accepts it as a page.
        error: the error that the check of the response raised.
        sending: the arguments of the request, such as its timeout.
    """

    def __init__(
        self, answer: requests.Response, error: Exception, sending: dict[str, Any]
    ) -> None:
        super().__init__(answer, error)
        self.answered = answer.status_code
        self.status_code = requests.codes.ok
        self._sending = sending

    def is_confirmed(self, first: requests.PreparedRequest) -> bool:
        """Return True if the API answers the same again, and still has its first page.

        Args:
            first: the request for the first page of the same read.
        """
        if self.answered in REFUSED:
            return False
        send = self.connection.send
        try:
            again = send(self.request.copy(), **self._sending)
            beginning = send(first.copy(), **self._sending)
        except RequestException:
            return False
        has_first_page = beginning.status_code in (requests.codes.ok, requests.codes.partial)
        return again.status_code == self.answered and has_first_page

    def unconfirmed_error(self, received: int) -> Exception:
        """Return the error, with the remedy if it means that there are no further rows.

        Args:
            received: the number of rows that arrived.
        """
        if self.answered in REFUSED:
            return self.error
        self.status_code = self.answered
        return ResponseError(
            f"{self.error} It came after {received} rows. If it means that there are no more, "
            f'write `"response_actions": [{{"status_code": {self.answered}, "action": "ignore"}}]` '
            "in `endpoint` of the entry.",
            response=self,
        )


def checked(
    hooks: Sequence[Any], response: requests.Response, has_rows: bool, sending: dict[str, Any]
) -> requests.Response:
    """Run the hooks of a request.

    Args:
        hooks: those of the entry.
        response: the response.
        has_rows: True if rows arrived before it.
        sending: the arguments of the request, such as its timeout.

    Returns:
        The response, or a page without rows where it may mean that there are none.

    Raises:
        ResponseError: the status is 400 or above, and does not mean the end.
        BodyError: the body is no page of rows.
    """
    try:
        for hook in hooks:
            response = hook(response, **sending) or response
    except AbsentRowsError as error:
        return EmptyAnswer(response, error)
    except (IgnoredResponse, ResponseError) as error:
        if not has_rows or not may_be_past_end(error):
            raise
        return PastEnd(response, error, sending)
    return response


def may_be_past_end(error: Exception) -> bool:
    """Return True if the error of a response may mean that there are no further rows."""
    if not isinstance(error, ResponseError):
        return True
    response = error.response
    return response is not None and response.status_code in (*NOTHING_THERE, *REFUSED)
