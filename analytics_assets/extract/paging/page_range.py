"""Ranges of pages, and the limits that are set for one of dlt's paginators."""

from dataclasses import dataclass

import requests
from dlt.common import jsonpath
from dlt.sources.helpers.rest_client.paginators import (
    BasePaginator,
    OffsetPaginator,
    PageNumberPaginator,
    RangePaginator,
    SinglePagePaginator,
)

from analytics_assets.extract.paging.evidence.total import as_count


@dataclass(frozen=True)
class PageRange:
    """The offsets of pages that are neither the first nor the last.

    Args:
        start: the offset of the next page.
        step: the distance between two of them, and the number of rows of each.
        end: the first offset that is not among them; None if it is unknown.
        parameter: the parameter of the URL that holds the offset.
    """

    start: int
    step: int
    end: int | None
    parameter: str

    @property
    def count(self) -> int | None:
        """The number of pages; None if it is unknown."""
        return None if self.end is None else -(-(self.end - self.start) // self.step)


def is_single_page(paginator: BasePaginator | None) -> bool:
    """Return True if the configuration names only one page."""
    return isinstance(paginator, SinglePagePaginator)


def follows_links(paginator: BasePaginator | None) -> bool:
    """Return True if each page names the next one, by a link or a cursor, or there is one only."""
    return not isinstance(paginator, OffsetPaginator | PageNumberPaginator | None)


def end_of_pages(paginator: RangePaginator, total: int | None, rows: int) -> int | None:
    """Return the first place at which there is no page.

    Args:
        paginator: counts places by rows or by pages.
        total: the number of all rows, if the API gives it.
        rows: the number of rows of a page.

    Returns:
        The place; None if it is unknown.
    """
    ends = [] if paginator.maximum_value is None else [paginator.maximum_value]
    if total is not None and rows:
        by_rows = isinstance(paginator, OffsetPaginator)
        ends.append(paginator.initial_value + (total if by_rows else -(-total // rows)))
    return min(ends, default=None)


def end_at_empty_page(paginator: PageNumberPaginator, response: requests.Response) -> None:
    """End the read at an empty page where the API gives no number of pages.

    dlt 1.31 raises there, and prints the whole page.
    """
    path = paginator.total_path
    found = jsonpath.find_values(path, response.json()) if path else []
    if not found or as_count(found[0]) is None:
        paginator.total_path = None
        paginator.stop_after_empty_page = True
