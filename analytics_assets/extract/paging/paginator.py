"""Paging that proves it is complete.

Stock dlt 1.31 ends a read at a short, empty or broken page, moves the offset on by `limit` however
many rows arrived, and refuses an API that gives no total. Here the offset moves on by the rows
that arrived, the end is the API's total or an empty page, and a pass that does not add up is read
again from the start.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from enum import Enum, auto
from functools import partial
from typing import Any

import requests
from dlt.common.jsonpath import TJsonPath
from dlt.sources.helpers.rest_client.detector import PaginatorFactory, find_response_page_data
from dlt.sources.helpers.rest_client.exceptions import IgnoreResponseException
from dlt.sources.helpers.rest_client.paginators import (
    BasePaginator,
    OffsetPaginator,
    PageNumberPaginator,
    RangePaginator,
)

from analytics_assets.extract.http.prefetch import PagesAhead
from analytics_assets.extract.http.response import BodyError, ResponseError
from analytics_assets.extract.paging.completeness import IncompleteReadError, Proof
from analytics_assets.extract.paging.has_more import says_more, says_no_more, sign_of_more
from analytics_assets.extract.paging.last_page import (
    as_empty_page,
    doubt_of,
    is_confirmed,
    is_silent_of_more,
    not_sure,
    nothing_there,
)
from analytics_assets.extract.paging.page_range import (
    Span,
    end_of_pages,
    forget_missing_paths,
    is_at_maximum,
    is_single_page,
)
from analytics_assets.extract.paging.total import TOTALS, find_total

FAR = 10  # pages behind the end, where an API that gives its last page again gives it, too
ROUND = 5  # an API's own limit on the rows of a page is a multiple of this


class Progress(Enum):
    """How far a read is after a page."""

    GOING_ON = auto()
    READ_AGAIN = auto()  # the pages of this pass are void
    COMPLETE = auto()


class CompletePages(BasePaginator):
    """One of dlt's paginators, and the proof that it leaves no row out.

    Args:
        paginator: dlt's paginator; None finds out from the first page, as dlt's `auto` does.
        proof: what has arrived so far.
        total_path: where a page holds the number of all rows; None looks in the usual places.
        selector: the path to a page's rows.
        counted: whether to hold the rows that arrived against the API's total.
        read_ahead: makes what asks for a read's pages ahead of time.

    `progress` says how far the read is after a page.
    """

    def __init__(
        self,
        paginator: BasePaginator | None,
        proof: Proof,
        total_path: TJsonPath | None = None,
        selector: str = "",
        counted: bool = True,
        read_ahead: Callable[[], PagesAhead] | None = None,
    ) -> None:
        super().__init__()
        self._longest, self._looking_far = 0, False
        self.proof = proof
        self.progress = Progress.GOING_ON
        self._pristine = paginator
        self._place: Sequence[str] | None = None
        self._paginator = copy.deepcopy(paginator)
        self._total_path = total_path
        self._selector = selector
        self._counted = counted
        self._read_ahead = read_ahead
        self._ahead: PagesAhead | None = None
        self._asks_ahead = False

    def init_request(self, request: requests.Request) -> None:
        """Ask for the first page of the first pass."""
        self.proof = self.proof.anew()
        self._ahead = self._read_ahead() if self._read_ahead else None
        self._first = copy.copy(request)
        self._first.params, self._first.json = copy.deepcopy((request.params, request.json))
        request.hooks["response"] = [partial(self._check, request.hooks["response"])]
        self._begin(request)

    def _check(
        self, hooks: Sequence[Any], response: requests.Response, **sending: Any
    ) -> requests.Response:
        """Go through the hooks of a request, and take an error behind the last row for the end."""
        try:
            for hook in hooks:
                response = hook(response, **sending) or response
        except (IgnoreResponseException, ResponseError) as error:
            if not self.proof.received or not nothing_there(error):
                raise
            # judged once it is this page's turn: it may have been asked for ahead of time
            return as_empty_page(response, error, sending)
        return response

    def _judge(self, response: requests.Response) -> bool:
        """Tell whether a page stands for an answer behind the last row, and is the end.

        Raises:
            ResponseError: the answer was an error that does not mean the end.
        """
        error, status, sending = doubt_of(response)
        if isinstance(error, IgnoreResponseException):
            self.proof.passes = self.proof.number
        elif error is not None and not self.all_said_to_be_there:
            sure = self._may_end and is_confirmed(response, status, self._first_sent, **sending)
            if not sure:
                response.status_code = status  # for those who look at the error
            if not self._may_end:
                raise error
            if not sure:
                raise not_sure(error, status, response, self.proof.received)
        return error is not None

    def update_state(self, response: requests.Response, data: list[Any] | None = None) -> None:
        """Count a page in, and find out whether there is another.

        Raises:
            IncompleteReadError: the pages do not add up, and were read often enough.
        """
        rows = data if data is not None else []
        self.bytes_of_page = len(response.content)
        ended = self._judge(response)
        self._check_place(response)
        if not self.proof.received:
            self._first_sent = response.request
        total = self._find_total(response)
        self.progress = Progress.GOING_ON
        if self._looking_far or self._gives_last_page_again(response, rows, total):
            self._look_far(rows)
            return
        self._short = 0 < len(rows) < self._longest
        self._longest = max(self._longest, len(rows))
        if self.all_said_to_be_there and self.proof.received and self.proof.knows(rows):
            rows.clear()  # what is left in it is handed on
            self._has_next_page = False
        else:
            self.proof.add(rows, total)
            self._may_end = self._is_silent_of_more(response, rows, total)
            self._said_at_end = not rows or says_no_more(response.json())
            goes_on = not ended and self._move_on(response, rows)
            self._has_next_page = goes_on and not self.proof.void
        if not self._has_next_page:
            self._look_for_more(response, rows)
            self.finish()

    def finish(self) -> None:
        """End the pass: the read is complete, or goes on with another pass.

        Raises:
            IncompleteReadError: neither.
        """
        complete = self.proof.finish(counted=self._counted and not self.limited)
        self.progress = Progress.COMPLETE if complete else Progress.READ_AGAIN
        self._has_next_page = not complete

    def update_request(self, request: requests.Request) -> None:
        """Ask for the next page, or for the first one of the next pass.

        Raises:
            IncompleteReadError: the next request would be the one just answered.
        """
        if self.progress is Progress.GOING_ON and self._has_next_page and self._paginator:
            before = _asked(request)
            self._paginator.update_request(request)
            if _asked(request) == before:
                self._stay()
            elif not self._looking_far:
                self._ask_ahead(request)
        if self.progress is Progress.READ_AGAIN:
            self.proof.begin()
            self._begin(request)

    def _stay(self) -> None:
        """End the pass at a page that names itself as the next one, if it is the last."""
        if not self._said_at_end:
            raise IncompleteReadError(
                f"{self.proof.resource}: after {self.proof.received} rows the API names the "
                "page it has just given as the next one, so that there would be no end."
            )
        self.finish()

    def _ask_ahead(self, request: requests.Request) -> None:
        """Send for the pages that follow, where their places are known."""
        paginator, total = self._paginator, self.proof.total
        if self._ahead is None or not isinstance(paginator, RangePaginator):
            return
        if not self._asks_ahead:
            return
        by_rows = isinstance(paginator, OffsetPaginator)
        step = self._largest if by_rows else paginator.value_step
        end = end_of_pages(paginator, total, self._longest)
        self._ahead.page_came(request, paginator, step, end, self.bytes_of_page)

    def ask_ahead(self, asks_ahead: bool) -> None:
        """Say whether to ask for pages ahead of time, or whether somebody else does."""
        self._asks_ahead = asks_ahead
        if self._ahead and not asks_ahead:
            self._ahead.forget()

    def span_ahead(self) -> Span | None:
        """Return where the pages are that can be read like the one before; None if unknown."""
        paginator = self._paginator
        if not isinstance(paginator, OffsetPaginator) or not paginator.param_name:
            return None
        if self._short or self._looking_far or self.proof.trouble or not self._largest:
            return None
        end = end_of_pages(paginator, self.proof.total, self._largest)
        before_last = None if end is None else end - self._largest
        return Span(paginator.current_value, self._largest, before_last, paginator.param_name)

    def goes_on_as_before(self, response: requests.Response) -> bool:
        """Tell whether a page says nothing of the total and of the end that was not known."""
        paginator, body = self._paginator, response.json()
        if (
            isinstance(paginator, OffsetPaginator)
            and says_more(paginator.has_more_path, body) is False
        ):
            return False
        return self._find_total(response) == self.proof.total and not says_no_more(body)

    def move_to(self, place: int, request: requests.Request) -> None:
        """Go on at another page, as those before it have been counted in."""
        assert isinstance(self._paginator, OffsetPaginator), "else there is no span"
        self._paginator.current_value = place
        self._paginator.update_request(request)

    def close(self) -> None:
        """End the read: what was asked for ahead of time is not waited for."""
        if self._ahead:
            self._ahead.close()

    @property
    def all_said_to_be_there(self) -> bool:
        """Whether as many rows have arrived as the API's total says."""
        return self._counted and self.proof.received == self.proof.total

    def _begin(self, request: requests.Request) -> None:
        request.url = self._first.url
        request.params, request.json = copy.deepcopy((self._first.params, self._first.json))
        self._has_next_page, self._largest, self._longest = True, 0, 0
        self._looking_far = self._short = self._may_end = self._said_at_end = False
        if self._ahead:
            self._ahead.forget()
        self._paginator = copy.deepcopy(self._pristine)
        if self._paginator:
            self._paginator.init_request(request)

    def _check_place(self, response: requests.Response) -> None:
        """Refuse a page whose rows are not where dlt found those of the first page."""
        body = response.json()
        if self._selector or not isinstance(body, Mapping):
            return
        if self._place is None:
            self._place = find_response_page_data(body)[0]
        elif not _is_list(body, self._place):
            raise BodyError(
                f"{self.proof.resource}: the page at offset {self.proof.received} has no list at "
                f"`{'.'.join(self._place)}`, where the first page had its rows. Name the place as "
                "`data_selector`."
            )

    def _is_silent_of_more(
        self, response: requests.Response, rows: Sequence[Any], total: int | None
    ) -> bool:
        """Tell whether nothing in a page speaks against its being the last one."""
        paginator, guessed = self._paginator or self._pristine, self._pristine is None
        if (total, self.proof.total) != (None, None):
            return False
        return is_silent_of_more(
            paginator, response.json(), len(rows), self.proof.received, guessed
        )

    def _gives_last_page_again(
        self, response: requests.Response, rows: Sequence[Any], total: int | None
    ) -> bool:
        # a full page that comes again may be a limit on offsets, with rows left behind it
        again = self._short and self.proof.repeats(rows)
        return again and self._is_silent_of_more(response, rows, total)

    def _look_far(self, rows: list[Any]) -> None:
        """Ask far behind the end, where the last page must come again, too.

        Raises:
            IncompleteReadError: another one comes.
        """
        paginator: Any = self._paginator
        if not self._looking_far:
            self._looking_far = self._has_next_page = True
            by_row = isinstance(paginator, OffsetPaginator)
            paginator.current_value += FAR * (self._longest if by_row else 1)
        elif rows and not self.proof.repeats(rows):
            self.proof.refuse_repetition()
        else:
            self.finish()
        rows.clear()  # what is left in it is handed on

    def _look_for_more(self, response: requests.Response, rows: Sequence[Any]) -> None:
        """Doubt an end at which the API itself says that there is more."""
        if self.limited or self.all_said_to_be_there or is_single_page(self._pristine):
            return
        sign = sign_of_more(response.json(), len(rows), self._pristine is None)
        if sign and not self.proof.trouble:
            self.proof.trouble = (
                f"the last page says that there is more ({sign}), and `paginator` finds no way to "
                "it"
            )

    def _find_total(self, response: requests.Response) -> int | None:
        if not self._counted:
            return None
        names = TOTALS
        if isinstance(self._pristine, PageNumberPaginator) and self._pristine.total_path:
            # there dlt finds the number of pages: `total`, if nothing else is said
            names = TOTALS - {str(self._pristine.total_path).rpartition(".")[2]}
        return find_total(response, self._total_path, self._selector, names)

    def _move_on(self, response: requests.Response, rows: Sequence[Any]) -> bool:
        if self._paginator is None:
            self._paginator, _ = PaginatorFactory().create_paginator(response)
        if isinstance(self._paginator, OffsetPaginator):
            return self._move_offset(self._paginator, response, rows)
        if isinstance(self._paginator, PageNumberPaginator):
            forget_missing_paths(self._paginator, response)
        self._paginator.update_state(response, list(rows))
        return self._paginator.has_next_page

    def _move_offset(
        self, paginator: OffsetPaginator, response: requests.Response, rows: Sequence[Any]
    ) -> bool:
        paginator.current_value += len(rows)
        largest_before, self._largest = self._largest, max(self._largest, len(rows))
        has_more = says_more(paginator.has_more_path, response.json())
        if not rows and has_more:
            self.proof.trouble = "it says that there is more after its last row, and gives nothing"
        if not rows or has_more is False or self.limited:
            return False
        if not self.all_said_to_be_there:
            return self.proof.total is None or self.proof.received < self.proof.total
        if has_more:
            return True
        # a total that is reached with a full page may be too low; only another request tells
        if largest_before:
            return len(rows) >= largest_before
        # one that nobody has named may count the page, and the API's own limit may be any
        named = self._total_path is not None
        return not named or len(rows) >= paginator.limit or len(rows) % ROUND == 0

    @property
    def limited(self) -> bool:
        """Whether the configuration ends the read here, whatever else the API has."""
        return is_at_maximum(self._paginator)

    def __str__(self) -> str:
        """Name the paginator within, for dlt's log."""
        return f"{type(self).__name__} of {self._paginator}"


def _is_list(body: Any, place: Sequence[str]) -> bool:
    for name in place:
        body = body.get(name) if isinstance(body, Mapping) else None
    return isinstance(body, list) or not place  # a single object has no list anywhere


def _asked(request: requests.Request) -> tuple[Any, ...]:
    parts = (request.url, request.params, request.json, request.data, request.headers)
    return copy.deepcopy(parts)
