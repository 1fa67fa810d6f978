"""Pagination that proves that it is complete.

Stock dlt 1.31 ends a read at a short, empty or broken page, and increases the offset by `limit`.
Here it increases by the rows that arrived, and an inconsistent pass is read again from the start.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import requests
from dlt.sources.helpers.rest_client.paginators import (
    BasePaginator,
    OffsetPaginator,
    PageNumberPaginator,
)

from analytics_assets.extract.compat import IgnoredResponse, drop_rows
from analytics_assets.extract.http.prefetch.threads import ThreadPrefetcher
from analytics_assets.extract.paging.completeness import Proof
from analytics_assets.extract.paging.evidence.end_of_read import EndOfRead
from analytics_assets.extract.paging.evidence.page import Evidence, EvidenceFinder
from analytics_assets.extract.paging.last_page import EmptyAnswer, PastEnd, checked
from analytics_assets.extract.paging.page_range import PageRange
from analytics_assets.extract.paging.position import Position, Probe, Progress
from analytics_assets.extract.paging.read_ahead import ReadAhead
from analytics_assets.extract.paging.row_place import RowPlace


class VerifyingPaginator(BasePaginator):
    """One of dlt's paginators, with a proof that no row is left out.

    Args:
        paginator: dlt's paginator; None detects it from the first page, as dlt's `auto` does.
        proof: counts the rows that arrive.
        evidence: finds what a page states about the end of the read.
        place: the place of a page's rows.
        checked: False to believe an end whatever the pages say, as of a sample or a filter.
        prefetch: returns the prefetcher of a read; None to request one page at a time.
    """

    def __init__(
        self,
        paginator: BasePaginator | None,
        proof: Proof,
        evidence: EvidenceFinder,
        place: RowPlace,
        checked: bool = True,
        prefetch: Callable[[], ThreadPrefetcher] | None = None,
    ) -> None:
        super().__init__()
        self.proof = proof
        self.progress = Progress.READING
        self._configured = paginator
        self._evidence, self._place = evidence, place
        self._checked = checked
        self._ahead = ReadAhead(prefetch)
        self._begin()

    def init_request(self, request: requests.Request) -> None:
        """Request the first page of the first pass."""
        self.proof = self.proof.for_next_read()
        self._ahead.begin()
        self._first = copy.copy(request)
        self._first.params, self._first.json = copy.deepcopy((request.params, request.json))
        hooks = request.hooks["response"]
        # what is no page is judged in `update_state`, as it may have been prefetched
        request.hooks["response"] = [
            lambda response, **sending: checked(hooks, response, self.proof.received > 0, sending)
        ]
        self._request_first(request)

    def _is_end(self, answer: PastEnd) -> bool:
        """Return True if a response that is no page is the end of the read, or raise its error."""
        is_ignored = isinstance(answer.error, IgnoredResponse)
        if is_ignored:
            self.proof.passes = self.proof.number
        is_known = is_ignored or self._position.probe is Probe.NEXT_PAGE
        is_known = is_known or self._end.is_past_all_rows(answer.answered, self._position.is_short)
        if not is_known and not (self._may_end and answer.is_confirmed(self._first_sent)):
            raise answer.unconfirmed_error(self.proof.received)
        return True

    def update_state(self, response: requests.Response, data: list[Any] | None = None) -> None:
        """Count a page, and determine if there is another.

        Raises:
            IncompleteReadError: the last pass is inconsistent.
            BodyError: the body has nothing in the place of its rows, and does not report no rows.
        """
        rows = data if data is not None else []
        self.bytes_of_page = len(response.content)
        is_past_end = isinstance(response, PastEnd) and self._is_end(response)
        if not self.proof.received:
            self._first_sent = response.request
        absence = self._place.absence(response, rows, self.proof.received)
        evidence = self._evidence_of(response, rows)
        self.progress = Progress.READING
        if not rows and not is_past_end and self._requests_again(evidence):
            return
        self._is_again = False
        if not is_past_end:
            self._place.accept(absence, evidence, self.proof)
        if self._position.probe is Probe.NEXT_PAGE:
            self._end_before(rows)
            return
        if self._position.probe or self._repeats_last_page(rows, evidence):
            self._probe_beyond_end(rows)
            return
        self._position.measure(len(rows))
        is_over = self.all_rows_arrived or self._end.last.reports_last
        if is_over and self.proof.received and self.proof.contains(rows):
            drop_rows(rows)
            self._has_next_page = False
        else:
            self._add(response, rows, evidence)
        if not self._has_next_page:
            self._check_end(rows, is_past_end)
        if not self._has_next_page:
            self.finish()

    def _evidence_of(self, response: requests.Response, rows: list[Any]) -> Evidence:
        body = response.error.body if isinstance(response, EmptyAnswer) else response.json()
        found = self._evidence.find(body, response.headers, str(response.url))
        if not rows or rows[0] is not body:
            return found
        if found.reports_zero and not self._place.selector.has_key(body):
            drop_rows(rows)  # `{"total": 0}` is no row
            return found
        # a row has no fields about the read
        return self._evidence.find(None, response.headers, str(response.url))

    def _add(self, response: requests.Response, rows: Sequence[Any], evidence: Evidence) -> None:
        """Count a page, and advance."""
        is_past_end = isinstance(response, PastEnd)
        if not is_past_end:
            self.proof.add(rows, evidence.total)
            self._end.add(evidence, len(rows), response.request)
        self._may_end = self._may_be_last_page(evidence)
        self._is_marked_last = not rows or evidence.reports_last
        advances = not is_past_end and self._position.advance(
            response, rows, self.proof, self.all_rows_arrived, evidence
        )
        if rows and not advances and not self.is_limited and not self.all_rows_arrived:
            # a link contradicts the number of pages
            advances = self._may_end = self._end.continues(self._position.paginator)
        if isinstance(self._position.paginator, PageNumberPaginator):
            advances = advances and not self._end.is_last_page(self._position.is_short)
        self._has_next_page = advances and not self.proof.can_be_abandoned

    def _requests_again(self, evidence: Evidence) -> bool:
        """Request an empty page once more, unless it is known to be the end."""
        known = self.proof.total if evidence.total is None else evidence.total
        is_end = known == self.proof.received or evidence.named_flag is False
        if is_end or self.proof.inconsistency or self.is_limited or self._end.is_confirmed():
            return False
        if self._is_again or self._position.probe or not self._checked:
            return False
        self._is_again = self._has_next_page = True
        return True

    def finish(self) -> None:
        """End the pass: the read is complete, or another pass begins.

        Raises:
            IncompleteReadError: the pass is inconsistent, and was the last one.
        """
        complete = self.proof.finish(
            counted=not self.is_limited, may_count_pages=self._evidence.names_total
        )
        self.progress = Progress.COMPLETE if complete else Progress.RESTARTING
        self._has_next_page = not complete

    def update_request(self, request: requests.Request) -> None:
        """Request the next page, or the first one of the next pass.

        Raises:
            IncompleteReadError: the next request would be the same as the last one.
        """
        if self._is_again:
            return
        if self.progress is Progress.READING and self._has_next_page:
            if not self._position.update_request(request):
                # a page that names itself as the next one is an end if it is marked as last
                if not self._is_marked_last:
                    self.proof.refuse_same_request()
                self.finish()
            elif not self._position.probe:
                self._ahead.request_after(
                    request, self._position, self.proof.total, self.bytes_of_page
                )
        if self.progress is Progress.RESTARTING:
            self.proof.begin()
            self._request_first(request)

    def prefetch(self, prefetches: bool) -> None:
        """Turn prefetching on or off; a bulk read requests pages itself."""
        self._ahead.turn(prefetches)

    def page_range(self) -> PageRange | None:
        """Return the pages that can be read like the one before; None if they are unknown."""
        if self._is_again or self._position.probe or self.proof.inconsistency:
            return None
        return self._position.page_range(self.proof.total)

    def is_as_before(self, body: Any, headers: Mapping[str, str]) -> bool:
        """Return True if a page has the same total as before, and does not report the end.

        Args:
            body: the decoded body, with or without its rows.
            headers: the response's, by any case of their names.
        """
        return self._evidence.continues(body, headers, self.proof.total)

    def jump_to(self, offset: int, request: requests.Request) -> None:
        """Continue at an offset, after the proof has counted the rows before it."""
        self._position.jump_to(offset, request)

    def close(self) -> None:
        """End the read, and drop the prefetched pages."""
        self._ahead.close()

    @property
    def all_rows_arrived(self) -> bool:
        """True if as many rows arrived as the API's total."""
        return self.proof.received == self.proof.total

    def _begin(self) -> None:
        self._position = Position(self._configured, self._evidence.names_total)
        self._end = EndOfRead(self.proof, self._position.paginator)
        self._has_next_page, self._is_again = True, False  # again: an empty page, once more
        self._may_end = self._is_marked_last = False

    def _request_first(self, request: requests.Request) -> None:
        request.url = self._first.url
        request.params, request.json = copy.deepcopy((self._first.params, self._first.json))
        self._begin()
        self._ahead.discard()
        if self._position.paginator:
            self._position.paginator.init_request(request)

    def _may_be_last_page(self, evidence: Evidence) -> bool:
        by_place = isinstance(self._position.paginator, OffsetPaginator | PageNumberPaginator)
        has_total = (evidence.total, self.proof.total) != (None, None)
        return by_place and not has_total and not self._end.objection()

    def _repeats_last_page(self, rows: Sequence[Any], evidence: Evidence) -> bool:
        # a repeated full page may be a limit on offsets, with further rows after it
        again = self._position.is_short and self.proof.repeats(rows)
        return again and self._may_be_last_page(evidence)

    def _probe_beyond_end(self, rows: list[Any]) -> None:
        """Request a page far beyond the end, where the API must repeat its last page again.

        Raises:
            IncompleteReadError: another page arrives.
        """
        if not self._position.probe:
            self._has_next_page = True
            self._position.jump_beyond_end()
        elif rows and not self.proof.repeats(rows):
            self.proof.refuse_repetition()
        else:
            self.finish()
        drop_rows(rows)

    def _check_end(self, rows: Sequence[Any], is_past_end: bool) -> None:
        """Mark the pass as inconsistent if its pages speak against its end.

        An empty page may refer to a next one wherever the end is: that one is requested.
        """
        if self.is_limited or self.all_rows_arrived or not self._checked:
            return
        objection = self._end.objection(by_counts=is_past_end)
        if not objection or self.proof.inconsistency:
            return
        if not rows and self._end.has_link_alone:
            if self._position.skip_page():
                self._has_next_page = True
                return
            if getattr(self._position.paginator, "stop_after_empty_page", False):
                return
        self.proof.inconsistency = objection

    def _end_before(self, rows: list[Any]) -> None:
        """End the pass before a page that follows an empty one."""
        if rows:
            where = f"the page at offset {self.proof.received}"
            self.proof.inconsistency = f"{where} is empty, and the page after it has rows"
        drop_rows(rows)
        self.finish()

    @property
    def is_limited(self) -> bool:
        """True if the configuration ends the read here, whatever else the API has."""
        return self._position.is_limited

    def __str__(self) -> str:
        """Return the name of dlt's paginator, for dlt's log."""
        return f"{type(self).__name__} of {self._position.paginator}"
