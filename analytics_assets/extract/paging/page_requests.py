"""The requests for the pages of a read, ahead of time where their places are known."""

import logging
import re
from collections import deque
from collections.abc import Iterator
from urllib.parse import quote

import requests
from dlt.common import logger
from dlt.sources.helpers.rest_client.redaction import sanitize_url

from analytics_assets.extract.compat import IgnoredResponse
from analytics_assets.extract.http.connection import Connection
from analytics_assets.extract.http.errors import LinkError
from analytics_assets.extract.http.limits.read_end import ReadEnd
from analytics_assets.extract.http.page import Page
from analytics_assets.extract.paging.completeness import Pass
from analytics_assets.extract.paging.evidence.quality import AnswerQualityCount
from analytics_assets.extract.paging.position import Position
from analytics_assets.extract.paging.proof import IncompleteReadError, Proof
from analytics_assets.extract.rows.answer import Answer, AnswerDecoder
from analytics_assets.redaction.redactor import redact

MAX_BYTES_AHEAD = 64 * 1024 * 1024  # of answers that wait, of all reads of an API
MAX_MISSES = 3  # after which the places of an API's pages count as unpredictable


class PageRequests:
    """Requests the pages of one read in their order.

    Args:
        connection: sends the requests.
        prefetches: False to request one page at a time.
        end: ends the wait for a page early.
    """

    def __init__(
        self,
        connection: Connection,
        prefetches: bool = True,
        end: ReadEnd | None = None,
    ) -> None:
        self._connection = connection
        self._fetcher = connection.fetcher(end)
        self._window = connection.concurrency if prefetches else None
        self._places: deque[int | None] = deque()  # of the pages that are requested
        self._arrived = self._misses = self._bytes = 0
        self._first: requests.PreparedRequest | None = None
        self._sent: requests.PreparedRequest | None = None  # for a page of this pass
        self._around: tuple[str, str] | None = None  # its URL before and after the place
        self._is_logged = logger.isEnabledFor(logging.INFO)  # as by dlt's own client

    def next_page(self, reading: Pass, total: int | None, decoder: AnswerDecoder) -> Answer:
        """Wait for the next page of a pass.

        Args:
            reading: the pass.
            total: the number of all rows, if the API gives it.
            decoder: decodes the page, which is requested again if its body is none of a page.

        Raises:
            NoAnswerError: no complete answer arrived, after the retries.
        """
        position = reading.position
        if self._places and self._places[0] != position.place:
            self._misses += 1
            self._arrived = 0
            self.discard()
        if not self._places:
            self._request(position, position.place)
        if self._window and reading.prefetches and position.step:
            self._request_ahead(position, total, self._window.size)
        self._places.popleft()
        answer = self._fetcher.next_page(decoder)
        self._arrived += 1
        self._bytes = len(answer.page.content)
        return answer

    def _request(self, position: Position, place: int | None) -> None:
        if self._around and self._sent and self._connection.signs_alike(position.request):
            url = str(place).join(self._around)
            self._fetcher.request(self._sent, url)
        else:
            at = position.request if place == position.place else position.request_at(place or 0)
            self._sent = self._connection.prepare(at, self._sent)
            self._first = self._first or self._sent
            self._around = _around_place(self._sent, position) if position.step else None
            url = str(self._sent.url)
            self._fetcher.request(self._sent)
        self._places.append(place)
        if self._is_logged:
            where = redact(sanitize_url(url))
            logger.info(f"Making {self._sent.method} request to {where}")

    def _request_ahead(self, position: Position, total: int | None, size: int) -> None:
        """Request the pages after the next one; of those that are there, half are taken first."""
        if self._misses >= MAX_MISSES or (self._fetcher.has_next and len(self._places) > size // 2):
            return
        end = position.end_of_pages(total)
        reads = self._connection.rate_limit.reads
        most = min(size, MAX_BYTES_AHEAD // max(self._bytes * reads, 1))
        if end is None or self._misses:  # they may not exist: at most as many as arrived so far
            most = min(most, self._arrived)
        place = (self._places[-1] or 0) + position.step
        while len(self._places) < most and (end is None or place < end):
            self._request(position, place)
            place += position.step

    def is_confirmed(self, refused: Page) -> bool:
        """Request a refused page and the first one again, to confirm that the read ends here.

        Args:
            refused: the page.

        Returns:
            True if its status is the same again, and the API still has its first page.
        """
        self.discard()
        assert self._first, "rows arrived before"
        try:
            again = self._fetcher.fetch(refused.request, lambda page: page)
            first = self._fetcher.fetch(self._first, lambda page: page)
        except (requests.RequestException, LinkError):
            return False
        has_first = first.status in (requests.codes.ok, requests.codes.partial)
        return again.status == refused.status and has_first

    def begin(self) -> None:
        """Begin another pass."""
        self.discard()
        self._sent = self._around = None

    def discard(self) -> None:
        """Drop the pages that are requested."""
        self._places.clear()
        self._fetcher.discard()

    def close(self) -> None:
        """End the read: no request, socket or thread of it stays."""
        self._places.clear()
        self._fetcher.close()


def answers_of(
    reading: Pass,
    proof: Proof,
    pages: PageRequests,
    decoder: AnswerDecoder,
    quality: AnswerQualityCount,
) -> Iterator[Answer]:
    """Yield the pages of a pass that belong to the read, once the quality of each is counted."""
    try:
        while not reading.is_over:
            page = pages.next_page(reading, proof.total, decoder)
            answer = reading.take(page)
            quality.add(page)
            if answer and answer.count:
                yield answer
    except IgnoredResponse:  # to the first request: there is nothing to read
        if proof.number > 1:
            raise IncompleteReadError(
                f"{proof.resource}: the read is inconsistent, and cannot be repeated: "
                "`response_actions` ignore the API's answer to the first request."
            ) from None


def _around_place(sent: requests.PreparedRequest, position: Position) -> tuple[str, str] | None:
    """Return the URL before and after the place of its page; None if it has none."""
    name = position.params.query_name
    if sent.method != "GET" or sent.body or not name or not sent.url:
        return None
    parts = re.split(rf"(?<=[?&]{re.escape(quote(name))}=)-?\d+(?=&|$)", sent.url)
    return (parts[0], parts[1]) if len(parts) == 2 else None
