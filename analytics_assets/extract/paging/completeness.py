"""The completeness of a pass: a page is counted, and the pass continues, ends or is void.

| after a page | the pass |
| --- | --- |
| without rows, unless all rows arrived or a flag reports the end | requests it once more |
| with rows that all arrived before, after the total or a flag reported the end | ends before it |
| with the rows of the page before, which was short, and no total | probes far beyond the end |
| that probe has no rows, or the same again | ends |
| that probe has other rows | fails: the API ignores the paging parameters |
| an error after all rows by a count, or that comes again while the first page does | ends |
| any other error | fails |
| without rows, and it refers to a next page | probes the next page |
| that probe has rows | is void |
| the paginator has no next page, and a count, flag or link reports further rows | is void |
| the paginator has no next page, and nothing speaks against the end | ends |
| its total differs from that of the page before; or all its rows arrived before | is void |
| any other | requests the next page |

At its end, a pass is void too if fewer or more rows arrived than its total, if rows were on two
pages, or if it must be confirmed and the pass before had other rows (`Proof.finish`). After a void
pass the next one begins; the last one fails the read.
"""

from collections.abc import Callable

from dlt.sources.helpers.rest_client.paginators import OffsetPaginator, PageNumberPaginator

from analytics_assets.extract.compat import IgnoredResponse
from analytics_assets.extract.http.errors import ResponseError
from analytics_assets.extract.http.page import Page
from analytics_assets.extract.paging.duplicates import Contents
from analytics_assets.extract.paging.evidence.end_of_read import REFUSED, EndOfRead
from analytics_assets.extract.paging.evidence.finder import Evidence, EvidenceFinder
from analytics_assets.extract.paging.position import Position, Probe
from analytics_assets.extract.paging.proof import Proof
from analytics_assets.extract.rows.answer import Answer
from analytics_assets.extract.rows.row_place import RowPlace

# statuses of some APIs after their last row
NOTHING_THERE = (404, 416)


