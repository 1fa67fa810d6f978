"""How fast an API is asked: so many requests at once, so many a second, and not when it says so."""

import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from typing import NamedTuple

import pytest

from analytics_assets.config.errors import find_cause
from analytics_assets.config.settings import SettingsError
from analytics_assets.extract.http.cancellation import CancelScope, ReadCancelledError
from analytics_assets.extract.http.connection import Connection, connect
from analytics_assets.extract.http.errors import NoAnswerError
from analytics_assets.extract.http.limits.headers import Quota, quota_of, retry_after
from analytics_assets.extract.http.limits.rate_limit import Host, Pace, PaceSettings
from analytics_assets.extract.http.request_settings import single_attempt
from analytics_assets_tests.support.paged_server import (
    Answer,
    Asked,
    PagedServer,
    drain,
    orders,
    paged,
    rows,
    serving,
    source_of,
)

LONG = 3600.0  # seconds: longer than any test takes
SOON = 0.3
PATIENCE = 60.0  # seconds, of a busy machine
MANY_PAGES = rows(*range(40))


class Told(NamedTuple):
    """What an answer says of the pace."""

    status_code: int = 200
    headers: Mapping[str, str] = {}


def pace_of(
    in_flight: int = 16, per_second: float | None = None, longest_hold: float = LONG
) -> Pace:
    settings = PaceSettings()
    settings.max_in_flight, settings.max_per_second = in_flight, per_second
    return Pace(settings, longest_hold)


def held(pace: Pace) -> bool:
    """Whether no request may start now; one that may is ended at once."""
    if pace.try_to_start():
        return True
    pace.end()
    return False


def seconds_held(pace: Pace) -> float:
    started = time.monotonic()
    with pace.turn():
        return time.monotonic() - started


def quota(left: int, reset: float) -> Told:
    return Told(headers={"X-RateLimit-Remaining": str(left), "X-RateLimit-Reset": str(reset)})


class AtOnce:
    """Counts how many are within, and lets none out before `many` have been."""

    def __init__(self, many: int) -> None:
        self.most = self._now = 0
        self._many, self._condition = many, threading.Condition()

    @contextmanager
    def within(self) -> Iterator[None]:
        with self._condition:
            self._now += 1
            self.most = max(self.most, self._now)
            self._condition.notify_all()
            self._condition.wait_for(lambda: self.most >= self._many, timeout=PATIENCE)
        yield
        with self._condition:
            self._now -= 1


def test_as_many_requests_are_on_their_way_as_may_be_and_no_more() -> None:
    pace, counted = pace_of(in_flight=3), AtOnce(3)

    def request() -> None:
        with pace.turn(), counted.within():
            pass

    with ThreadPoolExecutor(10) as threads:
        for each in [threads.submit(request) for _ in range(30)]:
            each.result()
    assert counted.most == 3


def test_a_request_that_fails_makes_room_for_the_next() -> None:
    pace = pace_of(in_flight=1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), pace.turn():
            raise ZeroDivisionError

    assert not held(pace)


def test_no_second_sees_more_requests_than_are_allowed() -> None:
    pace, started = pace_of(per_second=50), []

    def request() -> None:
        with pace.turn():
            started.append(time.monotonic())

    began = time.monotonic()
    with ThreadPoolExecutor(8) as threads:
        for _ in range(26):
            threads.submit(request)
    assert 0.5 <= time.monotonic() - began < 2
    gaps = [later - earlier for earlier, later in pairwise(sorted(started))]
    # each notes its time shortly after it was let go
    assert all(gap > 0.01 for gap in gaps)


def test_a_pause_is_not_made_up_for_by_a_burst() -> None:
    pace = pace_of(per_second=2)
    assert not held(pace)
    assert held(pace)
    time.sleep(0.6)  # longer than the gap: what may start then is one request
    assert not held(pace)
    assert held(pace)


@pytest.mark.parametrize("name", ["MAX_IN_FLIGHT", "MAX_PER_SECOND"])
@pytest.mark.parametrize("value", ["0", "-1"])
def test_a_limit_that_lets_no_request_through_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"READING__{name}", value)

    with pytest.raises(SettingsError, match=f"`reading.{name.lower()}` is {value}"):
        connect({"base_url": "http://127.0.0.1"}, "shop")


@pytest.mark.parametrize("name", ["MAX_IN_FLIGHT", "MAX_PER_SECOND", "ADAPTIVE"])
def test_a_limit_of_another_type_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"READING__{name}", "as you like")

    with pytest.raises(SettingsError, match=f"`reading.{name.lower()}`"):
        connect({"base_url": "http://127.0.0.1"}, "shop")


