"""The pages between the first and the last of a read, as long as they are as expected.

dlt's client requests the first page, the last one, and each page that is not as expected, so that
errors and retries are handled in one place. The others, most of a large resource, are read here,
many at a time: while some are decoded in a thread of their own, the next ones arrive.
"""

import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple
from urllib.parse import quote

import requests
from dlt.sources.helpers.rest_client.client import PageData

from analytics_assets.extract.http.limits.concurrency import Concurrency
from analytics_assets.extract.http.prefetch.curl import CurlPrefetcher, RawPage
from analytics_assets.extract.paging.evidence.total import ALL_HEADERS
from analytics_assets.extract.paging.page_range import PageRange
from analytics_assets.extract.paging.paginator import VerifyingPaginator
from analytics_assets.extract.rows.data_selector import DataSelector
from analytics_assets.extract.rows.page_decoder import Envelope, PageDecoder, TypedRows

MIN_PAGES = 20  # of a read; for fewer, a bulk read is not faster
MAX_UNUSUAL = 3  # pages in a row; dlt's client requests all pages after them
MAX_ENVELOPES = 10  # that are kept as consistent
BATCH_ROWS = 20_000
BATCH_BYTES = 8 * 1024 * 1024
MAX_BYTES_AHEAD = 64 * 1024 * 1024  # of responses that wait to be decoded


class PlainPage(NamedTuple):
    """A page whose envelope is as expected.

    Args:
        offset: of its first row.
        rows: the JSON of its rows.
    """

    offset: int
    rows: bytes


