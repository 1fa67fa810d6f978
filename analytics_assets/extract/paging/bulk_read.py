"""The pages between the first and the last of a read, as long as nothing about them is unusual.

dlt's client brings the first page, the last one, and each that is not quite as it should be: what
is done then stands in one place. The others, most of a large resource, are read here, many at a
time: while some are decoded in a thread of their own, the next ones come.
"""

import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple
from urllib.parse import quote

import requests
from dlt.sources.helpers.rest_client.client import PageData

from analytics_assets.extract.http.limits.concurrency import Window
from analytics_assets.extract.http.transfer import Bodies, Body
from analytics_assets.extract.paging.page_range import Span
from analytics_assets.extract.paging.paginator import CompletePages
from analytics_assets.extract.paging.total import ALL_HEADERS
from analytics_assets.extract.rows.page_decoder import Envelope, TypedPages, TypedRows
from analytics_assets.extract.rows.response_body import RowsPath

FEWEST = 20  # pages for which it pays to begin
UNUSUAL_AT_MOST = 3  # pages in a row; then the rest is left to dlt
SOUND_AT_MOST = 10  # ways of saying the same that are remembered
BATCH_ROWS = 20_000
BATCH_BYTES = 8 * 1024 * 1024
HELD_AHEAD = 64 * 1024 * 1024  # bytes of answers that may wait


class Page(NamedTuple):
    """A page that looks plain from outside.

    Args:
        place: where it is.
        rows: the JSON of its rows.
    """

    place: int
    rows: bytes


