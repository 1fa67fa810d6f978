"""Reads of several resources at the same time, each in a thread of its own."""

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from contextvars import copy_context
from threading import Event
from typing import Any

from dlt.common.configuration import configspec
from dlt.common.configuration.specs import BaseConfiguration

from analytics_assets.config.settings.resolution import resolved
from analytics_assets.extract.compat import extract_threads
from analytics_assets.extract.rows.arrow import import_arrow

Read = Callable[[Event], Generator[Any, None, None]]


@configspec
class ExtractSettings(BaseConfiguration):
    """A setting of dlt for what it reads in threads.

    https://dlthub.com/docs/reference/performance#extract

    Args:
        workers: the most resources of a source that are read at the same time.
    """

    workers: int = 5

    __section__ = "extract"


class Extraction:
    """The reads of resources that dlt extracts together: as many at once as it has workers.

    A read is open until dlt has taken all its rows, so that few are kept at a time. dlt asks each
    resource for its next item in turn, in one thread; None makes it ask the next one.
    """

    def __init__(self) -> None:
        self.resources = 0
        self.has_begun = False
        self._open: list[int] = []  # for each read, how many may be open with it

    def items(self, read: Read, alone: bool) -> Iterator[Any]:
        """Yield the items of a read; None as long as there is none.

        Args:
            read: makes the generator of its items, which ends early if the event is set.
            alone: True to have no other read open meanwhile.
        """
        self.has_begun = True
        workers = resolved(ExtractSettings()).workers
        most = 1 if alone else max(1, workers)
        while len(self._open) >= min([most, *self._open]):
            yield None
        self._open.append(most)
        cancelled = Event()
        try:
            with closing(read(cancelled)) as found:
                if not alone and self.resources > 1:
                    yield from _first_in_thread(found, cancelled)
                yield from found
        finally:
            self._open.remove(most)


class Extractions:
    """The extractions of a source, of all its resources or of some."""

    def __init__(self) -> None:
        self._last = Extraction()

    def join(self) -> Extraction:
        """Return the extraction of a resource; dlt binds all pipes before it reads the first."""
        if self._last.has_begun:
            self._last = Extraction()
        self._last.resources += 1
        return self._last


def _first_in_thread(items: Iterator[Any], cancelled: Event) -> Iterator[Any]:
    """Yield the first item, for which a thread waits; None until then."""
    with ThreadPoolExecutor(1, extract_threads()) as thread:
        first = thread.submit(copy_context().run, next, items)
        try:
            # dlt looks for Arrow at each item, and fails while another thread imports it
            import_arrow()
            while not first.done():
                yield None
        except BaseException:  # of dlt, which closes the generators of a load that fails
            cancelled.set()
            raise
    yield first.result()