class BulkRead:
    """Reads the pages after one of dlt's client, up to one that dlt's client must request.

    Args:
        decoder: decodes pages.
        selector: the place of rows in a body.
        prefetcher: requests pages.
        concurrency: the number of pages to request ahead.
    """

    def __init__(
        self,
        decoder: PageDecoder,
        selector: DataSelector,
        prefetcher: CurlPrefetcher,
        concurrency: Concurrency,
    ) -> None:
        self._decoder = decoder
        self._selector = selector
        self._prefetcher = prefetcher
        self._concurrency = concurrency
        self._requested: deque[int] = deque()  # the offsets of pages in flight
        self._uncounted: deque[PlainPage] = deque()  # arrived, not added to the proof
        self._unusual = 0
        self._batch_pages = 1
        self._consistent: set[tuple[Envelope, tuple[str | None, ...]]] = set()
        self._decoding = ThreadPoolExecutor(1, "decode-pages")

    def read(self, page: PageData[Any], paginator: VerifyingPaginator) -> Iterator[Any]:
        """Read the pages after one.

        Args:
            page: the last page of dlt's client.
            paginator: moved to the page that dlt's client requests next.

        Yields:
            Arrow tables.
        """
        pages = paginator.page_range()
        # after a redirect, only dlt's client sends the right headers
        redirected = bool(page.response.history)
        url_of = _urls(page.response.request, pages) if pages and not redirected else None
        few = pages is not None and self._expected(pages, paginator) < MIN_PAGES
        paginator.prefetch(url_of is None or few or self.is_over)
        if pages is None or url_of is None or few or self.is_over:
            return
        self._drop_all_before(pages.start)
        offset = pages.start
        for rows, count in self._tables(page.response.request, url_of, pages, paginator):
            offset += count * pages.step
            self._unusual = 0
            yield rows
        if offset != pages.start:
            paginator.jump_to(offset, page.request)
        self._drop_all_before(offset + pages.step)
        if offset != pages.end and not paginator.proof.inconsistency:
            self._unusual += 1
        if self.is_over:
            self.discard()
            paginator.prefetch(True)

    def _tables(
        self,
        request: requests.PreparedRequest,
        url_of: Callable[[int], str],
        pages: PageRange,
        paginator: VerifyingPaginator,
    ) -> Iterator[tuple[Any, int]]:
        """Yield tables that the proof has counted, each with the number of its pages."""
        decoded: deque[tuple[list[PlainPage], Future[TypedRows | None]]] = deque()
        for batch in self._batches(request, url_of, pages, paginator):
            if batch:
                decoded.append((batch, self._decode(batch, pages)))
            while len(decoded) > bool(batch):  # while one is decoded, the next one arrives
                first, rows = decoded.popleft()
                counted = 0
                for table, count in self._count(first, rows.result(), pages, paginator):
                    counted += count
                    yield table, count
                if counted < len(first) or paginator.proof.inconsistency:
                    later = [page for batch, _ in decoded for page in batch]
                    self._uncounted.extendleft(reversed([*first[counted:], *later]))
                    return

    def _decode(self, batch: Sequence[PlainPage], pages: PageRange) -> "Future[TypedRows | None]":
        return self._decoding.submit(
            self._decoder.decode_batch, [page.rows for page in batch], pages.step
        )

    def _batches(
        self,
        request: requests.PreparedRequest,
        url_of: Callable[[int], str],
        pages: PageRange,
        paginator: VerifyingPaginator,
    ) -> Iterator[list[PlainPage]]:
        """Yield pages in the order of their offsets, up to one that is not plain.

        Batches grow from one page on, so that a fault of all pages is found at the first. After an
        empty batch, the proof counts all pages before the next one is requested.
        """
        batch: list[PlainPage] = []
        offset, longest = pages.start, 0
        while pages.end is None or offset < pages.end:
            page = self._uncounted.popleft() if self._uncounted else None
            if page is None:
                self._request_ahead(request, url_of, pages, paginator, offset)
                body = self._prefetcher.next_page()
                self._requested.popleft()
                page = self._plain_page(offset, body, paginator)
            if page is None:
                break
            batch.append(page)
            offset += pages.step
            longest = max(longest, len(page.rows))
            may_be_last = pages.end is None and len(page.rows) < longest / 2
            full = len(batch) >= self._batch_pages or len(batch) * longest >= BATCH_BYTES
            if may_be_last or full:
                yield batch
                self._batch_pages = min(len(batch) * 2, max(1, BATCH_ROWS // pages.step))
                batch = []
            if may_be_last:
                yield []
        yield batch
        yield []

    def _count(
        self,
        batch: Sequence[PlainPage],
        rows: TypedRows | None,
        pages: PageRange,
        paginator: VerifyingPaginator,
    ) -> Iterator[tuple[Any, int]]:
        """Add the pages of a batch to the proof, up to one that dlt's client must request."""
        if rows is None and len(batch) > 1:
            self._batch_pages = 1
            for page in batch:
                counted = list(
                    self._count([page], self._decode([page], pages).result(), pages, paginator)
                )
                yield from counted
                if not counted or paginator.proof.inconsistency:
                    return
            return
        if rows is None:
            return
        count = 0
        while count < len(batch) and not paginator.proof.inconsistency:
            of_page = slice(count * pages.step, (count + 1) * pages.step)
            keys = rows.keys[of_page]
            if paginator.proof.repeats_keys(keys):
                break
            paginator.proof.add_keyed(keys, rows.hashes[of_page], paginator.proof.total)
            count += 1
        if count:
            yield rows.table.slice(0, count * pages.step), count

    def _request_ahead(
        self,
        request: requests.PreparedRequest,
        url_of: Callable[[int], str],
        pages: PageRange,
        paginator: VerifyingPaginator,
        offset: int,
    ) -> None:
        """Request as many of the next pages as the concurrency allows, and at least one."""
        most = min(self._concurrency.size, MAX_BYTES_AHEAD // max(paginator.bytes_of_page, 1))
        if pages.end is None:  # the pages may not exist: at most as many as arrived so far
            most = min(most, paginator.proof.received // pages.step)
        offset = self._requested[-1] + pages.step if self._requested else offset
        while len(self._requested) < max(most, 1) and (pages.end is None or offset < pages.end):
            self._prefetcher.request(request, url_of(offset))
            self._requested.append(offset)
            offset += pages.step

    @staticmethod
    def _expected(pages: PageRange, paginator: VerifyingPaginator) -> int:
        """Return the number of pages, or of those that arrived if the API gives no total."""
        return paginator.proof.received // pages.step if pages.count is None else pages.count

    def _plain_page(
        self, offset: int, body: RawPage | None, paginator: VerifyingPaginator
    ) -> PlainPage | None:
        """Split a page into rows and envelope; None if dlt's client must request it."""
        page = self._decoder.split(body.content) if body else None
        if body is None or page is None or not self._is_consistent(page.envelope, body, paginator):
            return None
        self._concurrency.record_page()
        return PlainPage(offset, page.rows)

    def _is_consistent(
        self, envelope: Envelope, body: RawPage, paginator: VerifyingPaginator
    ) -> bool:
        """Return True if total and end in a page's envelope are those of the pages before."""
        known = envelope, tuple(map(body.headers.get, ALL_HEADERS))
        if known in self._consistent:
            return True
        around = self._decoder.body_of(envelope)
        if self._selector.problem(around) or not paginator.is_as_before(around, body.headers):
            return False
        if len(self._consistent) < MAX_ENVELOPES:  # useless where each page has its own
            self._consistent.add(known)
        return True

    def _drop_all_before(self, offset: int) -> None:
        """Drop the pages before an offset, and all if they do not continue from there."""
        while self._uncounted and self._uncounted[0].offset < offset:
            self._uncounted.popleft()
        held = [*(page.offset for page in self._uncounted), *self._requested]
        if held and held[0] != offset:
            self.discard()

    def discard(self) -> None:
        """Drop the pages in flight, and those that arrived, as their pass is over."""
        self._uncounted.clear()
        self._requested.clear()
        self._prefetcher.discard()
        self._consistent.clear()

    @property
    def is_over(self) -> bool:
        """True if dlt's client requests the rest of the pages."""
        return self._unusual >= MAX_UNUSUAL

    def close(self) -> None:
        """Close all requests, connections and threads."""
        self._decoding.shutdown(cancel_futures=True)
        self._prefetcher.close()


def _urls(request: requests.PreparedRequest, pages: PageRange) -> Callable[[int], str] | None:
    """Return a function that makes the URL of a page from its offset; None if impossible."""
    if request.method != "GET" or request.body or not pages.parameter or not request.url:
        return None
    parts = re.split(rf"([?&]{re.escape(quote(pages.parameter))}=)\d+(?=&|$)", request.url)
    if len(parts) != 3:  # text before, name, text after
        return None
    before, name, after = parts
    return lambda offset: f"{before}{name}{offset}{after}"
