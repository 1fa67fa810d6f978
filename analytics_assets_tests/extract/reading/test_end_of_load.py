"""Reads at the same time end with their load, and leave nothing behind."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import dlt
import pytest
from dlt.pipeline.exceptions import PipelineStepFailed

from analytics_assets.extract.http.connection import connect
from analytics_assets_tests.extract.reading.resources import EACH, NAMES, entries
from analytics_assets_tests.support.http.fetching import sockets_to
from analytics_assets_tests.support.paged_server import (
    Answer,
    Request,
    drain,
    paged,
    serving,
    source_of,
)

PROMPT = 30.0  # seconds: well under the timeout


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNTIME__REQUEST_TIMEOUT", "60")


class Stalling:
    """Stalls the pages of all resources but one, which does something else once they stall."""

    def __init__(self, then: Callable[[], Answer]) -> None:
        self.over = threading.Event()
        self._stalled, self._then = threading.Barrier(len(NAMES)), then

    def __call__(self, asked: Request) -> Answer:
        if not asked.number("offset"):
            self._stalled.wait(60)
            if asked.path == "/refunds":
                return self._then()
            self.over.wait(60)
        return paged(EACH)(asked)


@pytest.mark.usefixtures("slow")
def test_a_read_that_fails_ends_the_others_and_leaves_nothing_behind() -> None:
    stalling = Stalling(lambda: Answer({}, 403))
    threads = threading.active_count()
    with serving(stalling) as server:
        client = {"base_url": server.base_url}
        with closing(connect(client, "shop")) as connection:
            started = time.monotonic()
            attempt = drain(source_of(server, *entries(*NAMES), connection=connection))

            assert time.monotonic() - started < PROMPT
            assert "refunds: GET" in attempt.error
            assert "403" in attempt.error
            assert attempt.rows == []
        assert sockets_to(server) == []
        assert [connection.rate_limit.try_acquire() for _ in range(16)] == [0] * 16
        stalling.over.set()
    assert threading.active_count() <= threads


@pytest.fixture
def interruptible() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("slow", "interruptible")
def test_reads_that_are_interrupted_end() -> None:
    waiting = threading.get_ident()

    def interrupt() -> Answer:
        signal.pthread_kill(waiting, signal.SIGINT)
        stalling.over.wait(60)
        return Answer({}, 403)

    stalling = Stalling(interrupt)
    with serving(stalling) as server:
        client = {"base_url": server.base_url}
        with closing(connect(client, "shop")) as connection:
            source = source_of(server, *entries(*NAMES), connection=connection)
            pipeline = dlt.pipeline("interrupted", destination="duckdb")
            started = time.monotonic()
            with pytest.raises(PipelineStepFailed, match="KeyboardInterrupt"):
                pipeline.extract(source)
            assert time.monotonic() - started < PROMPT
        assert sockets_to(server) == []
        stalling.over.set()