def limits_of(resource: str = "", url: str = "http://127.0.0.1") -> int:
    return connect({"base_url": url}, "shop", resource=resource).pace.max_in_flight


def test_limits_can_be_set_for_all_apis_for_one_and_for_one_resource(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert limits_of("orders") == 16
    monkeypatch.setenv("READING__MAX_IN_FLIGHT", "8")
    assert limits_of("orders") == limits_of() == 8
    monkeypatch.setenv("SOURCES__SHOP__READING__MAX_IN_FLIGHT", "4")
    assert limits_of("orders") == limits_of() == 4
    monkeypatch.setenv("SOURCES__SHOP__ORDERS__READING__MAX_IN_FLIGHT", "2")
    assert (limits_of("orders"), limits_of("refunds"), limits_of()) == (2, 4, 4)


def test_connections_to_one_host_keep_its_limits_together() -> None:
    first, second = (connect({"base_url": "http://a.test/v1"}, "shop") for _ in range(2))
    elsewhere = connect({"base_url": "http://b.test/v1"}, "shop")

    assert first.pace is second.pace
    assert first.pace is not elsewhere.pace


# -- what the API asks for --


def in_a_while(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


def test_retry_after_is_understood_in_seconds_and_as_a_date() -> None:
    assert retry_after("120") == 120
    assert retry_after(" 7 ") == 7
    assert 98 < retry_after(in_a_while(100)) <= 100


@pytest.mark.parametrize(
    "value",
    [
        "",
        "soon",
        "-5",
        "Mon, 05 Jan 2026 00:00:00 GMT",
        "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
    ],
)
def test_a_retry_after_that_says_nothing_is_no_wait(value: str) -> None:
    assert retry_after(value) == 0


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_holds_back_every_request(status: int) -> None:
    pace = pace_of()
    pace.heed(Told(status, {"Retry-After": "1"}))

    assert held(pace)
    assert 0.7 < seconds_held(pace) < 2
    assert not held(pace)


def test_an_answer_in_between_does_not_end_the_wait() -> None:
    pace = pace_of()
    pace.heed(Told(429, {"Retry-After": "60"}))
    pace.heed(Told(200))
    pace.heed(Told(429, {"Retry-After": "1"}))

    with pytest.raises(NoAnswerError, match=r"another (59|60) seconds"), pace.turn(patience=10):
        pass


@pytest.mark.parametrize("status", [200, 301, 500])
def test_retry_after_of_another_status_holds_nothing_back(status: int) -> None:
    pace = pace_of()
    pace.heed(Told(status, {"Retry-After": "60"}))

    assert not held(pace)
    assert pace.times_slowed_down == 0


def test_a_wait_is_cut_to_the_longest_that_is_set() -> None:
    pace = pace_of(longest_hold=SOON)
    pace.heed(Told(429, {"Retry-After": "3600"}))
    assert 0 < seconds_held(pace) <= 3 * SOON

    pace.heed(quota(0, 3600))
    assert 0 < seconds_held(pace) <= 3 * SOON


def test_each_refusal_is_counted_for_those_who_read_ahead() -> None:
    pace = pace_of()
    for status in (429, 200, 503, 500):
        pace.heed(Told(status))

    assert pace.times_slowed_down == 2


FORMS = {
    "seconds": {"X-RateLimit-Remaining": "7", "X-RateLimit-Reset": "100"},
    "a moment": {"X-RateLimit-Remaining": "7", "X-RateLimit-Reset": "{moment:.0f}"},
    "a moment with a fraction": {"X-RateLimit-Remaining": "7", "X-RateLimit-Reset": "{moment:.3f}"},
    "milliseconds": {"X-RateLimit-Remaining": "7", "X-RateLimit-Reset": "{moment:.0f}000"},
    "another dash": {"X-Rate-Limit-Remaining": "7", "X-Rate-Limit-Reset": "100"},
    "the draft, three fields": {"RateLimit-Remaining": "7", "RateLimit-Reset": "100"},
    "the draft, one field": {"RateLimit": "limit=10, remaining=7, reset=100"},
    "the draft, structured": {"RateLimit": '"default";r=7;t=100'},
    "the draft, the other way round": {"RateLimit": '"default";t=100;r=7'},
    "the draft, several policies": {"RateLimit": '"day";r=900;t=5000, "minute";r=7;t=100'},
    "the draft goes first": {
        "RateLimit": '"default";r=7;t=100',
        "X-RateLimit-Remaining": "1",
        "X-RateLimit-Reset": "1",
    },
}


@pytest.mark.parametrize("form", FORMS)
def test_a_quota_is_understood_in_every_form(form: str) -> None:
    moment = time.time() + 100  # of this test, which may begin long after it was collected
    headers = {name: value.format(moment=moment) for name, value in FORMS[form].items()}

    found = quota_of(headers)

    assert found is not None
    assert found.left == 7
    assert 60 < found.reset <= 101


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-RateLimit-Remaining": "0"},
        {"X-RateLimit-Reset": "100"},
        {"X-RateLimit-Remaining": "few", "X-RateLimit-Reset": "100"},
        {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "inf"},
        {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "nan"},
        {"RateLimit": '"default";r=0'},
    ],
)
def test_half_a_quota_is_none(headers: dict[str, str]) -> None:
    assert quota_of(headers) is None


