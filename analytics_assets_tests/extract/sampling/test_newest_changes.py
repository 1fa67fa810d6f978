"""Newest changes of many endpoints: asked side by side, within the limits of the API."""

import threading
import time
from collections.abc import Callable, Generator, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.policy import NewestRequest
from analytics_assets.config.settings.request import single_attempt
from analytics_assets.contract.resource import resources_of
from analytics_assets.extract.http.connection import Connection, connect
from analytics_assets.extract.http.errors import QuotaError, ResponseError
from analytics_assets.extract.sampling.newest_changes import NewestChanges, Outcome
from analytics_assets.extract.sampling.watermark import NewestRead
from analytics_assets_tests.extract.http.limits.in_flight import TIMEOUT, InFlight
from analytics_assets_tests.support.paged_server import Answer, Answers, Request, serving

NAMES = [f"r{number:02}" for number in range(20)]
REQUEST = NewestRequest(params={"limit": 1}, field="at")
AT = datetime(2026, 1, 31, tzinfo=UTC)
NEWEST = Answer({"data": [{"at": AT.isoformat()}]})
HELD = 0.9  # seconds, of the one that a refusal asks to wait


class Asking:
    """Asks an API of many endpoints, tick after tick."""

    def __init__(self, url: str) -> None:
        entries = [
            {"name": name, "endpoint": {"path": name, "data_selector": "data"}} for name in NAMES
        ]
        config: Any = {"client": {"base_url": url}, "resources": entries}
        self._client = config["client"]
        self._resources = resources_of(Api(name="shop", config=config))
        self._changes = NewestChanges()
        self.made: list[str] = []  # the reads

    def _make(self, name: str, connection: Connection) -> NewestRead:
        self.made.append(name)
        return NewestRead(self._resources[name], REQUEST, connection)

    def outcomes(
        self, until: float = TIMEOUT, end: float = TIMEOUT
    ) -> Generator[tuple[str, Outcome], None, None]:
        """Ask all endpoints; the times are seconds from now."""
        settings = single_attempt(TIMEOUT)
        settings.request_timeout = TIMEOUT
        connection = connect(self._client, "shop", settings)
        reads = {name: partial(self._make, name) for name in NAMES}
        now = time.monotonic()
        try:
            yield from self._changes.fetch(reads, connection, now + until, now + end)
        finally:
            connection.close()


@pytest.fixture
def api() -> Iterator[Callable[[Answers], Asking]]:
    """Start an API with these answers."""
    running = []

    def start(answers: Answers) -> Asking:
        running.append(server := serving(answers))
        server.start()
        return Asking(server.base_url)

    yield start
    for server in running:
        server.stop()


def name_of(asked: Request) -> str:
    return asked.path.strip("/")


