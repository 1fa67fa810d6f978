"""The pages between the first and the last of a read, as long as nothing about them is unusual.

dlt's client fetches the first page, the last one, and each that is not quite as it should be:
errors, retries and odd pages are treated in one place. The others, most of a large resource, are
read here, many at a time: while some are decoded in a thread of their own, the next ones arrive.
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
from analytics_assets.extract.paging.page_range import PageRange
from analytics_assets.extract.paging.paginator import VerifyingPaginator
from analytics_assets.extract.paging.total import ALL_HEADERS
from analytics_assets.extract.rows.data_selector import DataSelector
from analytics_assets.extract.rows.page_decoder import Envelope, PageDecoder, TypedRows

FEWEST = 20  # pages that are worth a bulk read
MOST_UNUSUAL = 3  # pages in a row; then the rest is left to dlt
MOST_SOUND = 10  # envelopes that are remembered
BATCH_ROWS = 20_000
BATCH_BYTES = 8 * 1024 * 1024
HELD_AHEAD = 64 * 1024 * 1024  # bytes of answers that may wait


class PlainPage(NamedTuple):
    """A page whose envelope is as usual.

    Args:
        offset: of its first row.
        rows: the JSON of its rows.
    """

    offset: int
    rows: bytes


class BulkRead:
    """Continues behind a page that dlt's client has fetched, up to one that it has to fetch.

    Args:
        decoder: decodes pages.
        selector: the place of rows in a body.
        prefetcher: fetches pages.
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
        self._asked: deque[int] = deque()  # the offsets of pages on their way
        self._kept: deque[PlainPage] = deque()  # arrived, and not counted in
        self._unusual = 0
        self._batch_pages = 1
        self._sound: set[tuple[Envelope, tuple[str | None, ...]]] = set()
        self._decoding = ThreadPoolExecutor(1, "decode-pages")

    def read(self, page: PageData[Any], paginator: VerifyingPaginator) -> Iterator[Any]:
        """Read the pages behind one.

        Args:
            page: the one that dlt's client has fetched last.
            paginator: moved to the page that dlt's client is to fetch next.

        Yields:
            Arrow tables.
        """
        pages = paginator.page_range()
        # after a redirect, dlt's client knows which headers to send
        redirected = bool(page.response.history)
        url_of = _urls(page.response.request, pages) if pages and not redirected else None
        few = pages is not None and self._expected(pages, paginator) < FEWEST
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
        if offset != pages.end and not paginator.proof.trouble:
            self._unusual += 1
        if self.is_over:
            self.forget()
            paginator.prefetch(True)

    def _tables(
        self,
        request: requests.PreparedRequest,
        url_of: Callable[[int], str],
        pages: PageRange,
        paginator: VerifyingPaginator,
    ) -> Iterator[tuple[Any, int]]:
        """Yield tables that are counted in, and the number of their pages, while all is plain."""
        decoded: deque[tuple[list[PlainPage], Future[TypedRows | None]]] = deque()
        for batch in self._batches(request, url_of, pages, paginator):
            if batch:
                decoded.append((batch, self._decode(batch, pages)))
            while len(decoded) > bool(batch):  # while one is decoded, the next one arrives
                first, rows = decoded.popleft()
                counted = 0
                for table, count in self._count_in(first, rows.result(), pages, paginator):
                    counted += count
                    yield table, count
                if counted < len(first) or paginator.proof.trouble:
                    later = [page for batch, _ in decoded for page in batch]
                    self._kept.extendleft(reversed([*first[counted:], *later]))
                    return

    def _decode(self, batch: Sequence[PlainPage], pages: PageRange) -> "Future[TypedRows | None]":
        return self._decoding.submit(
            self._decoder.decode, [page.rows for page in batch], pages.step
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
        empty batch, all pages are to be counted in before the next is asked for.
        """
        batch: list[PlainPage] = []
        offset, longest = pages.start, 0
        while pages.end is None or offset < pages.end:
            page = self._kept.popleft() if self._kept else None
            if page is None:
                self._ask(request, url_of, pages, paginator, offset)
                body = self._prefetcher.next_page()
                self._asked.popleft()
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

    def _count_in(
        self,
        batch: Sequence[PlainPage],
        rows: TypedRows | None,
        pages: PageRange,
        paginator: VerifyingPaginator,
    ) -> Iterator[tuple[Any, int]]:
        """Count the pages of a batch in, up to one that dlt's client is to fetch."""
        if rows is None and len(batch) > 1:
            self._batch_pages = 1
            for page in batch:
                counted = list(
                    self._count_in([page], self._decode([page], pages).result(), pages, paginator)
                )
                yield from counted
                if not counted or paginator.proof.trouble:
                    return
            return
        if rows is None:
            return
        count = 0
        while count < len(batch) and not paginator.proof.trouble:
            of_page = slice(count * pages.step, (count + 1) * pages.step)
            keys = rows.keys[of_page]
            if paginator.proof.is_page_before(keys):
                break
            paginator.proof.add_keyed(keys, rows.hashes[of_page], paginator.proof.total)
            count += 1
        if count:
            yield rows.table.slice(0, count * pages.step), count

    def _ask(
        self,
        request: requests.PreparedRequest,
        url_of: Callable[[int], str],
        pages: PageRange,
        paginator: VerifyingPaginator,
        offset: int,
    ) -> None:
        """Ask for as many of the next pages as the concurrency allows, and for one at least."""
        most = min(self._concurrency.size, HELD_AHEAD // max(paginator.bytes_of_page, 1))
        if pages.end is None:  # which may not exist: at most as many as came so far
            most = min(most, paginator.proof.received // pages.step)
        offset = self._asked[-1] + pages.step if self._asked else offset
        while len(self._asked) < max(most, 1) and (pages.end is None or offset < pages.end):
            self._prefetcher.request(request, url_of(offset))
            self._asked.append(offset)
            offset += pages.step

    @staticmethod
    def _expected(pages: PageRange, paginator: VerifyingPaginator) -> int:
        """Return how many pages there are, or came so far if the API gives no total."""
        return paginator.proof.received // pages.step if pages.count is None else pages.count

    def _plain_page(
        self, offset: int, body: RawPage | None, paginator: VerifyingPaginator
    ) -> PlainPage | None:
        """Split a page into rows and envelope; None if dlt's client is to fetch it."""
        page = self._decoder.split(body.content) if body else None
        if body is None or page is None or not self._is_sound(page.envelope, body, paginator):
            return None
        self._concurrency.record_page()
        return PlainPage(offset, page.rows)

    def _is_sound(self, envelope: Envelope, body: RawPage, paginator: VerifyingPaginator) -> bool:
        """Return True if a page says the same of all rows as those before it."""
        known = envelope, tuple(map(body.headers.get, ALL_HEADERS))
        if known in self._sound:
            return True
        around = self._decoder.body_of(envelope)
        if self._selector.problem(around) or not paginator.is_as_before(around, body.headers):
            return False
        if len(self._sound) < MOST_SOUND:  # of no use where each page has its own
            self._sound.add(known)
        return True

    def _drop_all_before(self, offset: int) -> None:
        """Drop the pages before an offset, and all if they do not continue from there."""
        while self._kept and self._kept[0].offset < offset:
            self._kept.popleft()
        begins = self._kept[0].offset if self._kept else self._asked[0] if self._asked else offset
        if begins != offset:
            self.forget()

    def forget(self) -> None:
        """Drop what is on its way, as its pass is over."""
        self._kept.clear()
        self._asked.clear()
        self._prefetcher.discard()
        self._sound.clear()

    @property
    def is_over(self) -> bool:
        """True if the rest of the read is left to dlt's client."""
        return self._unusual >= MOST_UNUSUAL

    def close(self) -> None:
        """Close all requests, connections and threads."""
        self._decoding.shutdown(cancel_futures=True)
        self._prefetcher.close()


def _urls(request: requests.PreparedRequest, pages: PageRange) -> Callable[[int], str] | None:
    """Return a function that makes the URL of a page from its offset, by another page's URL."""
    if request.method != "GET" or request.body or not pages.parameter or not request.url:
        return None
    parts = re.split(rf"([?&]{re.escape(quote(pages.parameter))}=)\d+(?=&|$)", request.url)
    if len(parts) != 3:  # text before, name, text behind
        return None
    before, name, behind = parts
    return lambda offset: f"{before}{name}{offset}{behind}"