class Pass:
    """One pass of a read: counts its pages, and proves its end.

    Args:
        proof: counts the rows of the read.
        position: at the first page.
        evidence: finds what a page states about the end of the read.
        place: the place of a page's rows.
        is_confirmed: requests a page without rows again, and returns True if it has the same
            status, and the API still has its first page.
        checked: False to believe any end of the pass, as for a sample or a filter.

    Attributes:
        position: at the next page.
        is_over: True after the last page.
        has_next_page: True if the paginator has a page after the last one, also in a void pass.
        is_checked: False if any end is believed.
    """

    def __init__(
        self,
        proof: Proof,
        position: Position,
        evidence: EvidenceFinder,
        place: RowPlace,
        is_confirmed: Callable[[Page], bool],
        checked: bool = True,
    ) -> None:
        self.is_over = self.has_next_page = False
        self.position, self.is_checked = position, checked
        self._proof = proof
        self._evidence, self._place = evidence, place
        self._is_confirmed = is_confirmed
        self._end = EndOfRead(proof, position.paginator)
        self._is_repeated_request = False  # an empty page is requested once more
        self._may_end = self._is_marked_last = False

    def take(self, answer: Answer) -> Answer | None:
        """Count a page, and advance to the next one.

        Returns:
            The page if its rows belong to the read.

        Raises:
            IncompleteReadError: its rows are those of the page before.
            ResponseError: the answer is no page, and not the end of the read.
            BodyError: the body has nothing in the place of its rows, and does not report no rows.
        """
        counted = self._take(answer)
        if not self.is_over and not self._is_repeated_request:
            self._request_next()
        return counted

    def _take(self, answer: Answer) -> Answer | None:
        is_past_end = answer.refusal is not None and self._is_end(answer.refusal, answer.page)
        answer, evidence = self._examined(answer)
        if not answer.count and not is_past_end and self._requests_again(evidence):
            return None
        self._is_repeated_request = False
        if not is_past_end:
            self._accept(answer, evidence)
        if self.position.probe is Probe.NEXT_PAGE:
            self._end_before(answer)
            return None
        if self.position.probe or self._repeats_last_page(answer, evidence):
            self._probe_beyond_end(answer)
            return None
        # the number of rows that are made of an object's keys is no size of a page
        self.position.measure(0 if self._place.is_keyed else answer.count)
        is_over = self._proof.all_rows_arrived or self._end.last.reports_last
        is_repeated = is_over and self._proof.received and self._proof.contains(answer)
        has_next_page = not is_repeated and self._add(answer, evidence)
        self.is_over = not has_next_page and not self._probes_next_page(answer, is_past_end)
        return None if is_repeated else answer

    def _is_end(self, refusal: Exception, page: Page) -> bool:
        """Return True if an answer that is no page is the end of the read, or raise its error."""
        is_ignored, received = isinstance(refusal, IgnoredResponse), self._proof.received
        if not received or not (is_ignored or page.status in (*NOTHING_THERE, *REFUSED)):
            raise refusal
        if is_ignored:
            self._proof.passes = self._proof.number
            return True
        is_known = self.position.probe is Probe.NEXT_PAGE or self._end.is_past_all_rows(
            page.status, self.position.is_short
        )
        if not is_known and page.status in REFUSED:
            raise refusal
        if not is_known and not (self._may_end and self._is_confirmed(page)):
            raise ResponseError(
                f"{refusal} It came after {received} rows. If it is the end of the rows, "
                f'write `"response_actions": [{{"status_code": {page.status}, "action": '
                '"ignore"}]` in `endpoint` of the entry.',
                response=page.as_response(),
            )
        return True

    def _examined(self, answer: Answer) -> tuple[Answer, Evidence]:
        """Return a page and its evidence; an object that only reports no rows is no row."""
        page = answer.page
        found = self._evidence.find(answer.body, page.headers, page.url)
        if not answer.is_one_object:
            return answer, found
        is_row = self._place.is_keyed or self._place.has_key(answer.body)
        if found.reports_zero and not is_row:
            return answer.without_rows(), found
        # a row has no fields about the read
        return answer, self._evidence.find(None, page.headers, page.url)

    def refuse_absent_rows(self, answer: Answer) -> None:
        """Refuse the last page of a sample, which a read of all would request once more.

        Raises:
            AbsentRowsError: it has nothing in the place of its rows, and reports no end.
        """
        if answer.absence:
            self._accept(*self._examined(answer))

    def evidence_in(self, answer: Answer) -> Evidence:
        """Return what an answer states about the end of the read."""
        return self._examined(answer)[1]

    def _accept(self, answer: Answer, evidence: Evidence) -> None:
        """Refuse a page with nothing in the place of its rows, unless it reports that it has none.

        Raises:
            AbsentRowsError: the page does not report that it has no rows.
        """
        if answer.absence is None:
            self._place.is_known = True
            return
        total, received = self._known_total(evidence), self._proof.received
        is_null, is_known = answer.absence.is_null, self._place.is_known
        if not evidence.reports_no_rows(total, received, is_null, is_known):
            raise answer.absence

    def _known_total(self, evidence: Evidence) -> int | None:
        return self._proof.total if evidence.total is None else evidence.total

    def _add(self, answer: Answer, evidence: Evidence) -> bool:
        """Count a page, and advance; return False if it was the last one."""
        is_past_end = answer.refusal is not None
        if not is_past_end:
            self._proof.add(answer, evidence.total)
            self._end.add(evidence, answer.count, answer.page.request)
        self._may_end = self._may_be_last_page(evidence)
        self._is_marked_last = not answer.count or evidence.reports_last
        advances = not is_past_end and self.position.advance(answer, self._proof, evidence)
        if isinstance(self.position.paginator, PageNumberPaginator):
            is_limited, all_arrived = self.position.is_limited, self._proof.all_rows_arrived
            if answer.count and not advances and not is_limited and not all_arrived:
                # a link contradicts the number of pages
                advances = self._may_end = self._end.names_next_page
            advances = advances and not self._end.is_last_page(self.position.is_short)
        self.has_next_page = advances
        return advances and not self._proof.inconsistency

    def _requests_again(self, evidence: Evidence) -> bool:
        """Request an empty page once more, unless it is known to be the end."""
        proof = self._proof
        is_end = self._known_total(evidence) == proof.received or evidence.named_flag is False
        if is_end or proof.inconsistency or self.position.is_limited or self._end.is_confirmed():
            return False
        if self._is_repeated_request or self.position.probe or not self.is_checked:
            return False
        self._is_repeated_request = True
        return True

    def is_complete(self, contents: Contents) -> bool:
        """Return True if the pass has all rows; False if it is void.

        Args:
            contents: returns the contents of the rows that arrived.

        Raises:
            IncompleteReadError: the pass is void, and was the last one.
        """
        counted, may_count_pages = not self.position.is_limited, self._evidence.names_total
        return self._proof.finish(contents, counted, may_count_pages)

    def _request_next(self) -> None:
        if not self.position.update_request():
            # a page that names itself as the next one is an end if it is marked as last
            if not self._is_marked_last:
                self._proof.refuse_same_request()
            self.is_over = True

    @property
    def prefetches(self) -> bool:
        """True if the pages after the next one may be requested already."""
        return not (self._is_repeated_request or self.position.probe or self._proof.inconsistency)

    def _may_be_last_page(self, evidence: Evidence) -> bool:
        by_place = isinstance(self.position.paginator, OffsetPaginator | PageNumberPaginator)
        has_total = self._known_total(evidence) is not None
        return by_place and not has_total and not self._end.objection()

    def _repeats_last_page(self, answer: Answer, evidence: Evidence) -> bool:
        # a repeated full page may be a limit on offsets, with further rows after it
        again = self.position.is_short and self._proof.repeats(answer)
        return again and self._may_be_last_page(evidence)

    def _probe_beyond_end(self, answer: Answer) -> None:
        """Request a page far beyond the end, where the API must repeat its last page again.

        Raises:
            IncompleteReadError: another page arrives.
        """
        if not self.position.probe:
            self.position.jump_beyond_end()
        elif answer.count and not self._proof.repeats(answer):
            self._proof.refuse_repetition()
        else:
            self.is_over = True

    def _probes_next_page(self, answer: Answer, is_past_end: bool) -> bool:
        """Mark the pass as inconsistent if its pages speak against its end.

        Returns:
            True if the next page is requested: an empty page may refer to it wherever the end is.
        """
        objection = self.objection(by_counts=is_past_end)
        if not objection or self._proof.inconsistency:
            return False
        if not answer.count and self._end.has_link_alone:
            if self.position.skip_page():
                return True
            if getattr(self.position.paginator, "stop_after_empty_page", False):
                return False
        self._proof.inconsistency = objection
        return False

    @property
    def is_end_confirmed(self) -> bool:
        """True if a total, a count or a flag of the pages shows that all rows arrived."""
        return self._proof.all_rows_arrived or self._end.is_confirmed()

    def objection(self, by_counts: bool = False) -> str | None:
        """Return what the pages say against an end here, and the remedy; None if nothing.

        Args:
            by_counts: True to leave out flags and references, as the page after them is no page.
        """
        may_count_page = self._end.counts_may_be_of_page and not self._evidence.names_total
        all_rows_arrived = self._proof.all_rows_arrived and not may_count_page
        if self.position.is_limited or all_rows_arrived or not self.is_checked:
            return None
        return self._end.objection(by_counts)

    def _end_before(self, answer: Answer) -> None:
        """End the pass before a page that follows an empty one."""
        if answer.count:
            where = f"the page at offset {self._proof.received}"
            self._proof.inconsistency = f"{where} is empty, and the page after it has rows"
        self.is_over = True
