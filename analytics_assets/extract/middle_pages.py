"""The pages between the first and the last of a read, as long as nothing about them is unusual.

dlt's client brings the first page, the last one, and each that is not quite as it should be: what
is done then stands in one place. The others, most of a large resource, are read here.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import requests
from dlt.sources.helpers.rest_client.client import PageData

from analytics_assets.extract.bodies import Bodies, Body
from analytics_assets.extract.body import RowsPath
from analytics_assets.extract.pages import CompletePages, Span
from analytics_assets.extract.total import ALL_HEADERS
from analytics_assets.extract.typed_pages import Envelope, TypedPages
from analytics_assets.extract.window import Window

FEWEST = 8  # pages for which it pays to begin
UNUSUAL_AT_MOST = 3  # pages in a row; then the rest is left to dlt
BATCH_ROWS = 20_000
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
        if span is None or self.is_over or (span.pages or FEWEST) < FEWEST:
            return
        url_of = _urls(page.response.request, span)
        if url_of is None:
            return
        batch: list[Any] = []
        contents: list[bytes] = []
        place = asked = span.start
        known_pages = pages.proof.received // span.step
        while span.end is None or place < span.end:
            room = max(1, min(self._window.size, HELD_AHEAD // max(pages.bytes_of_page, 1)))
            if span.end is None:  # pages that may not be there are asked for with restraint
                room = min(room, known_pages)
            while len(self._bodies) < room and (span.end is None or asked < span.end):
                self._bodies.ask(page.response.request, url_of(asked))
                asked += span.step
            body = self._bodies.take()
            rows = self._plain_rows(body, pages, span)
            if body is None or rows is None:
                self._unusual += 1
                break
            self._unusual = 0
            self._window.page()
            batch += rows
            contents.append(body.content)
            place += span.step
            known_pages += 1
            if len(batch) >= BATCH_ROWS or len(contents) * len(body.content) >= BATCH_BYTES:
                yield from self._table(batch, contents)
                batch, contents = [], []
            if pages.proof.trouble:
                break
        self._bodies.forget()
        if batch:
            yield from self._table(batch, contents)
        if place != span.start:
            pages.move_to(place, page.request)
        if self.is_over:
            pages.ask_ahead(True)

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
        if len(self._sound) < FEWEST:  # where each page says something else it is no use
            self._sound.add(known)
        return True

    def _table(self, rows: list[Any], contents: list[bytes]) -> Iterator[Any]:
        table = self._typed.table(rows)
        if table is not None:
            yield table
            return
        for content in contents:
            yield self._typed.rows_as_they_came(content)

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
