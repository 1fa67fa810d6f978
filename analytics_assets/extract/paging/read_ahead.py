"""The pages that are requested ahead of dlt's client, if their places are known."""

from collections.abc import Callable

import requests
from dlt.sources.helpers.rest_client.paginators import RangePaginator

from analytics_assets.extract.http.prefetch.threads import ThreadPrefetcher
from analytics_assets.extract.paging.page_range import end_of_pages
from analytics_assets.extract.paging.position import Position


class ReadAhead:
    """Requests pages ahead in each read.

    Args:
        prefetcher: returns the prefetcher of a read; None to request one page at a time.
    """

    def __init__(self, prefetcher: Callable[[], ThreadPrefetcher] | None) -> None:
        self._make = prefetcher
        self._prefetcher: ThreadPrefetcher | None = None
        self._is_on = False

    def begin(self) -> None:
        """Start another read."""
        self._prefetcher = self._make() if self._make else None

    def turn(self, on: bool) -> None:
        """Turn prefetching on or off."""
        self._is_on = on
        if not on:
            self.discard()

    def request_after(
        self, request: requests.Request, position: Position, total: int | None, size: int
    ) -> None:
        """Request the pages that follow.

        Args:
            request: the request for the next page.
            position: at the next page.
            total: the number of all rows, if the API gives it.
            size: bytes of the page that arrived.
        """
        paginator = position.paginator
        if self._prefetcher and self._is_on and isinstance(paginator, RangePaginator):
            end = end_of_pages(paginator, total, position.longest)
            self._prefetcher.page_arrived(request, paginator, position.step, end, size)

    def discard(self) -> None:
        """Drop the pages in flight."""
        if self._prefetcher:
            self._prefetcher.discard()

    def close(self) -> None:
        """End the read."""
        if self._prefetcher:
            self._prefetcher.close()
