"""Reads that are given up: no thread, socket or request of theirs is left behind."""

import gc
import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import psutil
import pytest

from analytics_assets.config.errors import find_cause
from analytics_assets.contract import Contract
from analytics_assets.contract.column import Column
from analytics_assets.extract.http.cancellation import CancelScope, ReadCancelledError, sleep
from analytics_assets.extract.http.connection import Connection, connect
from analytics_assets.extract.source import rest_api_source
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.paged_server import Answer, Asked, drain, orders, rows, serving

MOST = 16
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
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have as many pages on their way as may be, and be patient with each."""
    monkeypatch.setenv("READING__ADAPTIVE", "false")
    monkeypatch.setenv("READING__MAX_IN_FLIGHT", str(MOST))
    monkeypatch.setenv("RUNTIME__REQUEST_TIMEOUT", TIMEOUT)


@dataclass
class Stalling:
    """An API of many pages that stalls behind the first few, until the test ends.

    Args:
        fails_at: the page that is refused once all others are stalled.
        in_body: whether to stall within the body, rather than before the answer.
    """

    fails_at: int | None = 8
    in_body: bool = False
    stalled: int = 0
    port: int = 0
    earlier: list[Any] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, handler: BaseHTTPRequestHandler, offset: int) -> None:
        last_good = 6 if self.fails_at is None else self.fails_at - 2
        if offset <= last_good:
            page = {"data": rows(offset, offset + 1), "total": 1000}
            return reply(handler, 200, json.dumps(page).encode())
        if offset == self.fails_at:
            self.wait_for_stalled(MOST - 1)
            return reply(handler, 403, b"{}")
        if self.in_body:
            handler.send_response(200)
            handler.send_header("Content-Length", "1000")
            handler.end_headers()
            handler.wfile.write(b'{"data": [')
            handler.wfile.flush()
        with self.changed:
            self.stalled += 1
            self.changed.notify_all()
        self.over.wait()
        handler.close_connection = True
        return None

    def wait_for_stalled(self, many: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: self.stalled >= many, 10), self.stalled


def reply(handler: BaseHTTPRequestHandler, status: int, content: bytes) -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)


@contextmanager
def stalling(api: Stalling) -> Iterator[Stalling]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def do_GET(self) -> None:
            offset = int(self.path.partition("offset=")[2].partition("&")[0] or 0)
            api.asked.append(offset)
            api.answer(self, offset)

        def log_message(self, *_arguments: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Say nothing of clients that have gone away."""

    with Server(("127.0.0.1", 0), Handler) as server:
        api.port = server.server_port
        # an earlier test can have left a connection to an API that had the same port
        api.earlier = [each.laddr for each in sockets_to(api)]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield api
        finally:
            api.over.set()
            server.shutdown()
            thread.join()


def sockets_to(api: Stalling) -> list[Any]:
    """This process's own ends of the connections to the API; the API's are not counted."""
    return [
        each
        for each in psutil.Process().net_connections("tcp")
        if each.raddr and each.raddr.port == api.port and each.laddr not in api.earlier
        if each.status != psutil.CONN_TIME_WAIT
    ]


def threads_ahead() -> list[str]:
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
        assert threads_ahead() == []
        assert sockets_to(api) == []
        assert api.stalled >= MOST - 1


def test_no_request_of_a_read_that_failed_is_sent_afterwards() -> None:
    with stalling(Stalling()) as api:
        drain(resource_of(api, connect({"base_url": api.url}, "shop")))
        asked = len(api.asked)
        sleep(0.3)

        assert len(api.asked) == asked
        assert max(asked for asked in api.asked) <= 8 + 2 * MOST


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Python's own way with Ctrl-C: an earlier test may have left that of a load behind."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_a_read_that_is_interrupted_ends_at_once_and_leaves_nothing() -> None:
    def interrupt() -> None:
        api.wait_for_stalled(MOST)
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
        assert threads_ahead() == []
        # an interrupt can come anywhere, and leave an answer to the garbage collector
        while sockets_to(api) and time.monotonic() - started < PROMPT:
            gc.collect()
        assert sockets_to(api) == []


def test_a_load_that_fails_while_others_stall_ends_at_once_and_leaves_nothing(
    warehouse: Warehouse,
) -> None:
    """A load of rows with a contract asks for pages ahead in a way of its own."""
    with stalling(Stalling(fails_at=40)) as api:
        with closing(connect({"base_url": api.url}, "shop")) as connection:
            pipeline = warehouse.pipeline("test")
            started = time.monotonic()
            with pytest.raises(Exception, match="orders") as failure:
                pipeline.run(resource_of(api, connection, CONTRACT))

        assert "403" in str(find_cause(failure.value, Exception)) + str(failure.value)
        assert time.monotonic() - started < PROMPT
        assert threads_ahead() == []
        assert sockets_to(api) == []


@pytest.mark.parametrize("status", [429, 503])
def test_a_long_wait_for_a_retry_ends_with_its_read(status: int) -> None:
    waits = threading.Event()

    def answer(asked: Asked) -> Answer:
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
    assert threads_ahead() == []


def test_what_is_dropped_in_the_middle_does_not_keep_the_next_pass_waiting() -> None:
    """Pages of a void pass that stall are not waited for."""
    passes, stalls, over = [0], threading.Barrier(MOST), threading.Event()

    def answer(asked: Asked) -> Answer:
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


def test_another_read_with_the_same_session_goes_on() -> None:
    with stalling(Stalling()) as api:
        connection = connect({"base_url": api.url}, "shop")
        drain(resource_of(api, connection))
        assert sockets_to(api) == []

        answer = connection.session.get(f"{api.url}/orders?offset=0")

        assert answer.status_code == 200
        connection.close()
        assert sockets_to(api) == []


def test_a_pause_ends_when_its_read_is_given_up() -> None:
    scope, waits = CancelScope(), threading.Event()
    errors: list[Exception] = []

    def work() -> None:
        with scope.entered():
            waits.set()
            try:
                sleep(3600)
            except ReadCancelledError as error:
                errors.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert waits.wait(5)
    scope.cancel()
    thread.join(PROMPT)

    assert len(errors) == 1


def test_a_pause_of_nobody_in_particular_is_just_a_pause() -> None:
    assert seconds_of(lambda: sleep(0.1)) >= 0.1
