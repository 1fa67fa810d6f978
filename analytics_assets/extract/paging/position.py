"""The position of a pass: the page that comes next, by one of dlt's paginators."""

import copy
from collections.abc import Sequence
from enum import Enum, auto
from typing import Any

import requests
from dlt.common import jsonpath
from dlt.sources.helpers.rest_client.paginators import (
    BasePaginator,
    HeaderCursorPaginator,
    JSONLinkPaginator,
    JSONResponseCursorPaginator,
    OffsetPaginator,
    PageNumberPaginator,
    SinglePagePaginator,
)

from analytics_assets.extract.compat import detected_paginator
from analytics_assets.extract.paging.completeness import Proof
from analytics_assets.extract.paging.evidence.page import Evidence
from analytics_assets.extract.paging.page_range import (
    PageRange,
    end_at_empty_page,
    end_of_pages,
)

PAGES_BEYOND_END = 10  # where an API that repeats its last page repeats it again
ROUND = 5  # an API's own limit on the rows of a page is a multiple of this


class Progress(Enum):
    """The state of a read after a page."""

    READING = auto()
    RESTARTING = auto()  # the pages of this pass are void
    COMPLETE = auto()


class Probe(Enum):
    """A page that is requested to prove an end, and not for its rows."""

    BEYOND_END = auto()
    NEXT_PAGE = auto()


class Position:
    """The next page of one pass, and the sizes of the pages so far.

    Args:
        configured: dlt's paginator, which is copied; None to detect it from the first page.
        names_total: True if the configuration names the number of all rows in a page.

    Attributes:
        paginator: the paginator of the pass.
        longest: the most rows of a page.
        is_short: True if the last page had fewer.
        probe: the page that comes next, if it is none of the read.
    """

    def __init__(self, configured: BasePaginator | None, names_total: bool) -> None:
        self.paginator = copy.deepcopy(configured)
        if isinstance(self.paginator, PageNumberPaginator | JSONResponseCursorPaginator):
            self.paginator.has_more_path = None  # dlt 1.31 raises where a page has none
        self._names_total = names_total
        self._largest = self.longest = 0  # `_largest`: of the pages by offset
        self.is_short = False
        self.probe: Probe | None = None

    def measure(self, rows: int) -> None:
        """Compare the size of a page with those before it.

        Args:
            rows: the number of its rows.
        """
        self.is_short = 0 < rows < self.longest
        self.longest = max(self.longest, rows)

    def advance(
        self,
        response: requests.Response,
        rows: Sequence[Any],
        proof: Proof,
        all_arrived: bool,
        evidence: Evidence,
    ) -> bool:
        """Advance to the next page.

        Args:
            response: the last page.
            rows: its rows.
            proof: has counted the page.
            all_arrived: True if as many rows arrived as the API's total.
            evidence: that of the page.

        Returns:
            False if that page was the last one.
        """
        has_more = evidence.named_flag
        if self.paginator is None:
            self.paginator = self._detected(response, evidence)
        if isinstance(self.paginator, OffsetPaginator):
            return self._advance_offset(self.paginator, has_more, len(rows), proof, all_arrived)
        if isinstance(self.paginator, PageNumberPaginator):
            end_at_empty_page(self.paginator, response)
        self.paginator.update_state(response, list(rows))
        has_next = self.paginator.has_next_page and has_more is not False
        # dlt 1.31 takes an empty text for a link or a cursor
        if has_next and isinstance(self.paginator, HeaderCursorPaginator):
            return bool(response.headers[self.paginator.cursor_key].strip())
        if has_next and isinstance(self.paginator, JSONLinkPaginator):
            links = jsonpath.find_values(self.paginator.next_url_path, response.json())
            return any(links[:1])
        return has_next

    @staticmethod
    def _detected(response: requests.Response, evidence: Evidence) -> BasePaginator:
        """Return the paginator that dlt detects, or that of a link which dlt does not know."""
        paginator = detected_paginator(response)
        assert paginator, "dlt detects the paginator of a single page if no other"
        link = evidence.next_page
        if isinstance(paginator, SinglePagePaginator) and link and link.path and link.is_url:
            return JSONLinkPaginator(link.path)
        return paginator

    def _advance_offset(
        self,
        paginator: OffsetPaginator,
        has_more: bool | None,
        rows: int,
        proof: Proof,
        all_arrived: bool,
    ) -> bool:
        paginator.current_value += rows
        largest_before, self._largest = self._largest, max(self._largest, rows)
        if not rows and has_more:
            proof.inconsistency = "it says that there is more after its last row, and gives nothing"
        if not rows or has_more is False or self.is_limited:
            return False
        if not all_arrived:
            # a total that is named may count pages
            counts_pages = self._names_total and proof.total is not None
            return (
                proof.total is None
                or proof.received < proof.total
                or (counts_pages and proof.pages <= proof.total)
            )
        if has_more:
            return True
        # a total that is reached with a full page may be too low; only another request shows it
        if largest_before:
            return rows >= largest_before
        # a total without a configured path may count the page, and the API may have any limit
        return not self._names_total or rows >= paginator.limit or rows % ROUND == 0

    def update_request(self, request: requests.Request) -> bool:
        """Request the next page.

        Returns:
            False if that is the page that was requested last.
        """
        if self.paginator is None:
            return True
        before = _parts_of(request)
        self.paginator.update_request(request)
        return _parts_of(request) != before

    def skip_page(self) -> bool:
        """Advance beyond an empty page; False if the places of pages are unknown."""
        paginator = self.paginator
        if isinstance(paginator, OffsetPaginator):
            paginator.current_value += self.longest or paginator.limit
        elif isinstance(paginator, PageNumberPaginator):
            paginator.current_value += int(paginator.stop_after_empty_page or False)
        else:
            return False
        self.probe = Probe.NEXT_PAGE
        return True

    def jump_beyond_end(self) -> None:
        """Advance far beyond the last page; for paginators by offset or number."""
        self.probe = Probe.BEYOND_END
        paginator: Any = self.paginator
        paginator.current_value += PAGES_BEYOND_END * (
            self.longest if isinstance(paginator, OffsetPaginator) else 1
        )

    def jump_to(self, offset: int, request: requests.Request) -> None:
        """Advance to an offset."""
        assert isinstance(self.paginator, OffsetPaginator), "else there is no range of pages"
        self.paginator.current_value = offset
        self.paginator.update_request(request)

    def page_range(self, total: int | None) -> PageRange | None:
        """Return the pages that can be read like the one before; None if they are unknown.

        Args:
            total: the number of all rows, if the API gives it.
        """
        paginator = self.paginator
        if not isinstance(paginator, OffsetPaginator) or not paginator.param_name:
            return None
        if self.is_short or not self._largest:
            return None
        end = end_of_pages(paginator, total, self._largest)
        before_last = None if end is None else end - self._largest
        return PageRange(paginator.current_value, self._largest, before_last, paginator.param_name)

    @property
    def step(self) -> int:
        """The distance of two pages, for paginators by offset or number."""
        paginator: Any = self.paginator
        by_rows = isinstance(paginator, OffsetPaginator)
        return self._largest if by_rows else int(paginator.value_step)

    @property
    def is_limited(self) -> bool:
        """True if the configuration ends the read here, whatever else the API has."""
        if not isinstance(self.paginator, OffsetPaginator | PageNumberPaginator):
            return False
        maximum = self.paginator.maximum_value
        return maximum is not None and self.paginator.current_value >= maximum


def _parts_of(request: requests.Request) -> tuple[Any, ...]:
    parts = (request.url, request.params, request.json, request.data, request.headers)
    return copy.deepcopy(parts)
