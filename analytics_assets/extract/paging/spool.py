"""Spools pages until the read is verified."""

import pickle
from collections.abc import Collection, Iterator
from tempfile import SpooledTemporaryFile
from typing import Any

from analytics_assets.extract.http.errors import BodyError
from analytics_assets.extract.rows.arrow import is_table

BATCH_ROWS = 20_000
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

    def rows_at(self, places: Collection[int]) -> dict[int, Any]:
        """Return the rows at some places; None for one in a table.

        Args:
            places: the places, from 0, in the order of arrival.
        """
        found: dict[int, Any] = {}
        begin = 0
        for page in self:
            count = page.num_rows if is_table(page) else len(page)
            within = [place for place in range(begin, begin + count) if place in places]
            found |= {place: None if is_table(page) else page[place - begin] for place in within}
            begin += count
        return found

    def batches(self, without: Collection[int] = ()) -> Iterator[Any]:
        """Yield the rows in lists and tables of many pages, which dlt loads faster.

        Args:
            without: the places of rows to leave out.
        """
        batch: list[Any] = []
        begin, place = 0, 0
        for page in self:
            count = page.num_rows if is_table(page) else len(page)
            if without:
                page = _without(page, range(place, place + count), without)
            place += count
            if is_table(page):
                yield batch
                yield page
                batch, begin = [], self._file.tell()
                continue
            batch += page
            if len(batch) >= BATCH_ROWS or self._file.tell() - begin >= BATCH_BYTES:
                yield batch
                batch, begin = [], self._file.tell()
        yield batch

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
