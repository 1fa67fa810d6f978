"""The newest changes of the endpoints of an API, asked for side by side."""

import time
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from datetime import datetime
from threading import Event

from analytics_assets.config.settings.providers.changes import settings_state
from analytics_assets.extract.compat import extract_threads
from analytics_assets.extract.http.connection import Connection
from analytics_assets.extract.http.errors import CancelledReadError, ReadDeadlineError
from analytics_assets.extract.http.limits.read_end import ReadEnd
from analytics_assets.extract.sampling.watermark import NewestRead

Outcome = datetime | Exception | None  # the newest change, the error of its read, or no rows


class NewestChanges:
    """Asks endpoints for their newest changes, as many at once as the API allows.

    dlt takes 12 ms to make a read, which is kept as long as no setting changes.
    """

    def __init__(self) -> None:
        self._reads: dict[str, NewestRead] = {}
        self._settings: object = None

    def fetch(
        self,
        asked: Mapping[str, Callable[[Connection], NewestRead]],
        connection: Connection,
        until: float,
        end: float,
    ) -> Generator[tuple[str, Outcome], None, None]:
        """Yield the newest changes, in the order of the answers.

        Reads that have not ended when the generator is closed are cancelled.

        Args:
            asked: the reads by their names, in the order of their requests: functions that make
                them.
            connection: sends the requests.
            until: the time, by `time.monotonic`, after which no read begins.
            end: the time at which those that have begun are cancelled.

        Yields:
            The name of a read that has ended, and its outcome; nothing for others.
        """
        settings = connection.settings, settings_state()
        if settings != self._settings:
            self._reads, self._settings = {}, settings
        self._reads = {name: each for name, each in self._reads.items() if name in asked}
        cancelled, left = Event(), iter(asked.items())
        ends = ReadEnd(cancelled, end)
        running: dict[Future[datetime | None], str] = {}
        with ThreadPoolExecutor(connection.rate_limit.max_in_flight, extract_threads()) as threads:
            try:
                while True:
                    while len(running) < _most(connection) and time.monotonic() < until:
                        name, make = next(left, (None, None))
                        if name is None or make is None:
                            break
                        try:
                            read = self._reads.get(name) or make(connection)
                        except Exception as error:
                            yield name, error
                            continue
                        self._reads[name] = read
                        context = copy_context()
                        running[threads.submit(context.run, read.fetch, connection, ends)] = name
                    if not running:
                        return
                    yield from _ended(running, connection)
            finally:
                cancelled.set()


def _most(connection: Connection) -> int:
    """Return the most reads at once: for each, one request is in flight."""
    return max(1, connection.concurrency.size if connection.concurrency else 1)


def _ended(
    running: dict[Future[datetime | None], str], connection: Connection
) -> Iterator[tuple[str, Outcome]]:
    """Wait for reads to end, and yield their outcomes."""
    ended, _ = wait(running, return_when=FIRST_COMPLETED)
    for read in ended:
        name, error = running.pop(read), read.exception()
        if connection.concurrency:
            connection.concurrency.record_page(connection.traffic.seconds_of_answer)
        if isinstance(error, CancelledReadError | ReadDeadlineError):
            continue
        if error is not None and not isinstance(error, Exception):
            raise error
        yield name, error or read.result()