def test_a_reset_that_is_over_is_no_wait() -> None:
    assert quota_of({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1000000000"}) == Quota(
        0, 0
    )


def test_no_more_requests_start_than_are_left() -> None:
    pace = pace_of()
    pace.heed(quota(3, 60))

    assert [held(pace) for _ in range(5)] == [False, False, False, True, True]


def test_answers_that_come_late_do_not_give_requests_back() -> None:
    pace = pace_of()
    pace.heed(quota(3, 60))
    assert [held(pace), held(pace)] == [False, False]

    pace.heed(quota(2, 60))  # to the first of the two

    assert [held(pace), held(pace)] == [False, True]


def test_a_new_quota_counts_although_the_old_one_was_not_used_up() -> None:
    pace = pace_of()
    pace.heed(quota(1, 20))
    pace.heed(quota(5, 60))

    assert [held(pace) for _ in range(6)] == [False] * 5 + [True]


def test_once_a_used_up_quota_is_reset_one_request_asks_how_many_there_are() -> None:
    pace = pace_of()
    pace.heed(quota(0, SOON))
    assert held(pace)

    with pace.turn():
        assert held(pace), "its answer is waited for"
        pace.heed(quota(2, 60))
    assert [held(pace) for _ in range(3)] == [False, False, True]


def test_an_api_that_says_nothing_any_more_is_asked_as_before() -> None:
    pace = pace_of()
    pace.heed(quota(0, 0))
    assert not held(pace)
    assert held(pace)

    pace.heed(Told())

    assert not any(held(pace) for _ in range(20))


def test_one_request_that_gets_no_answer_does_not_keep_the_others_for_ever() -> None:
    pace = pace_of()
    pace.heed(quota(0, 0))
    assert not held(pace)

    assert seconds_held(pace) < 3


# -- over HTTP --


class Refusing:
    """Refuses the first request for one page, and notes when which pages are asked for."""

    def __init__(self, status: int, retry_after: str, offset: int = 8) -> None:
        self.refusal = Answer({}, status, {"Retry-After": retry_after})
        self.offset, self.refused_at = offset, 0.0
        self.moments: list[float] = []
        self._answers = paged(MANY_PAGES)
        self._lock = threading.Lock()

    def __call__(self, asked: Asked) -> Answer:
        with self._lock:
            now = time.monotonic()
            if asked.number("offset") == self.offset and not self.refused_at:
                self.refused_at = now
                return self.refusal
            self.moments.append(now)
        return self._answers(asked)


def ahead(monkeypatch: pytest.MonkeyPatch, in_flight: int = 16, **settings: str) -> None:
    monkeypatch.setenv("READING__ADAPTIVE", "false")
    monkeypatch.setenv("READING__MAX_IN_FLIGHT", str(in_flight))
    for name, value in settings.items():
        monkeypatch.setenv(f"READING__{name}", value)


def read_from(server: PagedServer, connection: Connection | None = None) -> list[object]:
    attempt = drain(source_of(server, orders(), connection=connection).resources["orders"])
    assert not attempt.error
    return attempt.rows


@pytest.mark.parametrize("in_flight", [1, 16])
@pytest.mark.parametrize("status", [429, 503])
def test_a_refusal_of_one_page_holds_back_the_others(
    monkeypatch: pytest.MonkeyPatch, status: int, in_flight: int
) -> None:
    ahead(monkeypatch, in_flight)
    api = Refusing(status, "1")
    with serving(api) as server:
        assert read_from(server) == MANY_PAGES

    # what was on its way when the refusal came may still arrive shortly after it
    late = [moment for moment in api.moments if moment > api.refused_at + 0.3]
    assert late
    assert min(late) >= api.refused_at + 0.9


def test_a_refusal_of_one_resource_holds_back_another_with_limits_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SOURCES__SHOP__REFUNDS__READING__MAX_IN_FLIGHT", "2")
    with serving(paged(MANY_PAGES)) as server:
        one, other = (
            connect({"base_url": server.base_url}, "shop", resource=resource)
            for resource in ("orders", "refunds")
        )
        assert one.pace is not other.pace
        one.pace.heed(Told(429, {"Retry-After": "1"}))
        started = time.monotonic()
        read_from(server, other)

    assert time.monotonic() - started >= 0.9


def test_a_look_at_an_api_does_not_wait_for_long() -> None:
    with serving(paged(MANY_PAGES)) as server:
        connection = connect({"base_url": server.base_url}, "shop", single_attempt())
        connection.pace.heed(Told(429, {"Retry-After": "600"}))

        with pytest.raises(Exception, match="left alone") as failure:
            list(source_of(server, orders(), connection=connection).resources["orders"])

        assert find_cause(failure.value, NoAnswerError)
        assert server.asked == []


@pytest.mark.parametrize("in_flight", [1, 4, 16])
def test_the_api_never_sees_more_requests_at_once_than_is_set(
    monkeypatch: pytest.MonkeyPatch, in_flight: int
) -> None:
    ahead(monkeypatch, in_flight)
    answers, counted = paged(MANY_PAGES), AtOnce(in_flight)

    def answer(asked: Asked) -> Answer:
        if not asked.number("offset"):  # alone, as nobody knows how many pages there are
            return answers(asked)
        with counted.within():
            return answers(asked)

    with serving(answer) as server:
        assert read_from(server) == MANY_PAGES
    assert counted.most == in_flight


def test_the_api_never_sees_more_requests_at_once_over_several_connections(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ahead(monkeypatch, 5)
    answers, counted = paged(MANY_PAGES), AtOnce(5)

    def answer(asked: Asked) -> Answer:
        if not asked.number("offset"):  # alone, as nobody knows how many pages there are
            return answers(asked)
        with counted.within():
            return answers(asked)

    with serving(answer) as server, ThreadPoolExecutor(3) as reads:
        for each in [reads.submit(read_from, server) for _ in range(3)]:
            assert each.result() == MANY_PAGES
    assert counted.most == 5


def test_the_api_never_sees_more_requests_a_second_than_is_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ahead(monkeypatch, 16, MAX_PER_SECOND="20")
    api = Refusing(429, "0", offset=-1)
    with serving(api) as server, ThreadPoolExecutor(2) as reads:
        for each in [reads.submit(read_from, server) for _ in range(2)]:
            assert each.result() == MANY_PAGES

    moments = sorted(api.moments)
    assert len(moments) >= 40
    within_a_second = [
        sum(1 for moment in moments if first <= moment < first + 1) for first in moments
    ]
    # the way to the API takes one longer than another
    assert max(within_a_second) <= 21
    assert moments[-1] - moments[0] >= 1.9


def test_the_api_sees_no_more_requests_than_its_quota_allows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ahead(monkeypatch, 16)
    lock, windows = threading.Lock(), dict[int, int]()
    answers = paged(MANY_PAGES)

    def answer(asked: Asked) -> Answer:
        with lock:
            window = int(time.time())
            windows[window] = windows.get(window, 0) + 1
            left = 10 - windows[window]
        if left < 0:
            return Answer({}, 429, {"Retry-After": "1"})
        told = answers(asked)
        headers = {"X-RateLimit-Remaining": str(left), "X-RateLimit-Reset": str(window + 1)}
        return Answer(told.body, headers=headers)

    with serving(answer) as server:
        assert read_from(server) == MANY_PAGES
    assert max(windows.values()) <= 10
    assert len(windows) >= 2


@pytest.mark.parametrize(
    "told", [Told(429, {"Retry-After": "3600"}), quota(0, 3600)], ids=["refusal", "quota"]
)
def test_a_wait_ends_when_its_read_is_given_up(told: Told) -> None:
    pace, scope, waiting = pace_of(), CancelScope(), threading.Event()
    pace.heed(told)

    def request() -> None:
        with scope.entered():
            waiting.set()
            with pace.turn():
                pass

    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(request)
        assert waiting.wait(5)
        scope.cancel()
        assert isinstance(answer.exception(timeout=5), ReadCancelledError)


def test_a_wait_for_room_ends_when_its_read_is_given_up() -> None:
    pace, scope = pace_of(in_flight=1), CancelScope()

    def request() -> None:
        with scope.entered(), pace.turn():
            pass

    with pace.turn(), ThreadPoolExecutor(1) as threads:
        answer = threads.submit(request)
        scope.cancel()
        assert isinstance(answer.exception(timeout=5), ReadCancelledError)


def test_what_one_host_asks_for_is_no_matter_to_another() -> None:
    one, other = Host(), Host()
    one.heed(Told(429, {"Retry-After": "60"}), LONG)

    assert one.wait() > 0
    assert other.wait() == 0
