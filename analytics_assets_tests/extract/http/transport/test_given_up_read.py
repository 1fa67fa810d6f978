"""A read that is given up leaves no thread, socket, request or place in the rate limit behind."""

import gc
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from analytics_assets.extract.http.connection import Connection
from analytics_assets.extract.http.fetcher import Fetcher
from analytics_assets_tests.support.http.broken_answers import silence, stall_in_body
from analytics_assets_tests.support.http.exchange import Answer, Exchange, Request
from analytics_assets_tests.support.http.fault import Does, Fault
from analytics_assets_tests.support.http.fetching import (
    WAYS,
    connected,
    page_of,
    prepared,
    sockets_to,
    whole,
)
from analytics_assets_tests.support.http.server import Server

PROMPT = 30.0  # seconds: well under the timeout
MAX_IN_FLIGHT = 16


def later_pages(does: Does) -> Fault:
    """A fault of all pages but the first."""

    def unless_first(exchange: Exchange) -> None:
        if exchange.request.number("page"):
            does(exchange)
        else:
            exchange.answer(exchange.proper())

    return Fault(path="/orders", does=unless_first, times=None)


def refuse(exchange: Exchange) -> None:
    exchange.reply(b"", 503, {"Retry-After": "3600"})


@pytest.fixture
def server() -> Iterator[Server]:
    """A server whose pages hold their own number, and are long enough to stall within."""
    with Server(lambda request: Answer(b"%-2000d" % request.number("page"))) as running:
        yield running


@pytest.fixture(autouse=True)
def nothing_left(server: Server) -> Iterator[None]:
    """After a test, there is no thread of this process that was not there before."""
    before = set(threading.enumerate())
    yield
    server.stop()
    server.start()

    def later() -> set[threading.Thread]:
        return {each for each in threading.enumerate() if "_accept" not in each.name} - before

    ends = time.monotonic() + PROMPT
    while later() and time.monotonic() < ends:  # one that was told to end may do so right now
        time.sleep(0.001)
    assert later() == set()


def asked(connection: Connection, pages: int = MAX_IN_FLIGHT) -> Fetcher:
    """A fetcher with some pages in flight, the first of them handed over."""
    fetcher = connection.fetcher()
    request = prepared(connection)
    for number in range(pages + 1):
        fetcher.request(request, f"{connection.settings.base_url}/orders?page={number}")
    assert fetcher.next_page(whole).content.strip() == b"0"
    return fetcher


def places(connection: Connection) -> int:
    """Count the free places in the rate limit."""
    free = 0
    while not connection.rate_limit.try_acquire():
        free += 1
    for _ in range(free):
        connection.rate_limit.release()
    return free


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("does", [silence, stall_in_body])
@pytest.mark.parametrize("end", [Fetcher.discard, Fetcher.close])
def test_pages_that_stall_are_dropped_at_once(
    server: Server, way: str, does: Does, end: Callable[[Fetcher], None]
) -> None:
    server.faults.add(later_pages(does))
    connection = connected(server.base_url, way)
    fetcher = asked(connection)
    started = time.monotonic()
    end(fetcher)
    end(fetcher)

    assert time.monotonic() - started < PROMPT
    assert not fetcher.has_next
    assert places(connection) == MAX_IN_FLIGHT
    fetcher.close()
    if way == "libcurl":
        assert sockets_to(server) == []


def test_a_page_is_fetched_after_others_were_dropped(server: Server) -> None:
    server.faults.add(later_pages(silence))
    connection = connected(server.base_url)
    fetcher = asked(connection)
    fetcher.discard()
    server.faults.clear()

    assert fetcher.fetch(prepared(connection, "/orders?page=7"), whole).content.strip() == b"7"
    fetcher.close()
    assert sockets_to(server) == []


