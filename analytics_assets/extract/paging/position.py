"""The position of a pass: the page that comes next, by one of dlt's paginators."""

import copy
from enum import Enum, auto
from functools import cache
from typing import Any

import requests
from dlt.sources.helpers.rest_client.paginators import (
    BaseNextUrlPaginator,
    BasePaginator,
    HeaderCursorPaginator,
    JSONLinkPaginator,
    JSONResponseCursorPaginator,
    OffsetPaginator,
    PageNumberPaginator,
    RangePaginator,
    SinglePagePaginator,
)
from requests.hooks import default_hooks

from analytics_assets.extract.compat import detected_paginator
from analytics_assets.extract.http.errors import LinkError
from analytics_assets.extract.paging.evidence.counts import Unit, as_count
from analytics_assets.extract.paging.evidence.finder import Evidence
from analytics_assets.extract.paging.page_params import PageParams
from analytics_assets.extract.paging.proof import Proof
from analytics_assets.extract.rows.answer import Answer
from analytics_assets.extract.rows.response_body import NAMES, values_at
from analytics_assets.redaction.redactor import redact

PAGES_BEYOND_END = 10  # where an API that repeats its last page repeats it again
ROUND = 5  # an API's own limit on the rows of a page is a multiple of this


class Probe(Enum):
    """A page that is requested to prove an end, and not for its rows."""

    BEYOND_END = auto()
    NEXT_PAGE = auto()


