"""A cancelled read leaves no thread, socket or request behind."""

import gc
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from analytics_assets.contract.column import Column
from analytics_assets.contract.contract import Contract
from analytics_assets.extract.http.cancellation import sleep
from analytics_assets.extract.http.connection import Connection, connect
from analytics_assets.extract.http.prefetch.curl import CurlPrefetcher
from analytics_assets.extract.source import rest_api_source
from analytics_assets_tests.extract.http.prefetch.stalling import (
    MAX_IN_FLIGHT,
    Stalling,
    sockets_to,
    stalling,
)
from analytics_assets_tests.support.paged_server import (
    Answer,
    Request,
    drain,
    orders,
    rows,
    serving,
)

PROMPT = 5.0  # seconds: well under the timeout
TIMEOUT = "60"
CONTRACT = Contract(
    "orders",
    (
        Column("id", "id", "bigint", nullable=False),
        Column("text", "text", "text", nullable=True),
    ),
    ("id",),
)


@pytest.fixture(autouse=True)
def full_concurrency(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many pages are in flight as allowed, and each may take long."""
    monkeypatch.setenv("READING__ADAPTIVE", "false")
    monkeypatch.setenv("READING__MAX_IN_FLIGHT", str(MAX_IN_FLIGHT))
    monkeypatch.setenv("RUNTIME__REQUEST_TIMEOUT", TIMEOUT)


def prefetch_threads() -> list[str]:
    return [each.name for each in threading.enumerate() if each.name.startswith("prefetch")]


def resource_of(api: Stalling, connection: Connection, contract: Contract | None = None) -> Any:
    config = {"client": {"base_url": api.url}, "resources": [orders()]}
    contracts = {"orders": contract} if contract else {}
    return rest_api_source(config, "shop", connection, contracts)


def seconds_of(work: Callable[[], Any]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


@pytest.mark.parametrize("in_body", [False, True])
def test_a_read_that_fails_while_others_stall_ends_at_once_and_leaves_nothing(
    in_body: bool,
) -> None:
    with stalling(Stalling(in_body=in_body)) as api:
        connection = connect({"base_url": api.url}, "shop")
        found: list[Any] = []
        seconds = seconds_of(lambda: found.append(drain(resource_of(api, connection))))

        assert "403" in found[0].error
        assert seconds < PROMPT
        assert prefetch_threads() == []
        assert sockets_to(api) == []
        assert api.stalled >= MAX_IN_FLIGHT - 1


def test_no_request_of_a_read_that_failed_is_sent_afterwards() -> None:
    with stalling(Stalling()) as api:
        drain(resource_of(api, connect({"base_url": api.url}, "shop")))
        asked = len(api.requests)
        sleep(0.3)

        assert len(api.requests) == asked
        assert max(asked for asked in api.requests) <= 8 + 2 * MAX_IN_FLIGHT


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Python's own handler of Ctrl-C: an earlier test may have left that of a load behind."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_a_read_that_is_interrupted_ends_at_once_and_leaves_nothing() -> None:
    def interrupt() -> None:
        api.wait_for_stalled(MAX_IN_FLIGHT)
        signal.pthread_kill(waiting, signal.SIGINT)

    waiting = threading.get_ident()
    with stalling(Stalling(fails_at=None)) as api:
        connection = connect({"base_url": api.url}, "shop")
        other = threading.Thread(target=interrupt)
        other.start()
        started = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            list(resource_of(api, connection))
        other.join()

        assert time.monotonic() - started < PROMPT
        assert prefetch_threads() == []
        # an interrupt can come anywhere, and leave an answer to the garbage collector
        while sockets_to(api) and time.monotonic() - started < PROMPT:
            gc.collect()
        assert sockets_to(api) == []


@pytest.fixture
def by_libcurl(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The URLs that libcurl requests, in a read as for a load, with a contract."""
    urls: list[str] = []
    request = CurlPrefetcher.request

    def counted(self: CurlPrefetcher, like: Any, url: str) -> None:
        urls.append(url)
        request(self, like, url)

    monkeypatch.setattr("dlt.current.load_package_state", lambda: {"load_id": "a load"})
    monkeypatch.setattr(CurlPrefetcher, "request", counted)
    return urls


def test_a_read_by_libcurl_that_fails_while_others_stall_ends_at_once_and_leaves_nothing(
    by_libcurl: list[str],
) -> None:
    with stalling(Stalling(fails_at=40)) as api:
        with closing(connect({"base_url": api.url}, "shop")) as connection:
            found: list[Any] = []
            seconds = seconds_of(
                lambda: found.append(drain(resource_of(api, connection, CONTRACT)))
            )

        assert "403" in found[0].error
        assert seconds < PROMPT
        assert prefetch_threads() == []
        assert sockets_to(api) == []
        assert len(by_libcurl) >= MAX_IN_FLIGHT
        assert api.stalled


@pytest.mark.parametrize("status", [429, 503])
def test_a_long_wait_for_a_retry_ends_with_its_read(status: int) -> None:
    waits = threading.Event()

    def answer(asked: Request) -> Answer:
        offset = asked.number("offset")
        if offset == 10:
            waits.set()
            return Answer({}, status, {"Retry-After": "3600"})
        if offset == 4:
            assert waits.wait(10)
            return Answer({}, 403)
        return Answer({"data": rows(offset, offset + 1), "total": 1000})

    with serving(answer) as server:
        config = {"client": {"base_url": server.base_url}, "resources": [orders()]}
        found: list[Any] = []
        seconds = seconds_of(lambda: found.append(drain(rest_api_source(config, "shop"))))

    assert "403" in found[0].error
    assert seconds < PROMPT
    assert prefetch_threads() == []


def test_discarded_pages_do_not_delay_the_next_pass() -> None:
    passes, stalls, over = [0], threading.Barrier(MAX_IN_FLIGHT), threading.Event()

    def answer(asked: Request) -> Answer:
        offset = asked.number("offset")
        passes[0] += offset == 0
        total = 60 if passes[0] == 1 else 59
        if passes[0] == 1 and offset == 2:
            stalls.wait(10)
            passes[0] = 2
            return Answer({"data": rows(2, 3), "total": 59})
        if passes[0] == 1 and offset > 2:
            stalls.wait(10)
            over.wait(30)
        return Answer({"data": rows(*range(offset, min(offset + 2, 59))), "total": total})

    with serving(answer) as server:
        config = {"client": {"base_url": server.base_url}, "resources": [orders()]}
        found: list[Any] = []
        seconds = seconds_of(lambda: found.append(drain(rest_api_source(config, "shop"))))
        over.set()

    assert found[0].numbers == list(range(59))
    assert seconds < PROMPT


def test_another_read_can_use_the_same_session() -> None:
    with stalling(Stalling()) as api:
        connection = connect({"base_url": api.url}, "shop")
        drain(resource_of(api, connection))
        assert sockets_to(api) == []

        answer = connection.session.get(f"{api.url}/orders?offset=0")

        assert answer.status_code == 200
        connection.close()
        assert sockets_to(api) == []
