"""Spools pages until the read is verified."""

import pickle
from collections.abc import Collection, Iterator, Sequence
from tempfile import SpooledTemporaryFile
from typing import Any

from analytics_assets.extract.http.errors import BodyError
from analytics_assets.extract.rows.arrow import is_table

LIST_ROWS = 20_000  # of a batch
TABLE_ROWS = 120_000  # of a batch: dlt takes 7 ms a table, and DuckDB reads such row groups best
BATCH_BYTES = 16 * 1024 * 1024  # of pickled rows
MAX_IN_MEMORY = 16 * 1024 * 1024  # bytes; more pages are written to a file


class PageSpool:
    """Rows in the order of their arrival, in a file if they are many, else in memory.

    A page is a list of rows, or an Arrow table of many pages.
    """

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(max_size=MAX_IN_MEMORY)  # noqa: SIM115  # see `close`
        self._count = 0

    def __len__(self) -> int:
        """Return the number of pages."""
        return self._count

    def __iter__(self) -> Iterator[Any]:
        """Yield the pages from the first on."""
        self._file.seek(0)
        for _ in range(self._count):
            yield pickle.load(self._file)  # noqa: S301  # written by `add`

    def rows(self, places: Collection[int] | None = None) -> Iterator[tuple[int, Any, bool]]:
        """Yield the place of each row, the row, and True if it was in a table.

        Args:
            places: the places of the rows, from 0, in the order of arrival; None for all.
        """
        begin = 0
        for page in self:
            is_typed = is_table(page)
            count = page.num_rows if is_typed else len(page)
            within = [at for at in range(count) if places is None or begin + at in places]
            if within:
                found = page.take(within).to_pylist() if is_typed else [page[at] for at in within]
                yield from (
                    (begin + at, row, is_typed) for at, row in zip(within, found, strict=True)
                )
            begin += count

    def batches(self, without: Collection[int] = ()) -> Iterator[Any]:
        """Yield the rows in lists and tables of many pages, which dlt loads faster.

        Args:
            without: the places of rows to leave out.
        """
        batch: list[Any] = []  # pages of the same kind
        begin, place, rows = 0, 0, 0
        for page in self:
            count = page.num_rows if is_table(page) else len(page)
            if without:
                page = _without(page, range(place, place + count), without)
            place += count
            most = TABLE_ROWS if is_table(page) else LIST_ROWS
            full = rows >= most or self._file.tell() - begin >= BATCH_BYTES
            if batch and (full or not _are_alike(batch[0], page)):
                yield _joined(batch)
                batch, begin, rows = [], self._file.tell(), 0
            batch.append(page)
            rows += count
        if batch:
            yield _joined(batch)

    def add(self, page: Any) -> None:
        """Add a page at the end.

        Raises:
            BodyError: it is nested too deeply to be pickled.
        """
        try:
            pickle.dump(page, self._file, pickle.HIGHEST_PROTOCOL)
        except RecursionError:
            raise BodyError("a page has a value that is nested too deeply to be kept") from None
        self._count += 1

    def clear(self) -> None:
        """Remove all pages."""
        self._file.seek(0)
        self._file.truncate()
        self._count = 0

    def close(self) -> None:
        """Remove the file."""
        self._file.close()


def _without(page: Any, places: range, left_out: Collection[int]) -> Any:
    kept = [place not in left_out for place in places]
    if is_table(page):
        return page.filter(kept)
    return [row for row, is_kept in zip(page, kept, strict=True) if is_kept]


def _are_alike(page: Any, other: Any) -> bool:
    """Return True if two pages are both lists, or both tables with the same columns."""
    if is_table(page) and is_table(other):
        return bool(page.schema.equals(other.schema, check_metadata=True))
    return is_table(page) == is_table(other)


def _joined(pages: Sequence[Any]) -> Any:
    if is_table(pages[0]):
        import pyarrow as pa

        return pages[0] if len(pages) == 1 else pa.concat_tables(pages)
    return [row for page in pages for row in page]