class Position:
    """The next page of one pass, and the sizes of the pages so far.

    Args:
        params: the parameters of dlt's paginator, which is copied.
        names_total: True if the configuration names the number of all rows in a page.
        first: the first request of the read, which is copied.

    Attributes:
        params: as given.
        paginator: the paginator of the pass; None until it is detected in the first page.
        request: the request for the next page.
        longest: the most rows of a page.
        is_short: True if the last page had fewer.
        probe: the page that comes next, if it is none of the read.
    """

    def __init__(self, params: PageParams, names_total: bool, first: requests.Request) -> None:
        self.params, self.paginator = params, copy.deepcopy(params.paginator)
        if isinstance(self.paginator, RangePaginator | JSONResponseCursorPaginator):
            self.paginator.has_more_path = None  # dlt 1.31 raises where a page has none
        self.request = copied(first)
        if self.paginator:
            self.paginator.init_request(self.request)
            params.move(self.request)
        self._names_total = names_total
        self._page_count: int | None = None  # the number of all pages, by the last one
        self.longest = 0
        self._is_first = self.is_short = False
        self.probe: Probe | None = None

    def measure(self, rows: int) -> None:
        """Compare the size of a page with those before it.

        Args:
            rows: the number of its rows.
        """
        self._is_first = not self.longest
        self.is_short = 0 < rows < self.longest
        self.longest = max(self.longest, rows)

    def advance(self, answer: Answer, proof: Proof, evidence: Evidence) -> bool:
        """Advance to the next page.

        Args:
            answer: the last page.
            proof: has counted the page.
            evidence: that of the page.

        Returns:
            False if that page was the last one.
        """
        has_more = evidence.named_flag
        if self.paginator is None:
            self.paginator = self._detected(answer, evidence)
        is_own = _is_own(type(self.paginator))
        if isinstance(self.paginator, OffsetPaginator) and not is_own:
            return self._advance_offset(self.paginator, has_more, answer.count, proof)
        if isinstance(self.paginator, RangePaginator):
            _end_at_empty_page(self.paginator, answer.body)
        if isinstance(self.paginator, PageNumberPaginator):
            counts = [each for each in evidence.counts.values() if each.unit is not Unit.ROWS]
            self._page_count = max((each.value for each in counts), default=None)
        place = self.place
        if type(self.paginator).__module__ == BasePaginator.__module__:
            # dlt's own look at headers, at fields of the body, and at the number of rows
            body, rows = self._body_of(answer), [None] * answer.count
        else:
            body, rows = answer.whole_body, list(answer.rows)
        self.paginator.update_state(answer.page.as_response(body), rows)
        if isinstance(self.paginator, OffsetPaginator) and place is not None:
            advanced = self.paginator.current_value - place
            if advanced == self.paginator.limit:  # by dlt; the API may have given fewer rows
                self.paginator.current_value = place + answer.count
        has_next = self.paginator.has_next_page and has_more is not False
        if is_own:
            return has_next
        # dlt 1.31 takes an empty text for a link or a cursor
        if has_next and isinstance(self.paginator, HeaderCursorPaginator):
            return bool(answer.page.headers[self.paginator.cursor_key].strip())
        if has_next and isinstance(self.paginator, JSONLinkPaginator):
            links = values_at(self.paginator.next_url_path, self._body_of(answer))
            if links and links[0] and not isinstance(links[0], str):
                raise LinkError(
                    f"The link to the next page, `{self.paginator.next_url_path}`, is no text but "
                    f"a value of type {type(links[0]).__name__}. Correct `next_url_path`."
                )
            return any(links[:1])
        return has_next

    def _body_of(self, answer: Answer) -> Any:
        """Return a body without its rows if the reference to the next page is beside them."""
        options = vars(self.paginator)
        path = str(options.get("next_url_path") or options.get("cursor_path") or "")
        # a path of names alone leads to the rows, or beside them
        is_beside = not path or (NAMES.fullmatch(path) and values_at(path, answer.body))
        return answer.body if is_beside else answer.whole_body

    @staticmethod
    def _detected(answer: Answer, evidence: Evidence) -> BasePaginator:
        """Return the paginator that dlt detects, or that of a link which dlt does not know."""
        paginator = detected_paginator(answer.page.as_response(answer.whole_body))
        assert paginator, "dlt detects the paginator of a single page if no other"
        link = evidence.next_page
        if isinstance(paginator, SinglePagePaginator) and link and link.path and link.is_url:
            return JSONLinkPaginator(link.path)
        return paginator

    def _advance_offset(
        self, paginator: OffsetPaginator, has_more: bool | None, rows: int, proof: Proof
    ) -> bool:
        paginator.current_value += rows
        if not rows and has_more:
            proof.inconsistency = "it states more rows after its last one, and returns none"
        if not rows or has_more is False or self.is_limited:
            return False
        if not proof.all_rows_arrived:
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
        if not self._is_first:
            return not self.is_short
        # a total without a configured path may count the page, and the API may have any limit
        return not self._names_total or rows >= paginator.limit or rows % ROUND == 0

    def update_request(self) -> bool:
        """Request the next page.

        Returns:
            False if that is the page that was requested last.
        """
        if self.paginator is None:
            return True
        if isinstance(self.paginator, RangePaginator):
            self.params.write(self.paginator, self.request)
            return True
        before = _parts_of(self.request)
        try:
            self.params.write(self.paginator, self.request)
        except ValueError as error:
            if not isinstance(self.paginator, BaseNextUrlPaginator):
                raise
            raise LinkError(
                f"The link to the next page cannot be requested: {redact(str(error))}."
            ) from None
        return _parts_of(self.request) != before

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

    @property
    def place(self) -> int | None:
        """The place of the next page, by its offset or number; None if pages have none."""
        is_range = isinstance(self.paginator, RangePaginator)
        return self.paginator.current_value if is_range else None  # type: ignore[union-attr]

    @property
    def step(self) -> int:
        """The distance of two pages; 0 if it is unknown."""
        if self.paginator and _is_own(type(self.paginator)):
            return 0
        if isinstance(self.paginator, OffsetPaginator):
            return self.longest
        is_range = self.longest and isinstance(self.paginator, RangePaginator)
        return int(self.paginator.value_step) if is_range else 0  # type: ignore[union-attr]

    def end_of_pages(self, total: int | None) -> int | None:
        """Return the first place at which there is no page; None if it is unknown.

        Args:
            total: the number of all rows, if the API gives it.
        """
        paginator = self.paginator
        assert isinstance(paginator, RangePaginator), "else pages have no place"
        ends = [] if paginator.maximum_value is None else [paginator.maximum_value]
        if total is not None and self.longest:
            by_rows = isinstance(paginator, OffsetPaginator)
            ends.append(paginator.initial_value + (total if by_rows else -(-total // self.longest)))
        if isinstance(paginator, PageNumberPaginator) and self._page_count is not None:
            ends.append(paginator.base_index + self._page_count)
        return min(ends, default=None)

    def request_at(self, place: int) -> requests.Request:
        """Return the request for the page at a place."""
        paginator: Any = copy.copy(self.paginator)
        paginator.current_value = place
        request = copied(self.request)
        self.params.write(paginator, request)
        return request

    @property
    def is_limited(self) -> bool:
        """True if the configuration ends the read here, whatever else the API has."""
        if not isinstance(self.paginator, OffsetPaginator | PageNumberPaginator):
            return False
        maximum = self.paginator.maximum_value
        return maximum is not None and self.paginator.current_value >= maximum


def copied(request: requests.Request) -> requests.Request:
    """Copy a request, with the parts that paginators change, and without hooks."""
    found = copy.copy(request)
    found.hooks = default_hooks()
    found.headers = copy.copy(request.headers)
    found.params, found.json = copy.deepcopy((request.params, request.json))
    if isinstance(request.data, dict | list):  # a form
        found.data = copy.deepcopy(request.data)
    return found


@cache
def _is_own(kind: Any) -> bool:
    """Return True if a class of the user's derives from a paginator of dlt's and alters it."""
    ours = [each for each in kind.__mro__ if each.__module__ == BasePaginator.__module__]
    names = ("init_request", "update_state", "update_request", "has_next_page")
    return bool(ours) and any(getattr(kind, name) is not getattr(ours[0], name) for name in names)


def _end_at_empty_page(paginator: RangePaginator, body: Any) -> None:
    """End the read at an empty page where the API gives no number of pages.

    dlt 1.31 raises there, and prints the whole page.
    """
    path = paginator.total_path
    found = values_at(path, body)
    if not found or as_count(found[0]) is None:
        paginator.total_path = None
        paginator.stop_after_empty_page = True


def _parts_of(request: requests.Request) -> tuple[str, ...]:
    parts = (request.url, request.params, request.json, request.data, request.headers)
    return tuple(map(repr, parts))
