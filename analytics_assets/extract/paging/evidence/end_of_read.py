"""The end of a pass: believed if nothing in its pages speaks against it."""

import requests
from dlt.sources.helpers.rest_client.paginators import (
    BasePaginator,
    OffsetPaginator,
    PageNumberPaginator,
)

from analytics_assets.extract.paging.evidence.counts import CountClaims, Unit, requested_sizes
from analytics_assets.extract.paging.evidence.finder import Evidence
from analytics_assets.extract.paging.proof import Proof

REFUSED = (400, 422)  # statuses of some APIs after their last row, or beyond a limit on offsets
ROUND_LIMIT = 1000  # such a limit is a multiple of this, and some totals stop there


class EndOfRead:
    """The evidence of the pages of one pass.

    Args:
        proof: compares the rows of the pass with the API's total.
        paginator: dlt's, at the first page; None if it is not known yet.
    """

    def __init__(self, proof: Proof, paginator: BasePaginator | None) -> None:
        self._proof = proof
        pages = rows = 0
        if isinstance(paginator, PageNumberPaginator):
            before = paginator.initial_value - paginator.base_index
            pages = before if before > 1 else 0  # page 1 may be the first one of `base_page` 0
        elif isinstance(paginator, OffsetPaginator):
            rows = paginator.initial_value
        self._claims = CountClaims(rows, pages)
        self._is_by_place = isinstance(paginator, OffsetPaginator | PageNumberPaginator)
        self._pages = 0
        self.last = Evidence()

    def add(self, evidence: Evidence, rows: int, request: requests.PreparedRequest) -> None:
        """Add the evidence of a page.

        Args:
            evidence: that of the page.
            rows: the number of its rows.
            request: the request for it.
        """
        counts = evidence.counts
        self._pages += 1
        has_row_count = any(count.unit is Unit.ROWS for count in counts.values())
        requested = requested_sizes(str(request.url), request.body) if has_row_count else ()
        self._claims.add(counts, rows, {*evidence.sizes, *requested})
        self.last = evidence
        if growing := self._claims.growing:
            self._proof.inconsistency = f"`{growing}` grows with each page, so that there is no end"

    def is_confirmed(self) -> bool:
        """Return True if a count or a flag of the pages shows that all rows arrived."""
        return self._claims.confirm() or self.last.reports_last

    def all_rows_arrived(self) -> bool:
        """Return True if as many rows arrived as the API counts."""
        return self._proof.all_rows_arrived or self._claims.confirm_rows()

    def is_last_page(self, is_short: bool) -> bool:
        """Return True if all rows arrived, and the last page is the last one by size or number.

        Args:
            is_short: True if it had fewer rows than a page before it.
        """
        by_number = self._claims.confirm_pages()
        # a number of rows or pages may be that of pages, with further rows after a short one
        by_rows = self._claims.confirm_rows((Unit.ROWS,))
        by_size = is_short and (self._proof.all_rows_arrived or by_rows)
        is_last = by_size or (by_number and self.all_rows_arrived())
        return is_last and not self.last.reports_more

    def is_past_all_rows(self, status: int, is_short: bool) -> bool:
        """Return True if an error is the end, as all rows arrived by the API's own count.

        Args:
            status: that of the error.
            is_short: True if the page before it had fewer rows than another one.
        """
        is_limit = status in REFUSED and self._claims.received % ROUND_LIMIT == 0
        return self.all_rows_arrived() and (not is_limit or self.is_last_page(is_short))

    @property
    def counts_may_be_of_page(self) -> bool:
        """True if the first page has as many rows as it counts, and states that more follow.

        Such a number may be that of the page. Offsets and page numbers go on to the next one.
        """
        return self._pages == 1 and not self._is_by_place and self.last.reports_more

    @property
    def names_next_page(self) -> bool:
        """True if the last page refers to a next one, and nothing reports the end."""
        is_named = self.last.reports_more and self.last.next_page is not None
        return is_named and not self._claims.confirm_rows()

    def objection(self, by_counts: bool = False) -> str | None:
        """Return what speaks against an end here, and the remedy; None if nothing does.

        Args:
            by_counts: True to leave out flags and references, as the page after them is no page.
        """
        missing = self._claims.missing()
        if missing:
            name, count = missing
            return _objection(name, f"`{name}` is {count}")
        is_counted = self._claims.confirm() and not self.counts_may_be_of_page
        if by_counts or is_counted or not self.last.reports_more:
            return None
        if self.last.flag:
            name = self.last.flag[0]
            return _objection(name, f"`{name}` says so")
        page = self.last.next_page
        assert page, "else nothing reports more"
        follow = f'to follow it, write `"paginator": {page.paginator}` in `endpoint` of the entry; '
        return _objection(page.name, f"it has `{page.name}`", follow)

    @property
    def has_link_alone(self) -> bool:
        """True if nothing but a reference to a next page speaks against an end here."""
        return not self._claims.missing() and self.last.flag is None and self.last.reports_more


def _objection(name: str, sign: str, remedy: str = "") -> str:
    return (
        f"the last page states that more rows follow ({sign}), but `paginator` finds no next "
        f'page; {remedy}if the field means something else, write `"ignored_fields": ["{name}"]` '
        "in `paginator`"
    )
