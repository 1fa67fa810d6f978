"""Spools the rows of a read until it is complete: as Arrow tables where their types are known."""

from collections import deque
from collections.abc import Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from analytics_assets.extract.paging.spool import PageSpool
from analytics_assets.extract.rows.answer import Answer, AnswerDecoder
from analytics_assets.extract.rows.hashing import content_hash

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 20_000  # of a table
BATCH_BYTES = 8 * 1024 * 1024  # of the JSON of its rows


class RowSpool:
    """The rows of a pass in the order of their arrival.

    Pages are decoded in a thread, many at a time, while the next ones arrive. A page that does not
    fit the types so far stays a list of rows, and its types are learned for the next ones.

    Args:
        decoder: decoded the pages.
    """

    def __init__(self, decoder: AnswerDecoder) -> None:
        self._decoder = decoder
        self._spool = PageSpool()
        self._decoding = ThreadPoolExecutor(1, "decode-pages")
        self._begin()

    def _begin(self) -> None:
        self.pages_typed = self.pages_by_dlt = 0
        self._batch: list[Answer] = []
        self._batch_pages = 1  # grows, so that a page that does not fit is found at once
        self._bytes = self._rows = 0
        self._waiting: deque[tuple[list[Answer], Future[pa.Table | None]]] = deque()

    def add(self, answer: Answer) -> None:
        """Add the rows of a page."""
        if answer.split is None:
            self.finish()
            self._add_rows(answer)
            return
        self._batch.append(answer)
        self._rows += answer.count
        self._bytes += len(answer.split.rows)
        full = self._rows >= BATCH_ROWS or self._bytes >= BATCH_BYTES
        if full or len(self._batch) >= self._batch_pages:
            self._decode()
            while len(self._waiting) > bool(self.pages_typed):
                self._collect()

    def _decode(self) -> None:
        batch, self._batch = self._batch, []
        self._bytes = self._rows = 0
        self._batch_pages *= 2
        splits = [answer.split for answer in batch if answer.split]
        assert self._decoder.columns, "pages are split for columns alone"
        decoded = self._decoding.submit(self._decoder.columns.decode, splits)
        self._waiting.append((batch, decoded))

    def _collect(self) -> None:
        """Keep the oldest batch of those that are decoded."""
        batch, decoded = self._waiting.popleft()
        table = decoded.result()
        if table is not None:
            self._add_table(table, len(batch))
            return
        for _, later in self._waiting:
            later.exception()  # wait: the types may change now
        for answer in batch:
            self._add_alone(answer, known=len(batch) > 1)

    def _add_alone(self, answer: Answer, known: bool) -> None:
        """Keep a page of a batch that does not fit the types so far.

        Args:
            answer: the page.
            known: True if the page itself may fit.
        """
        decoder, split = self._decoder.columns, answer.split
        assert decoder, "pages are split for columns alone"
        assert split, "only such pages wait"
        table = decoder.decode([split]) if known else None
        if table is None and decoder.learn(answer.rows):
            table = decoder.decode([split])
        if table is None:
            self._add_rows(answer)
        else:
            self._add_table(table, 1)

    def _add_table(self, table: "pa.Table", pages: int) -> None:
        self.pages_typed += pages
        self._spool.add(table)

    def _add_rows(self, answer: Answer) -> None:
        self.pages_by_dlt += 1
        self._spool.add(answer.rows)

    def finish(self) -> None:
        """Decode the pages that wait for it."""
        if self._batch:
            self._decode()
        while self._waiting:
            self._collect()

    def batches(self, without: Collection[int] = ()) -> Iterator[Any]:
        """Yield the rows, in lists and tables of many pages; after `finish`.

        Args:
            without: the places of rows to leave out.
        """
        yield from self._spool.batches(without)

    def rows(self, places: Collection[int]) -> Iterator[tuple[int, Any, bool]]:
        """Yield the rows at some places; see `PageSpool.rows`."""
        return self._spool.rows(places)

    def contents(self, places: Collection[int] | None = None) -> Iterator[tuple[int, int]]:
        """Yield the places and the hashes of the rows at some places, or of all."""
        self.finish()
        return ((place, content_hash(row)) for place, row, _ in self._spool.rows(places))

    def clear(self) -> None:
        """Remove all rows."""
        self._spool.clear()
        self._begin()

    def close(self) -> None:
        """End the thread, and remove the file."""
        self._decoding.shutdown(cancel_futures=True)
        self._spool.close()
