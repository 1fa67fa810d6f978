"""Spools the rows of a read until it is verified: as Arrow tables where their types are known."""

import pickle
import shutil
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any

import msgspec

from analytics_assets.config.settings.look_up import pipelines_dir
from analytics_assets.extract.http.errors import BodyError
from analytics_assets.extract.http.page import Page
from analytics_assets.extract.rows.answer import Answer, AnswerDecoder
from analytics_assets.extract.rows.arrow import import_arrow, is_table
from analytics_assets.extract.rows.hashing import content_hash
from analytics_assets.extract.rows.page_decoder import PageDecoder

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_BYTES = 4 * 1024 * 1024  # of JSON that is decoded at once, and of a list that dlt gets
# of a table that dlt gets: Parquet encodes few of them in less time than many
TABLE_BYTES = 8 * 1024 * 1024
BATCH_PAGES = 256  # most that are decoded at once: headers may take more memory than rows
MAX_IN_MEMORY = 16 * 1024 * 1024  # bytes; more rows are written to a file
_ENCODER = msgspec.json.Encoder(decimal_format="number")


@dataclass(eq=False, slots=True)
class JsonRows:
    """The rows of a page, as JSON.

    Args:
        page: the page as it arrived.
        rows: the list of its rows.
        count: their number.
    """

    page: Page
    rows: bytes
    count: int