@pytest.mark.parametrize("most", [1, 5, 16])
def test_as_many_endpoints_are_asked_at_once_as_the_limit_allows(
    api: Callable[[Answers], Asking], monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setenv("READING__MAX_IN_FLIGHT", str(most))
    monkeypatch.setenv("READING__ADAPTIVE", "false")
    in_flight = InFlight(most)

    def answer(_asked: Request) -> Answer:
        with in_flight.counted():
            return NEWEST

    assert dict(api(answer).outcomes()) == dict.fromkeys(NAMES, AT)
    assert in_flight.most == most


def test_more_endpoints_are_asked_at_once_where_answers_take_long(
    api: Callable[[Answers], Asking],
) -> None:
    in_flight, waits = InFlight(5), threading.Event()

    def answer(asked: Request) -> Answer:
        if name_of(asked) == NAMES[0]:
            waits.wait(0.05)
            return NEWEST
        with in_flight.counted():
            return NEWEST

    assert dict(api(answer).outcomes()) == dict.fromkeys(NAMES, AT)
    assert in_flight.most > 4


def test_a_slow_endpoint_does_not_hold_up_the_others(api: Callable[[Answers], Asking]) -> None:
    others = threading.Semaphore(0)

    def answer(asked: Request) -> Answer:
        if name_of(asked) == NAMES[0]:  # answers after all others
            for _ in NAMES[1:]:
                assert others.acquire(timeout=TIMEOUT)
        else:
            others.release()
        return NEWEST

    assert dict(api(answer).outcomes()) == dict.fromkeys(NAMES, AT)


def test_an_endpoint_that_refuses_is_the_only_one_with_an_error(
    api: Callable[[Answers], Asking],
) -> None:
    def answer(asked: Request) -> Answer:
        return Answer({}, 404) if name_of(asked) == NAMES[3] else NEWEST

    found = dict(api(answer).outcomes())
    error = found.pop(NAMES[3])
    assert isinstance(error, ResponseError)
    assert str(error).startswith("r03: GET http")
    assert found == dict.fromkeys([*NAMES[:3], *NAMES[4:]], AT)


def test_all_wait_when_the_api_asks_one_of_them_to(
    api: Callable[[Answers], Asking], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("READING__MAX_IN_FLIGHT", "5")
    monkeypatch.setenv("READING__ADAPTIVE", "false")
    moments, refused = list[float](), threading.Event()

    def answer(asked: Request) -> Answer:
        if name_of(asked) == NAMES[0]:
            moments.append(time.monotonic())
            refused.set()
            return Answer({}, 429, {"Retry-After": "1"})
        assert refused.wait(TIMEOUT)
        moments.append(now := time.monotonic())
        time.sleep(max(0.0, moments[0] + HELD - now))
        return NEWEST

    found = dict(api(answer).outcomes())
    assert isinstance(found.pop(NAMES[0]), ResponseError)  # a single attempt is not repeated
    assert set(found.values()) == {AT}
    # others were in flight when the refusal was sent, and none took the place that it left
    assert len([moment for moment in moments[1:] if moment < moments[0] + HELD]) < 5


def test_a_wait_longer_than_the_timeout_is_the_error_of_all_that_were_not_asked(
    api: Callable[[Answers], Asking],
) -> None:
    asking = api(lambda _: Answer({}, 429, {"Retry-After": "600"}))
    found = dict(asking.outcomes()).values()
    assert len(found) == len(NAMES)
    assert {type(error) for error in found} == {ResponseError, QuotaError}


def test_no_read_begins_once_the_time_is_over(api: Callable[[Answers], Asking]) -> None:
    asking = api(lambda _: NEWEST)
    assert list(asking.outcomes(until=-1.0)) == []
    assert asking.made == []


def test_a_read_without_an_answer_at_the_end_is_cancelled_and_has_no_outcome(
    api: Callable[[Answers], Asking],
) -> None:
    answered = threading.Event()

    def answer(asked: Request) -> Answer:
        if name_of(asked) == NAMES[1]:
            answered.wait(TIMEOUT)
        return NEWEST

    asking, seconds, found = api(answer), 1.0, dict[str, Outcome]()
    while NAMES[0] not in found and seconds < TIMEOUT:  # a busy machine has no answer so soon
        found = dict(asking.outcomes(until=seconds, end=seconds))
        assert NAMES[1] not in found
        seconds *= 4
    answered.set()
    assert found[NAMES[0]] == AT


def test_reads_are_cancelled_when_nobody_takes_their_outcomes(
    api: Callable[[Answers], Asking],
) -> None:
    answered = threading.Event()

    def answer(asked: Request) -> Answer:
        if name_of(asked) != NAMES[0]:
            answered.wait(TIMEOUT)
        return NEWEST

    outcomes = api(answer).outcomes()
    assert next(outcomes) == (NAMES[0], AT)
    began = time.monotonic()
    outcomes.close()
    assert time.monotonic() - began < TIMEOUT / 2  # an answer would take twice as long
    answered.set()


def test_a_read_is_made_once_and_again_after_a_change_of_settings(
    api: Callable[[Answers], Asking], monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = api(lambda _: NEWEST)
    for _ in range(3):
        assert dict(asking.outcomes()) == dict.fromkeys(NAMES, AT)
    assert asking.made == NAMES
    monkeypatch.setenv("SOURCES__SHOP__SOME_SETTING", "another")
    assert dict(asking.outcomes()) == dict.fromkeys(NAMES, AT)
    assert asking.made == [*NAMES, *NAMES]


def test_an_endpoint_whose_request_cannot_be_made_is_the_only_one_with_an_error(
    api: Callable[[Answers], Asking], monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = api(lambda _: NEWEST)
    make = asking._make

    def failing(name: str, connection: Connection) -> NewestRead:
        if name == NAMES[2]:
            raise KeyError(name)
        return make(name, connection)

    monkeypatch.setattr(asking, "_make", failing)
    found = dict(asking.outcomes())
    assert isinstance(found.pop(NAMES[2]), KeyError)
    assert len(found) == len(NAMES) - 1
