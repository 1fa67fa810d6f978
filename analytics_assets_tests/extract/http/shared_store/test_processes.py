"""Limits of all processes as the API sees them."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil
import pytest
from cryptography.fernet import Fernet

from analytics_assets_tests.extract.http.shared_store import readers
from analytics_assets_tests.support.http.exchange import Answer, Request
from analytics_assets_tests.support.http.server import Server
from analytics_assets_tests.support.postgres import PostgresServer, postgres_settings

pytestmark = pytest.mark.e2e
PATIENCE = 300.0  # seconds, on a busy machine


class Counting:
    """Counts the requests that an API has in flight, and when they came.

    Args:
        seconds: the time of an answer.
        is_held: True to answer the requests of the first process not before it is gone.
    """

    def __init__(self, seconds: float, is_held: bool = False) -> None:
        self.most = 0
        self.moments: list[float] = []
        self.pages = Counter[str]()
        self.held: str | None = None
        self.let_go = threading.Event()
        self._seconds, self._is_held = seconds, is_held
        self._now, self._lock = 0, threading.Lock()

    def __call__(self, asked: Request) -> Answer:
        process = asked.query.get("process", "")
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
            self.moments.append(time.monotonic())
            self.pages[process] += 1
            if self._is_held and self.held is None and int(asked.query.get("page", "0")) == 3:
                self.held = process
        if process == self.held:
            self.let_go.wait(PATIENCE)
        time.sleep(self._seconds)
        with self._lock:
            self._now -= 1
        return Answer({"data": []})


class SigningIn:
    """Issues tokens, and revokes the first one in the middle of the reads.

    Args:
        pages: the requests after which it is revoked.
    """

    def __init__(self, pages: int) -> None:
        self.issued = self.refused = 0
        self._pages, self._left, self._lock = pages, pages, threading.Lock()

    def __call__(self, asked: Request) -> Answer:
        with self._lock:
            if asked.path == "/token":
                self.issued += 1
                return Answer({"access_token": f"token-{self.issued}", "expires_in": 3600})
            self._left -= 1
            valid = "Bearer token-1" if self._left >= 0 else "Bearer token-2"
            if asked.headers.get("authorization") == valid:
                return Answer({"data": []})
            self.refused += 1
            return Answer({}, 401)


@contextmanager
def reading(
    api: Counting | SigningIn, url: str, processes: int, pages: int, **settings: str
) -> Iterator[subprocess.Popen[str]]:
    """Start processes that read from an API, in a group of their own."""
    environment = {**os.environ, **postgres_settings(url), "READING__ADAPTIVE": "false", **settings}
    with Server(api) as server:
        if isinstance(api, SigningIn):
            environment["TOKEN_URL"] = server.url("/token")
        started = subprocess.Popen(
            [sys.executable, "-m", readers.__name__, server.base_url, str(processes), str(pages)],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            yield started
        finally:
            with suppress(ProcessLookupError):
                os.killpg(started.pid, signal.SIGKILL)
            started.wait()


def test_eight_processes_never_have_more_requests_in_flight_than_is_set(postgres_url: str) -> None:
    api = Counting(0.05)
    with reading(api, postgres_url, 8, 10, READING__MAX_IN_FLIGHT="3") as started:
        assert started.communicate(timeout=PATIENCE)[0].strip() == str([0] * 8)
    assert api.most == 3
    assert len(api.moments) == 81


def test_eight_processes_never_begin_more_requests_in_a_second_than_is_set(
    postgres_url: str,
) -> None:
    api = Counting(0.01)
    with reading(api, postgres_url, 8, 10, READING__MAX_PER_SECOND="20") as started:
        assert started.communicate(timeout=PATIENCE)[0].strip() == str([0] * 8)
    # the first one is answered before the others begin; some arrive late, and none early
    first, *others = sorted(api.moments)
    assert [each for place, each in enumerate(others) if each - first < place / 20] == []
    assert len(others) == 80


def test_the_requests_of_a_killed_process_make_room(postgres_url: str) -> None:
    api = Counting(0.01, is_held=True)
    with reading(api, postgres_url, 3, 10, READING__MAX_IN_FLIGHT="1") as started:
        while api.held is None:
            time.sleep(0.01)
        os.kill(int(api.held), signal.SIGKILL)
        assert started.communicate(timeout=PATIENCE)[0].strip() == "[-9, 0, 0]"
        api.let_go.set()
    assert len(api.moments) > 20


def test_a_restart_of_the_store_delays_requests_and_no_limit_is_exceeded() -> None:
    api = Counting(0.05)
    with PostgresServer() as server:
        url = server.url()
        with reading(api, url, 4, 20, READING__MAX_IN_FLIGHT="3") as started:
            while len(api.moments) < 20:
                time.sleep(0.01)
            pid = server.pid
            os.kill(pid, signal.SIGQUIT)
            while psutil.pid_exists(pid):
                time.sleep(0.01)
            server.start()
            assert started.communicate(timeout=PATIENCE)[0].strip() == str([0] * 4)
    assert api.most == 3
    assert len(api.moments) == 81


def test_eight_processes_ask_for_one_token_and_for_one_after_it_was_revoked(
    postgres_url: str,
) -> None:
    api = SigningIn(30)
    settings = {
        "CLIENT_ID": "client",
        "CLIENT_SECRET": "secret-of-client",
        "SHARED_STORE__ENCRYPTION_KEY": Fernet.generate_key().decode(),
    }
    with reading(api, postgres_url, 8, 10, **settings) as started:
        assert started.communicate(timeout=PATIENCE)[0].strip() == str([0] * 8)
    assert api.refused
    assert api.issued == 2