class RowSpool:
    """The rows of a pass in the order of their arrival, in a file if they are many.

    Pages are decoded in a thread, many at a time, while the next ones arrive. A page that does not
    fit the types so far stays a list of rows, and its types are learned for the next ones.

    Args:
        decoder: decoded the pages.

    Attributes:
        pages_typed: the number of pages that are kept as Arrow tables.
        pages_by_dlt: the number of pages that are kept as lists of rows.
    """

    def __init__(self, decoder: AnswerDecoder) -> None:
        self._decoder = decoder
        self._file: IO[bytes] = BytesIO()
        self._decoding = ThreadPoolExecutor(1, "decode-pages")
        self._importing: Future[None] | None = None
        if decoder.columns:  # while the first page is on its way
            self._importing = self._decoding.submit(import_arrow)
        self.clear()

    def clear(self) -> None:
        """Remove all rows."""
        self._file.seek(0)
        self._file.truncate()
        self._kept = 0  # lists and tables in the file
        self.pages_typed = self.pages_by_dlt = 0
        self._batch: list[JsonRows] = []
        self._batch_bytes = 0
        self._batch_pages = 1  # grows, so that a page that does not fit is found at once
        self._waiting: deque[tuple[list[JsonRows], Future[pa.Table | None]]] = deque()

    def add(self, answer: Answer) -> None:
        """Add the rows of a page.

        Raises:
            BodyError: a page has a value that is nested too deeply to be kept.
        """
        if answer.split is None:
            self.finish()
            self._keep_rows(answer.rows)
            return
        self._batch.append(JsonRows(answer.page, answer.split.rows, answer.count))
        self._batch_bytes += len(answer.split.rows)
        if self._batch_bytes >= BATCH_BYTES or len(self._batch) >= self._batch_pages:
            self._decode()
            while len(self._waiting) > bool(self.pages_typed):
                self._collect()

    def finish(self) -> None:
        """Decode the pages that wait for it."""
        if self._importing:  # dlt takes no row while another thread imports Arrow
            self._importing.result()
        if self._batch:
            self._decode()
        while self._waiting:
            self._collect()

    def rows(self, places: Collection[int] | None = None) -> Iterator[tuple[int, Any, bool]]:
        """Yield the place of each row, the row, and True if it was in a table; after `finish`.

        Args:
            places: the places of the rows, from 0, in the order of arrival; None for all.
        """
        for found, rows, is_typed in self._rows(places):
            for place, row in zip(found, rows, strict=True):
                yield place, row, is_typed

    def contents(self, places: Collection[int] | None = None) -> Iterator[tuple[int, int]]:
        """Yield the places and the hashes of the rows at some places, or of all.

        The rows of a page that does not fit are compared by columns where they fit themselves, as
        the other row with the key may be in a table.
        """
        self.finish()
        for found, rows, is_typed in self._rows(places):
            compared = rows if is_typed or not self.pages_typed else self._in_columns(rows)
            yield from zip(found, map(content_hash, compared), strict=True)

    def _rows(self, places: Collection[int] | None) -> Iterator[tuple[list[int], list[Any], bool]]:
        """Yield the places of rows of each list or table, the rows, and True for a table."""
        begin = 0
        for kept in self._lists_and_tables():
            within = [at for at in range(len(kept)) if places is None or begin + at in places]
            if within and is_table(kept):
                rows = kept.take(within).to_pylist()
            else:
                rows = [kept[at] for at in within]
            yield [begin + at for at in within], rows, is_table(kept)
            begin += len(kept)

    def _in_columns(self, rows: list[Any]) -> list[Any]:
        """Return rows by the names and types of their columns; those that do not fit as they are.

        One that does not fit is found by halves.
        """
        table = None
        if rows:
            with suppress(UnicodeEncodeError, OverflowError, RecursionError, TypeError):
                table = self._columns.decode([_ENCODER.encode(rows)], [len(rows)])
        if table is not None:
            return list(table.to_pylist())
        half = len(rows) // 2
        return self._in_columns(rows[:half]) + self._in_columns(rows[half:]) if half else rows

    def batches(self, without: Collection[int] = ()) -> Iterator[Any]:
        """Yield the rows in lists and tables of many pages, which dlt loads faster; after `finish`.

        Args:
            without: the places of rows to leave out.
        """
        batch: list[Any] = []  # all of the same kind
        begin = place = 0
        for kept in self._lists_and_tables():
            most = TABLE_BYTES if is_table(kept) else BATCH_BYTES
            is_full = self._file.tell() - begin >= most
            if batch and (is_full or not _are_alike(batch[0], kept)):
                yield _joined(batch)
                batch, begin = [], self._file.tell()
            batch.append(_without(kept, place, without) if without else kept)
            place += len(kept)
        if batch:
            yield _joined(batch)

    def close(self) -> None:
        """End the thread, and remove the file."""
        self._decoding.shutdown(cancel_futures=True)
        self._file.close()

    def _decode(self) -> None:
        """Decode a batch in the thread."""
        batch, self._batch = self._batch, []
        self._batch_bytes = 0
        self._batch_pages = min(2 * self._batch_pages, BATCH_PAGES)
        self._waiting.append((batch, self._decoding.submit(_table_of, self._columns, batch)))

    def _collect(self) -> None:
        """Keep the oldest batch of those that are decoded."""
        batch, decoded = self._waiting.popleft()
        if self._keep_table(decoded.result(), len(batch)):
            return
        for _, later in self._waiting:
            later.exception()  # wait: the types may change now
        for page in batch:
            if len(batch) > 1 and self._keep_table(_table_of(self._columns, [page]), 1):
                continue
            rows = self._decoder.rows_of(page.page)
            learned = self._columns.learn(rows)
            if not (learned and self._keep_table(_table_of(self._columns, [page]), 1)):
                self._keep_rows(rows)

    @property
    def _columns(self) -> PageDecoder:
        assert self._decoder.columns, "pages are split for columns alone"
        return self._decoder.columns

    def _keep_table(self, table: "pa.Table | None", pages: int) -> bool:
        """Keep the table of some pages; False if they do not fit."""
        if table is None:
            return False
        self.pages_typed += pages
        self._keep(table)
        return True

    def _keep_rows(self, rows: list[Any]) -> None:
        self.pages_by_dlt += 1
        self._keep(rows)

    def _keep(self, rows: Any) -> None:
        try:
            pickle.dump(rows, self._file, pickle.HIGHEST_PROTOCOL)
        except RecursionError:
            raise BodyError("a page has a value that is nested too deeply to be kept") from None
        self._kept += 1
        if isinstance(self._file, BytesIO) and self._file.tell() > MAX_IN_MEMORY:
            self._move_to_file()

    def _move_to_file(self) -> None:
        """Move the rows in memory to a file, which the system removes when its process ends."""
        folder = pipelines_dir()
        folder.mkdir(parents=True, exist_ok=True)
        in_memory, self._file = self._file, TemporaryFile(dir=folder)  # noqa: SIM115  # see `close`
        in_memory.seek(0)
        shutil.copyfileobj(in_memory, self._file)

    def _lists_and_tables(self) -> Iterator[Any]:
        self._file.seek(0)
        for _ in range(self._kept):
            yield pickle.load(self._file)  # noqa: S301  # written by `_keep`


def _table_of(columns: PageDecoder, batch: Sequence[JsonRows]) -> "pa.Table | None":
    return columns.decode([page.rows for page in batch], [page.count for page in batch])


def _without(kept: Any, begin: int, left_out: Collection[int]) -> Any:
    mask = [place not in left_out for place in range(begin, begin + len(kept))]
    if is_table(kept):
        return kept.filter(mask)
    return [row for row, is_kept in zip(kept, mask, strict=True) if is_kept]


def _are_alike(kept: Any, other: Any) -> bool:
    """Return True if both are lists, or tables with the same columns."""
    if is_table(kept) and is_table(other):
        return bool(kept.schema.equals(other.schema, check_metadata=True))
    return is_table(kept) == is_table(other)


def _joined(batch: Sequence[Any]) -> Any:
    if is_table(batch[0]):
        import pyarrow as pa

        return pa.concat_tables(batch)
    return [row for rows in batch for row in rows]
