"""The first pages of a read, as the engine takes them, and what its paginator would do next."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import requests

from analytics_assets.extract.compat import IgnoredResponse
from analytics_assets.extract.http.errors import ApiError
from analytics_assets.extract.http.page import Page
from analytics_assets.extract.paging.completeness import Pass
from analytics_assets.extract.paging.evidence.finder import Evidence
from analytics_assets.extract.paging.evidence.quality import AnswerQualityCount
from analytics_assets.extract.paging.page_requests import PageRequests
from analytics_assets.extract.paging.position import Position, copied
from analytics_assets.extract.paging.proof import Proof
from analytics_assets.extract.rows.answer import Answer, AnswerDecoder


@dataclass(frozen=True, eq=False)
class SampledPage:
    """A page of a sample.

    Args:
        request: the request for it, without a sign-in.
        answer: the page.
        evidence: what it states about the end of the read.
        is_repeated: True if it has the rows of the page before.
    """

    request: requests.Request
    answer: Answer
    evidence: Evidence
    is_repeated: bool = False


class ReadSample:
    """Takes the first pages of a resource, and stops: nothing is proven, kept or asked for twice.

    Of a resource that is read from the rows of another, it has the pages of the first row that has
    some.

    Args:
        most: the most pages.
        rows: the number of rows that is enough; None for all pages.
        most_parents: the most rows of another resource to ask for.

    Attributes:
        pages: the pages.
        error: the error of a page after the first one.
        quality: the number of answers by what they state of their quality.
        reads: the reads that were begun: 1, or the rows of another resource so far.
    """

    def __init__(self, most: int = 2, rows: int | None = None, most_parents: int = 10) -> None:
        self._most, self._rows, self._most_parents = most, rows, most_parents
        self.pages: list[SampledPage] = []
        self.error: ApiError | None = None
        self.reads = 0
        self.quality: Mapping[str, int] = {}
        self._reading: Pass | None = None
        self._inconsistency = ""

    @property
    def is_complete(self) -> bool:
        """True if no other row of another resource is to be asked for."""
        return bool(self.pages_with_rows) or self.reads >= self._most_parents

    def answers(
        self,
        reading: Pass,
        proof: Proof,
        pages: PageRequests,
        decoder: AnswerDecoder,
        quality: AnswerQualityCount,
    ) -> Iterator[Answer]:
        """Yield the pages with rows of one read.

        Args:
            reading: its pass.
            proof: counts its rows.
            pages: requests its pages.
            decoder: decodes them.
            quality: counts what they state of their quality.
        """
        self.quality = quality.metrics
        self.pages, self.error = [], None
        self.reads += 1
        self._reading = reading
        while not (reading.is_over or self._is_full):
            try:
                request = copied(reading.position.request)
                answer = pages.next_page(reading, proof.total, decoder)
                evidence, is_repeated = reading.evidence_in(answer), proof.repeats(answer)
                self.pages.append(SampledPage(request, answer, evidence, is_repeated))
                taken = reading.take(answer)
                reading.refuse_absent_rows(answer)
                quality.add(answer)
            except IgnoredResponse:  # to the first request: there is nothing to read
                return
            except ApiError as error:
                if not self.pages_with_rows:
                    raise
                self.error = error
                return
            self.quality = quality.metrics
            self._inconsistency = proof.inconsistency
            if taken and taken.count:
                yield taken
            elif answer.count and reading.is_over:  # it came before
                self.pages.pop()

    @staticmethod
    def believes(_: Page) -> bool:
        """Believe that a refused page is the end, without another request."""
        return True

    @property
    def pages_with_rows(self) -> int:
        """The number of pages with rows."""
        return sum(1 for page in self.pages if page.answer.count)

    @property
    def _is_full(self) -> bool:
        counts = [page.answer.count for page in self.pages]
        is_at_end = bool(counts) and not counts[-1]
        has_rows = self._rows is not None and sum(counts) >= self._rows
        return is_at_end or has_rows or len(counts) >= self._most

    @property
    def position(self) -> Position:
        """The position after the last page."""
        assert self._reading, "a page was asked for"
        return self._reading.position

    @property
    def is_over(self) -> bool:
        """True if the paginator finds no further page."""
        return bool(self._reading and self._reading.is_over) and not self.moved

    @property
    def moved(self) -> str:
        """The change between two pages for which a load would begin again; "" without one."""
        reading = self._reading
        is_void = reading and reading.is_over and reading.has_next_page
        return self._inconsistency if is_void else ""

    def next_request(self) -> requests.Request:
        """Return the request for the page after the last one."""
        if self.moved:
            self.position.update_request()
        return self.position.request

    @property
    def is_checked(self) -> bool:
        """False if the number of rows says nothing, as those of one object or behind a filter."""
        return self._reading is not None and self._reading.is_checked

    @property
    def is_end_confirmed(self) -> bool:
        """True if a count or a flag of the last page shows that all rows arrived."""
        return self._reading is not None and self._reading.is_end_confirmed

    @property
    def objection(self) -> str | None:
        """The sign against an end after the last page, and the remedy; None without one."""
        return self._reading.objection() if self._reading and self.is_over else None
