"""Pagination that proves that it is complete.

Stock dlt 1.31 ends a read at a short, empty or broken page, increases the offset by `limit`, and
refuses an API without a total. Here the offset increases by the rows that arrived, the end is the
API's total or an empty page, and an inconsistent pass is read again from the start.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from enum import Enum, auto
from functools import partial
from typing import Any

import requests
from dlt.common.jsonpath import TJsonPath
from dlt.sources.helpers.rest_client.paginators import (
    BasePaginator,
    OffsetPaginator,
    PageNumberPaginator,
    RangePaginator,
)

from analytics_assets.extract.compat import IgnoredResponse, drop_rows
from analytics_assets.extract.http.errors import ResponseError
from analytics_assets.extract.http.prefetch.threads import ThreadPrefetcher
from analytics_assets.extract.paging.completeness import IncompleteReadError, Proof
from analytics_assets.extract.paging.has_more import (
    evidence_of_more,
    reported_has_more,
    reports_last_page,
)
from analytics_assets.extract.paging.last_page import PastEnd, may_be_last_page, may_be_past_end
from analytics_assets.extract.paging.page_range import PageRange, end_of_pages, is_single_page
from analytics_assets.extract.paging.position import Position
from analytics_assets.extract.paging.total import TotalFinder
from analytics_assets.extract.rows.data_selector import DetectedSelector


class Progress(Enum):
    """The state of a read after a page."""

    READING = auto()
    RESTARTING = auto()  # the pages of this pass are void
    COMPLETE = auto()


class VerifyingPaginator(BasePaginator):
    """One of dlt's paginators, with a proof that no row is left out.

    Args:
        paginator: dlt's paginator; None detects it from the first page, as dlt's `auto` does.
        proof: counts the rows that arrive.
        total_path: the path of the number of all rows in a page; None to find it by its name.
        selector: the path of a page's rows.
        counted: True to compare the number of rows with the API's total.
        prefetch: returns the prefetcher of a read; None to request one page at a time.
    """

    def __init__(
        self,
        paginator: BasePaginator | None,
        proof: Proof,
        total_path: TJsonPath | None = None,
        selector: str = "",
        counted: bool = True,
        prefetch: Callable[[], ThreadPrefetcher] | None = None,
    ) -> None:
        super().__init__()
        self.proof = proof
        self.progress = Progress.READING
        self._configured = paginator
        self._total_path = total_path
        self._counted = counted
        # the path of the number of pages: `total`, unless the configuration names another
        pages = paginator.total_path if isinstance(paginator, PageNumberPaginator) else None
        self._totals = TotalFinder(total_path, selector, pages)
        self._make_prefetch = prefetch
        self._prefetch: ThreadPrefetcher | None = None
        self._prefetches = False
        self._detected = None if selector else DetectedSelector(proof.resource)
        self._begin()

    def init_request(self, request: requests.Request) -> None:
        """Request the first page of the first pass."""
        self.proof = self.proof.for_next_read()
        self._prefetch = self._make_prefetch() if self._make_prefetch else None
        self._first = copy.copy(request)
        self._first.params, self._first.json = copy.deepcopy((request.params, request.json))
        request.hooks["response"] = [partial(self._check, request.hooks["response"])]
        self._request_first(request)

    def _check(
        self, hooks: Sequence[Any], response: requests.Response, **sending: Any
    ) -> requests.Response:
        """Run the hooks of a request; an error after the last row may be the end of the read."""
        try:
            for hook in hooks:
                response = hook(response, **sending) or response
        except (IgnoredResponse, ResponseError) as error:
            if not self.proof.received or not may_be_past_end(error):
                raise
            # decided in `update_state`, as the page may have been prefetched
            return PastEnd(response, error, sending)
        return response

    def _is_end(self, answer: PastEnd) -> bool:
        """Return True if a response that is no page is the end of the read.

        Raises:
            ResponseError: the response is an error that does not mean the end.
        """
        if isinstance(answer.error, IgnoredResponse):
            self.proof.passes = self.proof.number
        elif not self.all_rows_arrived:
            if not self._may_end:
                raise answer.error
            if not answer.is_confirmed(self._first_sent):
                raise answer.unconfirmed_error(self.proof.received)
        return True

    def update_state(self, response: requests.Response, data: list[Any] | None = None) -> None:
        """Count a page, and determine if there is another.

        Raises:
            IncompleteReadError: the last pass is inconsistent.
        """
        rows = data if data is not None else []
        self.bytes_of_page = len(response.content)
        is_past_end = isinstance(response, PastEnd) and self._is_end(response)
        if self._detected:
            self._detected.check(response.json(), self.proof.received)
        if not self.proof.received:
            self._first_sent = response.request
        total = self._find_total(response.json(), response.headers)
        self.progress = Progress.READING
        if self._is_probing or self._repeats_last_page(response, rows, total):
            self._probe_beyond_end(rows)
            return
        self._position.measure(len(rows))
        if self.all_rows_arrived and self.proof.received and self.proof.contains(rows):
            drop_rows(rows)
            self._has_next_page = False
        else:
            self.proof.add(rows, total)
            self._may_end = self._may_be_last_page(response, rows, total)
            self._is_marked_last = not rows or reports_last_page(response.json())
            advances = not is_past_end and self._position.advance(
                response, rows, self.proof, self.all_rows_arrived
            )
            self._has_next_page = advances and not self.proof.can_be_abandoned
        if not self._has_next_page:
            self._check_end(response, rows)
            self.finish()

    def finish(self) -> None:
        """End the pass: the read is complete, or another pass begins.

        Raises:
            IncompleteReadError: the pass is inconsistent, and was the last one.
        """
        complete = self.proof.finish(counted=self._counted and not self.is_limited)
        self.progress = Progress.COMPLETE if complete else Progress.RESTARTING
        self._has_next_page = not complete

    def update_request(self, request: requests.Request) -> None:
        """Request the next page, or the first one of the next pass.

        Raises:
            IncompleteReadError: the next request would be the same as the last one.
        """
        if self.progress is Progress.READING and self._has_next_page:
            if not self._position.update_request(request):
                self._end_at_repeated_request()
            elif not self._is_probing:
                self._prefetch_next(request)
        if self.progress is Progress.RESTARTING:
            self.proof.begin()
            self._request_first(request)

    def _end_at_repeated_request(self) -> None:
        """End the pass at a page that names itself as the next one, if it is marked as last."""
        if not self._is_marked_last:
            raise IncompleteReadError(
                f"{self.proof.resource}: after {self.proof.received} rows the API names the "
                "page it has just given as the next one, so that there would be no end."
            )
        self.finish()

    def _prefetch_next(self, request: requests.Request) -> None:
        """Prefetch the pages that follow, if their places are known."""
        paginator, position = self._position.paginator, self._position
        if self._prefetch and self._prefetches and isinstance(paginator, RangePaginator):
            end = end_of_pages(paginator, self.proof.total, position.longest)
            self._prefetch.page_arrived(request, paginator, position.step, end, self.bytes_of_page)

    def prefetch(self, prefetches: bool) -> None:
        """Turn prefetching on or off; a bulk read requests pages itself."""
        self._prefetches = prefetches
        if self._prefetch and not prefetches:
            self._prefetch.discard()

    def page_range(self) -> PageRange | None:
        """Return the pages that can be read like the one before; None if they are unknown."""
        if self._is_probing or self.proof.inconsistency:
            return None
        return self._position.page_range(self.proof.total)

    def is_as_before(self, body: Any, headers: Mapping[str, str]) -> bool:
        """Return True if a page has the same total as before, and does not report the end.

        Args:
            body: the decoded body, with or without its rows.
            headers: the response's, by any case of their names.
        """
        paginator = self._position.paginator
        path = paginator.has_more_path if isinstance(paginator, OffsetPaginator) else None
        is_last = reported_has_more(path, body) is False or reports_last_page(body)
        return not is_last and self._find_total(body, headers) == self.proof.total

    def jump_to(self, offset: int, request: requests.Request) -> None:
        """Continue at an offset, after the proof has counted the rows before it."""
        self._position.jump_to(offset, request)

    def close(self) -> None:
        """End the read, and drop the prefetched pages."""
        if self._prefetch:
            self._prefetch.close()

    @property
    def all_rows_arrived(self) -> bool:
        """True if as many rows arrived as the API's total."""
        return self._counted and self.proof.received == self.proof.total

    def _begin(self) -> None:
        self._position = Position(self._configured, self._total_path)
        self._has_next_page = True
        self._is_probing: bool = False
        self._may_end = self._is_marked_last = False

    def _request_first(self, request: requests.Request) -> None:
        request.url = self._first.url
        request.params, request.json = copy.deepcopy((self._first.params, self._first.json))
        self._begin()
        if self._prefetch:
            self._prefetch.discard()
        if self._position.paginator:
            self._position.paginator.init_request(request)

    def _find_total(self, body: Any, headers: Mapping[str, str]) -> int | None:
        return self._totals.find(body, headers) if self._counted else None

    def _may_be_last_page(
        self, response: requests.Response, rows: Sequence[Any], total: int | None
    ) -> bool:
        if (total, self.proof.total) != (None, None):
            return False
        paginator, body, received = self._position.paginator, response.json(), self.proof.received
        return may_be_last_page(paginator, body, len(rows), received, self._configured is None)

    def _repeats_last_page(
        self, response: requests.Response, rows: Sequence[Any], total: int | None
    ) -> bool:
        # a repeated full page may be a limit on offsets, with further rows after it
        again = self._position.is_short and self.proof.repeats(rows)
        return again and self._may_be_last_page(response, rows, total)

    def _probe_beyond_end(self, rows: list[Any]) -> None:
        """Request a page far beyond the end, where the API must repeat its last page again.

        Raises:
            IncompleteReadError: another page arrives.
        """
        if not self._is_probing:
            self._is_probing = self._has_next_page = True
            self._position.jump_beyond_end()
        elif rows and not self.proof.repeats(rows):
            self.proof.refuse_repetition()
        else:
            self.finish()
        drop_rows(rows)

    def _check_end(self, response: requests.Response, rows: Sequence[Any]) -> None:
        """Mark the pass as inconsistent if its last page reports further rows."""
        if self.is_limited or self.all_rows_arrived or is_single_page(self._configured):
            return
        evidence = evidence_of_more(response.json(), len(rows), self._configured is None)
        if evidence and not self.proof.inconsistency:
            self.proof.inconsistency = (
                f"the last page says that there is more ({evidence}), and `paginator` finds no way "
                "to it"
            )

    @property
    def is_limited(self) -> bool:
        """True if the configuration ends the read here, whatever else the API has."""
        return self._position.is_limited

    def __str__(self) -> str:
        """Return the name of dlt's paginator, for dlt's log."""
        return f"{type(self).__name__} of {self._position.paginator}"
