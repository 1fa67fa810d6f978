"""A read that is handed on as a whole, once it is proven complete, and not before."""

import pickle
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from functools import partial
from tempfile import SpooledTemporaryFile
from typing import Any

from dlt.common.configuration import configspec
from dlt.common.configuration.specs import BaseConfiguration
from dlt.extract.items import SupportsPipe
from dlt.extract.items_transform import ItemTransform, LimitItem
from dlt.extract.pipe import Pipe
from dlt.sources.helpers.rest_client.client import PageData

from analytics_assets.extract.pages import CompletePages, Progress
from analytics_assets.extract.proof import IncompleteReadError
from analytics_assets.extract.response import BodyError

BATCH_ROWS = 20_000
BATCH_BYTES = 16 * 1024 * 1024  # of rows as they are held
HELD_IN_MEMORY = 64 * 1024 * 1024  # bytes of pages that are held before a file is used


@configspec
class ReadingSettings(BaseConfiguration):
    """How hard to try for a complete read.

    Args:
        passes: how often a resource is read from the start before the load fails.
        confirm: whether a read counts only once two passes in a row brought the same rows.
    """

    passes: int = 3
    confirm: bool = False

    __section__ = "reading"


class CompleteRead(ItemTransform[Any, dict[str, Any]]):
    """The step of a resource's pipe that holds pages back until the proof is made.

    Pages of a pass that did not add up never get past it. Works on the pipe's generator, as dlt's
    own `LimitItem` does: https://dlthub.com/docs/general-usage/resource#sample-from-large-data

    Args:
        pages: the paginator that the generator pages with.
        last_wins: whether of rows with the same key only the last that arrived is handed on.
    """

    placement_affinity = -1

    def __init__(self, pages: CompletePages, last_wins: bool) -> None:
        super().__init__(lambda item: item)
        self._pages = pages
        self._last_wins = last_wins

    def bind(self, pipe: SupportsPipe) -> "CompleteRead":
        """Put itself around the pipe's generator."""
        self._custom_metrics = {}
        assert isinstance(pipe, Pipe), "dlt has one kind of pipe"
        generate: Any = pipe.gen
        if any(isinstance(step, LimitItem) for step in pipe.steps):
            # a sample is handed on page by page
            self._pages.proof.passes, self._pages.proof.confirm = 1, False
        elif callable(generate):
            pipe.replace_gen(partial(self._read_children, generate))
        else:
            pipe.replace_gen(self._read_alone(generate))
        return self

    def __call__(self, item: Any, meta: Any = None) -> Any:
        """Let pass what the generator gives."""
        return item

    def _read_children(
        self, generate: Callable[..., Iterator[Any]], items: Any, meta: Any = None
    ) -> Iterator[Any]:
        yield from self._read(generate(items, meta=meta))

    def _read_alone(self, pages: Iterator[Any]) -> Iterator[Any]:
        yield from self._read(pages)

    def _read(self, pages: Iterator[Any]) -> Iterator[Any]:
        paginator: Any = self._pages
        try:
            with closing(HeldPages()) as held:
                for page in pages:
                    if not isinstance(page, PageData):
                        # dlt's `parallelize` hands on what is to be called later: nothing is held
                        paginator.proof.passes, paginator.proof.confirm = 1, False
                        yield page
                        continue
                    if page.paginator is not paginator:
                        yield from self._cut_short(held, paginator)
                        paginator = page.paginator
                    held.add(page)
                    if paginator.progress is Progress.READ_AGAIN:
                        held.clear()
                    elif paginator.progress is Progress.COMPLETE:
                        yield from self._hand_on(held, paginator)
                yield from self._cut_short(held, paginator)
        finally:
            paginator.close()
        yield []  # steps behind may have kept something, and a filter can swallow a whole page

    def _cut_short(self, held: "HeldPages", pages: CompletePages) -> Iterator[list[Any]]:
        """Hand on what was read before an answer that the entry's `response_actions` ignore."""
        if pages.progress is Progress.READ_AGAIN:
            raise IncompleteReadError(
                f"{pages.proof.resource}: a read that did not add up could not be made again: the "
                "API's answer to the first request is one that `response_actions` ignore."
            )
        if len(held):
            pages.proof.passes = pages.proof.number
            pages.finish()
            yield from self._hand_on(held, pages)

    def _hand_on(self, held: "HeldPages", pages: CompletePages) -> Iterator[list[Any]]:
        proof = pages.proof
        pages.close()
        self._count(pages)
        last: dict[Any, int] = {}
        if self._last_wins and proof.repeated.keys:
            keys = (proof.key_of(row) for page in held for row in page)
            last = {key: place for place, key in enumerate(keys) if proof.is_repeated(key)}
        start = 0
        for rows in held.batches():
            places = range(start, start + len(rows))
            start += len(rows)
            if last:
                rows = [
                    row
                    for place, row in zip(places, rows, strict=True)
                    if last.get(proof.key_of(row), place) == place
                ]
            yield rows
        held.clear()

    def _count(self, pages: CompletePages) -> None:
        counts = {
            "reads": 1,
            "reads_limited": int(pages.limited),
            "passes": pages.proof.number,
            "rows_expected": pages.proof.total or 0,
            "reads_without_total": int(pages.proof.total is None),
            "rows_received": pages.proof.received,
            "rows_repeated": pages.proof.repeated.rows,
        }
        for name, count in counts.items():
            self._custom_metrics[name] = self._custom_metrics.get(name, 0) + count


class HeldPages:
    """Pages in the order in which they came, in memory as far as they are few, else in a file."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(max_size=HELD_IN_MEMORY)  # noqa: SIM115  # see `close`
        self._count = 0

    def __len__(self) -> int:
        """Return how many pages are held."""
        return self._count

    def __iter__(self) -> Iterator[list[Any]]:
        """Go through the pages from the first on."""
        self._file.seek(0)
        for _ in range(self._count):
            yield pickle.load(self._file)  # noqa: S301  # written by `add`

    def batches(self) -> Iterator[list[Any]]:
        """Go through the rows in batches of many pages, which dlt handles faster than pages."""
        batch: list[Any] = []
        begin = 0
        for page in self:
            batch += page
            if len(batch) >= BATCH_ROWS or self._file.tell() - begin >= BATCH_BYTES:
                yield batch
                batch, begin = [], self._file.tell()
        yield batch

    def add(self, rows: Iterable[Any]) -> None:
        """Hold one more page."""
        try:
            pickle.dump(list(rows), self._file, pickle.HIGHEST_PROTOCOL)
        except RecursionError:
            raise BodyError("a page has a value that is nested too deeply to be kept") from None
        self._count += 1

    def clear(self) -> None:
        """Forget all pages."""
        self._file.seek(0)
        self._file.truncate()
        self._count = 0

    def close(self) -> None:
        """Remove the file."""
        self._file.close()
