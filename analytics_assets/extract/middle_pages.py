"""The pages between the first and the last of a read, as long as nothing about them is unusual.

dlt's client brings the first page, the last one, and each that is not quite as it should be: what
is done then stands in one place. The others, most of a large resource, are read here.
"""

import re
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import requests
from dlt.sources.helpers.rest_client.client import PageData

from analytics_assets.extract.bodies import Bodies, Body
from analytics_assets.extract.body import RowsPath
from analytics_assets.extract.pages import CompletePages
from analytics_assets.extract.paginators import Span
from analytics_assets.extract.total import ALL_HEADERS
from analytics_assets.extract.typed_pages import Columns, Envelope, TypedPages
from analytics_assets.extract.window import Window

FEWEST = 20  # pages for which it pays to begin
UNUSUAL_AT_MOST = 3  # pages in a row; then the rest is left to dlt
SOUND_AT_MOST = 10  # ways of saying the same that are remembered
BATCH_ROWS = 10_000
BATCH_BYTES = 16 * 1024 * 1024
HELD_AHEAD = 64 * 1024 * 1024  # bytes of answers that may wait


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
        self._unusual = 0
        self._sound: set[tuple[Envelope, tuple[str | None, ...]]] = set()

    def read(self, page: PageData[Any], pages: CompletePages) -> Iterator[Any]:
        """Read the pages behind one.

        Args:
            page: what dlt's client has brought last.
            pages: how far the read is; moved on to the page that dlt's client is to bring next.

        Yields:
            Arrow tables, and lists of rows where a table could not be made of them.
        """
        span = pages.span_ahead()
        # where the API has redirected, dlt's client knows what to send along
        url_of = _urls(page.response.request, span) if span and not page.response.history else None
        few = span is not None and self._count(span, pages) < FEWEST
        pages.ask_ahead(url_of is None or few or self.is_over)
        if span is None or url_of is None or few or self.is_over:
            return
        if self._asked and self._asked[0] != span.start:
            self.forget()
        batch = Columns()
        place = span.start
        while span.end is None or place < span.end:
            self._ask(page.response.request, url_of, span, pages, place)
            body = self._bodies.take()
            self._asked.popleft()
            rows = self._plain_rows(body, pages, span)
            if body is None or rows is None:
                self._unusual += 1
                break
            self._unusual = 0
            self._window.page()
            batch.add(rows, body.content)
            place += span.step
            if batch.rows >= BATCH_ROWS or batch.bytes >= BATCH_BYTES:
                yield from self._table(batch)
                batch = Columns()
            if pages.proof.trouble:
                break
        if batch.rows:
            yield from self._table(batch)
        if place != span.start:
            pages.move_to(place, page.request)
        if self.is_over:
            self.forget()
            pages.ask_ahead(True)

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

    def forget(self) -> None:
        """Drop what is on its way, as the pass that it was for is over."""
        self._asked.clear()
        self._bodies.forget()

    @property
    def is_over(self) -> bool:
        """Whether the rest of the read is left to dlt's client."""
        return self._unusual >= UNUSUAL_AT_MOST

    def _plain_rows(self, body: Body | None, pages: CompletePages, span: Span) -> list[Any] | None:
        """Count a page in, and return its rows; None if dlt's client is to look at it."""
        page = self._typed.read(body.content) if body else None
        if body is None or page is None or len(page.rows) != span.step:
            return None
        if not self._is_sound(page.envelope, body, pages):
            return None
        keys = self._typed.keys(page.rows)
        if pages.proof.is_page_before(keys):
            return None
        pages.proof.add_keyed(keys, self._typed.contents(page.rows), pages.proof.total)
        return page.rows

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

    def _table(self, batch: Columns) -> Iterator[Any]:
        table = self._typed.table(batch)
        if table is not None:
            yield table
            return
        for body in batch.bodies:
            yield self._typed.rows_as_they_came(body)

    def close(self) -> None:
        """Leave no request, connection or thread behind."""
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
