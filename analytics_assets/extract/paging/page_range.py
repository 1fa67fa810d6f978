"""What is asked of dlt's paginators: where their pages are, and where they end."""

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

from analytics_assets.extract.paging.total import as_count


@dataclass(frozen=True)
class Span:
    """Where pages are that are neither the first nor the last.

    Args:
        start: the place of the next page.
        step: how far they are apart, and how many rows each has.
        end: the first place that is not among them; None if there is no telling.
        parameter: the parameter of the URL that says the place.
    """

    start: int
    step: int
    end: int | None
    parameter: str

    @property
    def pages(self) -> int | None:
        """How many there are, as far as that is known."""
        return None if self.end is None else -(-(self.end - self.start) // self.step)


def is_single_page(paginator: BasePaginator | None) -> bool:
    """Tell whether the configuration itself says that there is one page only."""
    return isinstance(paginator, SinglePagePaginator)


def is_named_on(paginator: BasePaginator | None) -> bool:
    """Tell whether the API itself names each next page, or there is none."""
    return not isinstance(paginator, OffsetPaginator | PageNumberPaginator | None)


def is_at_maximum(paginator: BasePaginator | None) -> bool:
    """Tell whether the configuration asks for no page at this place or behind it."""
    if not isinstance(paginator, OffsetPaginator | PageNumberPaginator):
        return False
    most = paginator.maximum_value
    return most is not None and paginator.current_value >= most


def end_of_pages(paginator: RangePaginator, total: int | None, rows: int) -> int | None:
    """Return the first place at which there is no page any more.

    Args:
        paginator: says what places are.
        total: the number of all rows, if the API says it.
        rows: how many rows a page has.

    Returns:
        The place; None if there is no telling.
    """
    ends = [] if paginator.maximum_value is None else [paginator.maximum_value]
    if total is not None and rows:
        by_rows = isinstance(paginator, OffsetPaginator)
        ends.append(paginator.initial_value + (total if by_rows else -(-total // rows)))
    return min(ends, default=None)


def forget_missing_paths(paginator: PageNumberPaginator, response: requests.Response) -> None:
    """Let the read end at an empty page where the API says no number of pages.

    dlt 1.31 raises there, and prints the whole page.
    """
    path = paginator.total_path
    found = jsonpath.find_values(path, response.json()) if path else []
    if not found or as_count(found[0]) is None:
        paginator.total_path = None
        paginator.stop_after_empty_page = True
