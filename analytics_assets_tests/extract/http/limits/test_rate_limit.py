import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from analytics_assets.extract.http.cancellation import CancelScope, ReadCancelledError
from analytics_assets.extract.http.errors import NoAnswerError
from analytics_assets.extract.http.limits.host import HostLimits
from analytics_assets.extract.http.limits.rate_limit import RateLimit
from analytics_assets.extract.http.limits.settings import LimitSettings
from analytics_assets_tests.extract.http.conftest import FakeClock
from analytics_assets_tests.extract.http.limits.in_flight import InFlight
from analytics_assets_tests.extract.http.limits.responses import Response, quota

MAX_DELAY = 3600.0


def limit_of(
    in_flight: int = 16,
    per_second: float | None = None,
    max_delay: float = MAX_DELAY,
    clock: FakeClock | None = None,
    host: HostLimits | None = None,
) -> RateLimit:
    settings = LimitSettings()
    settings.max_in_flight, settings.max_per_second = in_flight, per_second
    if clock is None:
        return RateLimit(settings, max_delay, host)
    return RateLimit(settings, max_delay, host, clock, clock.sleep)


def starts(rate_limit: RateLimit) -> bool:
    """True if a request may start now; it is ended at once."""
    if rate_limit.try_acquire():
        return False
    rate_limit.release()
    return True


def seconds_waited(rate_limit: RateLimit, clock: FakeClock) -> float:
    before = clock.now
    with rate_limit.slot():
        return clock.now - before


def test_no_more_requests_are_in_flight_than_allowed() -> None:
    rate_limit, in_flight = limit_of(in_flight=3), InFlight(3)

    def request() -> None:
        with rate_limit.slot(), in_flight.counted():
            pass

    with ThreadPoolExecutor(10) as threads:
        for each in [threads.submit(request) for _ in range(30)]:
            each.result()
    assert in_flight.most == 3


def test_a_request_that_fails_gives_its_slot_back() -> None:
    rate_limit = limit_of(in_flight=1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), rate_limit.slot():
            raise ZeroDivisionError

    assert starts(rate_limit)


def test_requests_start_at_the_interval_of_the_limit_per_second() -> None:
    clock = FakeClock()
    rate_limit = limit_of(per_second=50, clock=clock)
    moments = []

    for _ in range(26):
        with rate_limit.slot():
            moments.append(clock.now)

    assert [later - earlier for earlier, later in pairwise(moments)] == pytest.approx([0.02] * 25)


def test_an_idle_time_is_not_made_up_for_by_a_burst() -> None:
    clock = FakeClock()
    rate_limit = limit_of(per_second=2, clock=clock)
    assert [starts(rate_limit), starts(rate_limit)] == [True, False]

    clock.now += 60

    assert [starts(rate_limit), starts(rate_limit)] == [True, False]


@pytest.mark.parametrize("response", [Response(429, {"Retry-After": "20"}), quota(0, 20)])
def test_a_request_waits_as_long_as_the_host_asks_for(response: Response) -> None:
    clock = FakeClock()
    rate_limit = limit_of(clock=clock)
    rate_limit.observe(response)

    assert not starts(rate_limit)
    assert seconds_waited(rate_limit, clock) == pytest.approx(20)
    rate_limit.observe(Response())
    assert starts(rate_limit)


def test_a_wait_is_cut_to_the_maximum() -> None:
    clock = FakeClock()
    rate_limit = limit_of(max_delay=5, clock=clock)
    rate_limit.observe(Response(429, {"Retry-After": "3600"}))

    assert seconds_waited(rate_limit, clock) == pytest.approx(5)


def test_a_wait_that_is_too_long_for_the_caller_is_an_error() -> None:
    rate_limit = limit_of(clock=FakeClock())
    rate_limit.observe(Response(429, {"Retry-After": "60"}))

    with (
        pytest.raises(NoAnswerError, match=r"another 60 seconds"),
        rate_limit.slot(max_wait=10),
    ):
        pass


def test_the_limits_of_a_host_hold_for_all_its_rate_limits() -> None:
    clock = FakeClock()
    host = HostLimits(clock)
    one, other = limit_of(clock=clock, host=host), limit_of(2, clock=clock, host=host)

    one.observe(Response(429, {"Retry-After": "60"}))

    assert not starts(other)
    assert other.throttle_count == 1


@pytest.mark.parametrize(
    "response", [Response(429, {"Retry-After": "3600"}), quota(0, 3600)], ids=["refusal", "quota"]
)
def test_a_wait_for_the_host_ends_when_its_scope_is_cancelled(response: Response) -> None:
    rate_limit, scope, waiting = limit_of(), CancelScope(), threading.Event()
    rate_limit.observe(response)

    def request() -> None:
        with scope.entered():
            waiting.set()
            with rate_limit.slot():
                pass

    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(request)
        assert waiting.wait(60)
        scope.cancel()
        assert isinstance(answer.exception(timeout=60), ReadCancelledError)


def test_a_wait_for_a_slot_ends_when_its_scope_is_cancelled() -> None:
    rate_limit, scope = limit_of(in_flight=1), CancelScope()

    def request() -> None:
        with scope.entered(), rate_limit.slot():
            pass

    with rate_limit.slot(), ThreadPoolExecutor(1) as threads:
        answer = threads.submit(request)
        scope.cancel()
        assert isinstance(answer.exception(timeout=60), ReadCancelledError)
