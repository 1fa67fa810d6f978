"""Rate limits as an API sees them."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from analytics_assets.config.errors import find_cause
from analytics_assets.config.settings.request import single_attempt
from analytics_assets.extract.http.connection import Connection, connect
from analytics_assets.extract.http.errors import NoAnswerError
from analytics_assets_tests.extract.http.limits.in_flight import InFlight
from analytics_assets_tests.extract.http.limits.responses import Response
from analytics_assets_tests.support.http.fetching import quick_settings
from analytics_assets_tests.support.paged_server import (
    Answer,
    PagedServer,
    Request,
    drain,
    orders,
    paged,
    rows,
    serving,
    source_of,
)

MANY_PAGES = rows(*range(40))
PATIENCE = 60.0  # seconds, on a busy machine
WAIT, HELD = 1, 0.5  # seconds that a refusal asks to wait, and until other requests are answered


class Refusing:
    """Refuses the first request for one page, and answers others before the wait is over.

    It answers the first page, which all others wait for, at once.
    """

    def __init__(self, status: int, retry_after: str, offset: int = 8) -> None:
        self.refusal = Answer({}, status, {"Retry-After": retry_after})
        self.offset, self.refused_at = offset, 0.0
        self.refused = threading.Event()
        self.moments: list[float] = []
        self._answers = paged(MANY_PAGES)
        self._lock = threading.Lock()

    def __call__(self, asked: Request) -> Answer:
        with self._lock:
            now = time.monotonic()
            if asked.number("offset") == self.offset and not self.refused_at:
                self.refused_at = now
                self.refused.set()
                return self.refusal
            self.moments.append(now)
        if asked.number("offset") > 0 and self.offset > 0:
            assert self.refused.wait(PATIENCE)
            time.sleep(max(0.0, self.refused_at + HELD - time.monotonic()))
        return self._answers(asked)


def read_ahead(monkeypatch: pytest.MonkeyPatch, in_flight: int = 16, **settings: str) -> None:
    monkeypatch.setenv("READING__ADAPTIVE", "false")
    monkeypatch.setenv("READING__MAX_IN_FLIGHT", str(in_flight))
    for name, value in settings.items():
        monkeypatch.setenv(f"READING__{name}", value)


def read_from(server: PagedServer, connection: Connection | None = None) -> list[object]:
    attempt = drain(source_of(server, orders(), connection=connection).resources["orders"])
    assert not attempt.error
    return attempt.rows


def test_a_refusal_of_one_page_delays_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    read_ahead(monkeypatch, 5)
    api = Refusing(429, str(WAIT))
    with serving(api) as server:
        assert read_from(server) == MANY_PAGES

    # others were in flight when the refusal was sent, and none follows those that are answered
    _, *others = sorted(api.moments)
    assert len([each for each in others if each < api.refused_at + WAIT]) < 5


def test_a_single_attempt_does_not_wait_longer_than_its_timeout() -> None:
    with serving(paged(MANY_PAGES)) as server:
        connection = connect({"base_url": server.base_url}, "shop", single_attempt())
        connection.rate_limit.observe(*Response(429, {"Retry-After": "600"}))

        with pytest.raises(Exception, match="accepts no request") as failure:
            list(source_of(server, orders(), connection=connection).resources["orders"])

        assert find_cause(failure.value, NoAnswerError)
        assert server.requests == []


@pytest.mark.parametrize("in_flight", [1, 4, 16])
def test_the_api_never_sees_more_requests_at_once_than_is_set(
    monkeypatch: pytest.MonkeyPatch, in_flight: int
) -> None:
    read_ahead(monkeypatch, in_flight)
    answers, in_flight_now = paged(MANY_PAGES), InFlight(in_flight)

    def answer(asked: Request) -> Answer:
        if not asked.number("offset"):  # alone, as the number of pages is unknown
            return answers(asked)
        with in_flight_now.counted():
            return answers(asked)

    with serving(answer) as server:
        assert read_from(server) == MANY_PAGES
    assert in_flight_now.most == in_flight


def test_the_api_never_sees_more_requests_at_once_over_several_connections(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read_ahead(monkeypatch, 5)
    answers, in_flight_now = paged(MANY_PAGES), InFlight(5)

    def answer(asked: Request) -> Answer:
        if not asked.number("offset"):  # alone, as the number of pages is unknown
            return answers(asked)
        with in_flight_now.counted():
            return answers(asked)

    with serving(answer) as server, ThreadPoolExecutor(3) as reads:
        for each in [reads.submit(read_from, server) for _ in range(3)]:
            assert each.result() == MANY_PAGES
    assert in_flight_now.most == 5


def test_the_api_never_sees_more_requests_a_second_than_is_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read_ahead(monkeypatch, 16, MAX_PER_SECOND="50")
    api = Refusing(429, "0", offset=-1)
    began = time.monotonic()
    with serving(api) as server, ThreadPoolExecutor(2) as reads:
        for each in [reads.submit(read_from, server) for _ in range(2)]:
            assert each.result() == MANY_PAGES

    assert max(api.moments) - began >= (len(api.moments) - 1) / 50


def test_the_api_sees_no_more_requests_than_its_quota_allows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read_ahead(monkeypatch, 16)
    answers, left = paged(MANY_PAGES), iter(range(9, -1, -1))

    def answer(asked: Request) -> Answer:
        headers = {"X-RateLimit-Remaining": str(next(left, 0)), "X-RateLimit-Reset": "3600"}
        return Answer(answers(asked).body, headers=headers)

    with serving(answer) as server:
        connection = connect({"base_url": server.base_url}, "shop", quick_settings(max_attempts=1))
        attempt = drain(source_of(server, orders(), connection=connection).resources["orders"])
        assert len(server.requests) == 10
    assert "its quota of requests is used up" in attempt.error


def test_a_read_goes_on_after_the_reset_of_its_quota(monkeypatch: pytest.MonkeyPatch) -> None:
    read_ahead(monkeypatch, 16)
    lock, windows = threading.Lock(), dict[int, int]()
    answers = paged(MANY_PAGES)

    def answer(asked: Request) -> Answer:
        with lock:
            window = int(time.time())
            windows[window] = windows.get(window, 0) + 1
            left = 10 - windows[window]
        if left < 0:  # a slow machine may not use a quota up, and what is in flight meets the next
            return Answer({}, 429, {"Retry-After": "1"})
        page = answers(asked)
        headers = {"X-RateLimit-Remaining": str(left), "X-RateLimit-Reset": str(window + 1)}
        return Answer(page.body, headers=headers)

    with serving(answer) as server:
        assert read_from(server) == MANY_PAGES
    assert len(windows) >= 3
