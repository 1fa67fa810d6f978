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
        proof: counts the pages and rows of the pass.
        paginator: dlt's, at the first page; None if it is not known yet.
    """

    def __init__(self, proof: Proof, paginator: BasePaginator | None) -> None:
        self._proof = proof
        self._claims = CountClaims()
        self._pages_before = self._rows_before = self._longest = 0
        if isinstance(paginator, PageNumberPaginator):
            before = paginator.initial_value - paginator.base_index
            # page 1 may be the first one although `base_page` is 0
            self._pages_before = before if before > 1 else 0
        elif isinstance(paginator, OffsetPaginator):
            self._rows_before = paginator.initial_value
        self.last = Evidence()

    def add(self, evidence: Evidence, rows: int, request: requests.PreparedRequest) -> None:
        """Add the evidence of a page, after the proof has counted it.

        Args:
            evidence: that of the page.
            rows: the number of its rows.
            request: the request for it.
        """
        self._longest = max(self._longest, rows)
        counts = evidence.counts
        has_row_count = any(count.unit is Unit.ROWS for count in counts.values())
        requested = requested_sizes(str(request.url)) if has_row_count else ()
        self._claims.add(counts, rows, {*evidence.sizes, *requested})
        self.last = evidence

    @property
    def _pages(self) -> int:
        """The number of pages of the API up to here, with those before the first request."""
        before = -(-self._rows_before // self._longest) if self._longest else self._pages_before
        return max(before, self._pages_before) + self._proof.pages

    @property
    def _received(self) -> int:
        return self._rows_before + self._proof.received

    def is_confirmed(self) -> bool:
        """Return True if a count or a flag of the pages shows that all rows arrived."""
        by_count = self._claims.confirm(self._received, self._pages)
        return bool(self._proof.pages) and (by_count or self.last.reports_last)

    def all_rows_arrived(self) -> bool:
        """Return True if as many rows arrived as the API counts."""
        return self._proof.all_rows_arrived or self._claims.confirm_rows(self._received)

    def is_last_page(self, is_short: bool) -> bool:
        """Return True if all rows arrived, and the last page is the last one by size or number.

        Args:
            is_short: True if it had fewer rows than a page before it.
        """
        by_number = self._claims.confirm_pages(self._received, self._pages)
        # a number of rows or pages may be that of pages, with further rows after a short one
        by_rows = self._claims.confirm_rows(self._received, (Unit.ROWS,))
        by_size = is_short and (self._proof.all_rows_arrived or by_rows)
        is_last = by_size or (by_number and self.all_rows_arrived())
        return is_last and not self.last.reports_more

    def is_past_all_rows(self, status: int, is_short: bool) -> bool:
        """Return True if an error is the end, as all rows arrived by the API's own count.

        Args:
            status: that of the error.
            is_short: True if the page before it had fewer rows than another one.
        """
        is_limit = status in REFUSED and self._received % ROUND_LIMIT == 0
        return self.all_rows_arrived() and (not is_limit or self.is_last_page(is_short))

    def continues(self, paginator: BasePaginator | None) -> bool:
        """Return True if a next page is named where dlt ends a read by its page number."""
        return (
            isinstance(paginator, PageNumberPaginator)
            and self.last.reports_more
            and self.last.next_page is not None
            and not self._claims.confirm_rows(self._received)
        )

    def objection(self, by_counts: bool = False) -> str | None:
        """Return what speaks against an end here, and the remedy; None if nothing does.

        Args:
            by_counts: True to leave out flags and references, as the page after them is no page.
        """
        missing = self._claims.missing(self._received, self._pages)
        if missing:
            name, count = missing
            return _objection(name, f"`{name}` is {count}")
        confirmed = self._claims.confirm(self._received, self._pages)
        if by_counts or confirmed or not self.last.reports_more:
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
        return (
            not self._claims.missing(self._received, self._pages)
            and self.last.flag is None
            and self.last.reports_more
        )


def _objection(name: str, sign: str, remedy: str = "") -> str:
    return (
        f"the last page says that there is more ({sign}), and `paginator` finds no way to it; "
        f'{remedy}if it means something else, write `"ignored_fields": ["{name}"]` in `paginator`'
    )