def test_no_request_is_sent_after_the_end(server: Server) -> None:
    server.faults.add(later_pages(lambda exchange: exchange.reply(b"", 503)))
    connection = connected(server.base_url, backoff_factor=0.05)
    fetcher = asked(connection)
    while connection.traffic.requests < MAX_IN_FLIGHT:
        fetcher.collect()
    fetcher.close()
    server.faults.clear()
    before = len(server.requests)
    assert page_of(connection, "/other?page=1").content.strip() == b"1"

    assert [each.path for each in server.requests[before:]] == ["/other"]


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Python's own handler of Ctrl-C: an earlier test may have left that of a load behind."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("does", [silence, stall_in_body, refuse])
def test_an_interrupt_ends_a_wait_at_once(server: Server, way: str, does: Does) -> None:
    server.faults.add(later_pages(does))
    connection = connected(server.base_url, way)
    waiting, begins = threading.get_ident(), threading.Event()

    def interrupt() -> None:
        begins.wait(60)
        while len(server.requests) < 2:
            time.sleep(0.001)
        signal.pthread_kill(waiting, signal.SIGINT)

    fetcher = asked(connection)
    other = threading.Thread(target=interrupt)
    other.start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012  # it may arrive as soon as it can
        begins.set()
        fetcher.next_page(whole)
    other.join()
    fetcher.close()

    assert time.monotonic() - started < PROMPT
    connection.close()
    if way == "libcurl" or does is not refuse:  # the session is the user's, who closes it
        gc.collect()
        assert sockets_to(server) == []


class Interrupted(dict[Any, Any]):
    """Requests in flight; an interrupt arrives at the end of one of them."""

    def pop(self, *_: Any) -> Any:
        raise KeyboardInterrupt


def test_an_interrupt_at_the_end_of_a_request_leaves_no_connection(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = connected(server.base_url)
    transport = connection.pool.take()
    monkeypatch.setattr(transport, "_busy", Interrupted())
    connection.pool.give_back(transport)
    fetcher = connection.fetcher()
    fetcher.request(prepared(connection))
    with pytest.raises(KeyboardInterrupt):
        fetcher.next_page(whole)
    fetcher.close()
    connection.close()

    assert sockets_to(server) == []


def test_a_read_leaves_its_open_connection_to_the_next_one(server: Server) -> None:
    connection = connected(server.base_url)
    for _ in range(3):
        page_of(connection)

    assert len({each.laddr for each in sockets_to(server)}) == 1
    connection.close()
    assert sockets_to(server) == []


class InFlight:
    """An API that counts the requests that it answers at once, and answers none before `enough`."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.now = self.most = 0
        self.enough = 1

    def __call__(self, request: Request) -> Answer:
        with self._changed:
            self.now += 1
            self.most = max(self.most, self.now)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self.most >= self.enough, PROMPT)
            self.now -= 1
        return Answer(b"%d" % request.number("page"))


def test_a_read_that_holds_all_places_does_not_slow_another_one() -> None:
    api = InFlight()
    with Server(api) as running:
        connection = connected(running.base_url)
        parent = asked(connection, pages=40)
        while api.now:
            time.sleep(0.001)
        api.most, api.enough = 0, MAX_IN_FLIGHT // 2 + 1
        child = asked(connection, pages=40)
        for _ in range(40):
            assert child.next_page(whole).status == 200
        most = api.most
        for _ in range(40):
            assert parent.next_page(whole).status == 200
        parent.close()
        child.close()

    assert api.enough <= most <= MAX_IN_FLIGHT
    assert places(connection) == MAX_IN_FLIGHT


def test_reads_in_threads_share_the_places() -> None:
    api, done = InFlight(), list[int]()

    def read() -> None:
        fetcher = asked(connection, pages=60)
        for _ in range(60):
            assert fetcher.next_page(whole).status == 200
            done.append(1)
        fetcher.close()

    with Server(api) as running:
        connection = connected(running.base_url)
        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len(done) == 240
    assert api.most <= MAX_IN_FLIGHT
    assert places(connection) == MAX_IN_FLIGHT
