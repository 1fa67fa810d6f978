"""A read of a resource that is given up ends at once, and leaves nothing behind."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from analytics_assets.extract.http.connection import Connection, connect
from analytics_assets.extract.source import rest_api_source
from analytics_assets_tests.support.http.exchange import Answer, Exchange
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.http.fetching import sockets_to
from analytics_assets_tests.support.http.server import Server
from analytics_assets_tests.support.paged_server import drain, orders, paged, rows

PROMPT = 30.0  # seconds: well under the timeout
STALLED = 12  # pages that stall before anything else happens


@pytest.fixture(autouse=True)
def full_concurrency(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many pages are in flight as allowed, and each may take long."""
    monkeypatch.setenv("READING__ADAPTIVE", "false")
    monkeypatch.setenv("READING__MAX_IN_FLIGHT", "16")
    monkeypatch.setenv("RUNTIME__REQUEST_TIMEOUT", "60")


class Stalling:
    """Stalls the pages after the first few, and does something else with one of them.

    Args:
        page: the offset of that page.
        then: done with it once others are stalled.
    """

    def __init__(self, page: int, then: Callable[[Exchange], None]) -> None:
        self.stalled, self.over = threading.Semaphore(0), threading.Event()
        self._page, self._then = page, then

    def __call__(self, exchange: Exchange) -> None:
        offset = exchange.request.number("offset")
        if offset < self._page:
            exchange.answer(exchange.proper())
        elif offset == self._page:
            for _ in range(STALLED):
                assert self.stalled.acquire(timeout=60)
            self._then(exchange)
        else:
            self.stalled.release()
            self.over.wait(60)
            exchange.send()


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(paged(rows(*range(1000)))) as running:
        yield running


def resource_of(server: Server, connection: Connection) -> Any:
    config: Any = {"client": {"base_url": server.base_url}, "resources": [orders()]}
    return rest_api_source(config, "shop", connection).resources["orders"]


def test_a_read_that_fails_while_other_pages_stall(server: Server) -> None:
    stalling = Stalling(40, lambda exchange: exchange.reply({}, 403))
    server.faults.add(Fault(does=stalling, times=None))
    threads = threading.active_count()
    with closing(connect({"base_url": server.base_url}, "shop")) as connection:
        started = time.monotonic()
        attempt = drain(resource_of(server, connection))

        assert time.monotonic() - started < PROMPT
        assert "403" in attempt.error
        assert attempt.rows == []
        assert sockets_to(server) == []
    stalling.over.set()
    assert connection.rate_limit.try_acquire() == 0
    server.stop()
    assert threading.active_count() <= threads
    server.start()


def test_a_long_wait_for_a_retry_ends_with_its_read(server: Server) -> None:
    def answer(exchange: Exchange) -> None:
        if exchange.request.number("offset") == 42:
            exchange.reply({}, 503, {"Retry-After": "3600"})
            waits.set()
        elif exchange.request.number("offset") == 40:
            assert waits.wait(60)
            exchange.reply({}, 403)
        else:
            exchange.answer(exchange.proper())

    waits = threading.Event()
    server.faults.add(Fault(does=answer, times=None))
    with closing(connect({"base_url": server.base_url}, "shop")) as connection:
        started = time.monotonic()
        assert "403" in drain(resource_of(server, connection)).error
        assert time.monotonic() - started < PROMPT


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Python's own handler of Ctrl-C: an earlier test may have left that of a load behind."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_a_read_that_is_interrupted(server: Server) -> None:
    waiting = threading.get_ident()
    stalling = Stalling(40, lambda _exchange: signal.pthread_kill(waiting, signal.SIGINT))
    server.faults.add(Fault(does=stalling, times=None))
    with closing(connect({"base_url": server.base_url}, "shop")) as connection:
        started = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            list(resource_of(server, connection))

        assert time.monotonic() - started < PROMPT
    assert sockets_to(server) == []
    stalling.over.set()


def test_pages_that_are_dropped_do_not_delay_the_next_pass(server: Server) -> None:
    first = server.answers
    changed = Answer({"data": rows(40, 41), "total": 990})

    def change(exchange: Exchange) -> None:
        server.faults.clear()
        server.answers = paged(rows(*range(990)))
        exchange.answer(changed)

    stalling = Stalling(40, change)
    server.faults.add(Fault(does=stalling, times=None))
    with closing(connect({"base_url": server.base_url}, "shop")) as connection:
        started = time.monotonic()
        attempt = drain(resource_of(server, connection))
        assert time.monotonic() - started < PROMPT

    stalling.over.set()
    assert attempt.numbers == list(range(990))
    assert server.answers is not first