class MiddlePages:
    """Reads on where dlt's client has brought a page, up to one that it has to bring.

    Args:
        typed: decodes pages.
        rows: where rows are, and what a body without them must be.
        bodies: gets pages.
        window: how many pages to ask for ahead.
    """

    def __init__(self, typed: TypedPages, rows: RowsPath, bodies: Bodies, window: Window) -> None:
        self._typed = typed
        self._rows_path = rows
        self._bodies = bodies
        self._window = window
        self._asked: deque[int] = deque()  # the places of the pages that are on their way
        self._kept: deque[Page] = deque()  # those that came, and are not counted in
        self._unusual = 0
        self._batch_pages = 1
        self._sound: set[tuple[Envelope, tuple[str | None, ...]]] = set()
        self._decoding = ThreadPoolExecutor(1, "decode-pages")

    def read(self, page: PageData[Any], pages: CompletePages) -> Iterator[Any]:
        """Read the pages behind one.

        Args:
            page: what dlt's client has brought last.
            pages: how far the read is; moved on to the page that dlt's client is to bring next.

        Yields:
            Arrow tables.
        """
        span = pages.span_ahead()
        # where the API has redirected, dlt's client knows what to send along
        url_of = _urls(page.response.request, span) if span and not page.response.history else None
        few = span is not None and self._count(span, pages) < FEWEST
        pages.ask_ahead(url_of is None or few or self.is_over)
        if span is None or url_of is None or few or self.is_over:
            return
        self._drop_all_before(span.start)
        place = span.start
        for rows, count in self._counted_in(page.response.request, url_of, span, pages):
            place += count * span.step
            self._unusual = 0
            yield rows
        if place != span.start:
            pages.move_to(place, page.request)
        self._drop_all_before(place + span.step)
        if place != span.end and not pages.proof.trouble:
            self._unusual += 1
        if self.is_over:
            self.forget()
            pages.ask_ahead(True)

    def _counted_in(
        self,
        request: requests.PreparedRequest,
        url_of: Callable[[int], str],
        span: Span,
        pages: CompletePages,
    ) -> Iterator[tuple[Any, int]]:
        """Give tables that are counted in, and the number of their pages, while all is plain."""
        decoded: deque[tuple[list[Page], Future[TypedRows | None]]] = deque()
        for batch in self._batches(request, url_of, span, pages):
            if batch:
                decoded.append((batch, self._decode(batch, span)))
            while len(decoded) > bool(batch):  # while one is decoded, the next one comes
                first, rows = decoded.popleft()
                counted = 0
                for table, count in self._judged(first, rows.result(), span, pages):
                    counted += count
                    yield table, count
                if counted < len(first) or pages.proof.trouble:
                    later = [page for batch, _ in decoded for page in batch]
                    self._kept.extendleft(reversed([*first[counted:], *later]))
                    return

    def _decode(self, batch: Sequence[Page], span: Span) -> "Future[TypedRows | None]":
        return self._decoding.submit(self._typed.decode, [page.rows for page in batch], span.step)

    def _batches(
        self,
        request: requests.PreparedRequest,
        url_of: Callable[[int], str],
        span: Span,
        pages: CompletePages,
    ) -> Iterator[list[Page]]:
        """Give pages in the order of their places, up to one that is not plain.

        There are more of them in a batch from one to the next, so that what is wrong with all is
        found out at the first. An empty batch says to count all in before going on.
        """
        batch: list[Page] = []
        place, longest = span.start, 0
        while span.end is None or place < span.end:
            page = self._kept.popleft() if self._kept else None
            if page is None:
                self._ask(request, url_of, span, pages, place)
                body = self._bodies.take()
                self._asked.popleft()
                page = self._plain_page(place, body, pages)
            if page is None:
                break
            batch.append(page)
            place += span.step
            longest = max(longest, len(page.rows))
            may_be_last = span.end is None and len(page.rows) < longest / 2
            full = len(batch) >= self._batch_pages or len(batch) * longest >= BATCH_BYTES
            if may_be_last or full:
                yield batch
                self._batch_pages = min(len(batch) * 2, max(1, BATCH_ROWS // span.step))
                batch = []
            if may_be_last:
                yield []
        yield batch
        yield []

    def _judged(
        self, batch: Sequence[Page], rows: TypedRows | None, span: Span, pages: CompletePages
    ) -> Iterator[tuple[Any, int]]:
        """Count the pages of a batch in, up to one that dlt's client is to look at."""
        if rows is None and len(batch) > 1:
            self._batch_pages = 1
            for page in batch:
                counted = list(
                    self._judged([page], self._decode([page], span).result(), span, pages)
                )
                yield from counted
                if not counted or pages.proof.trouble:
                    return
            return
        if rows is None:
            return
        count = 0
        while count < len(batch) and not pages.proof.trouble:
            of_page = slice(count * span.step, (count + 1) * span.step)
            keys = rows.keys[of_page]
            if pages.proof.is_page_before(keys):
                break
            pages.proof.add_keyed(keys, rows.contents[of_page], pages.proof.total)
            count += 1
        if count:
            yield rows.table.slice(0, count * span.step), count

    def _ask(
        self,
        request: requests.PreparedRequest,
        url_of: Callable[[int], str],
        span: Span,
        pages: CompletePages,
        place: int,
    ) -> None:
        """Send for as many of the next pages as the window has room for, and for one at least."""
        room = min(self._window.size, HELD_AHEAD // max(pages.bytes_of_page, 1))
        if span.end is None:  # pages that may not be there are asked for with restraint
            room = min(room, pages.proof.received // span.step)
        place = self._asked[-1] + span.step if self._asked else place
        while len(self._asked) < max(room, 1) and (span.end is None or place < span.end):
            self._bodies.ask(request, url_of(place))
            self._asked.append(place)
            place += span.step

    @staticmethod
    def _count(span: Span, pages: CompletePages) -> int:
        """Return how many pages there are, or were so far if the API does not say."""
        return pages.proof.received // span.step if span.pages is None else span.pages

    def _plain_page(self, place: int, body: Body | None, pages: CompletePages) -> Page | None:
        """Take a page apart; None if dlt's client is to look at it."""
        page = self._typed.take_apart(body.content) if body else None
        if body is None or page is None or not self._is_sound(page.envelope, body, pages):
            return None
        self._window.page()
        return Page(place, page.rows)

    def _is_sound(self, envelope: Envelope, body: Body, pages: CompletePages) -> bool:
        """Tell whether a page says what those before it said of all rows."""
        known = envelope, tuple(map(body.headers.get, ALL_HEADERS))
        if known in self._sound:
            return True
        around = self._typed.around(envelope)
        response = requests.Response()
        response.headers.update(body.headers)
        response.json = lambda **_: around  # type: ignore[method-assign]
        if self._rows_path.complaint(around) or not pages.goes_on_as_before(response):
            return False
        if len(self._sound) < SOUND_AT_MOST:  # where each page says something else it is no use
            self._sound.add(known)
        return True

    def _drop_all_before(self, place: int) -> None:
        """Keep of what has come, and of what is on its way, only what goes on from a place."""
        while self._kept and self._kept[0].place < place:
            self._kept.popleft()
        begins = self._kept[0].place if self._kept else self._asked[0] if self._asked else place
        if begins != place:
            self.forget()

    def forget(self) -> None:
        """Drop what is on its way, as the pass that it was for is over."""
        self._kept.clear()
        self._asked.clear()
        self._bodies.forget()
        self._sound.clear()

    @property
    def is_over(self) -> bool:
        """Whether the rest of the read is left to dlt's client."""
        return self._unusual >= UNUSUAL_AT_MOST

    def close(self) -> None:
        """Leave no request, connection or thread behind."""
        self._decoding.shutdown(cancel_futures=True)
        self._bodies.close()


def _urls(request: requests.PreparedRequest, span: Span) -> Callable[[int], str] | None:
    """Return what makes the URL of a page from its place, by the URL of another page."""
    if request.method != "GET" or request.body or not span.parameter or not request.url:
        return None
    parts = re.split(rf"([?&]{re.escape(quote(span.parameter))}=)\d+(?=&|$)", request.url)
    if len(parts) != 3:  # what is before it, its name, what is behind it
        return None
    before, name, behind = parts
    return lambda place: f"{before}{name}{place}{behind}"
