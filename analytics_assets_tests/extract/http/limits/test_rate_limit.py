import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from analytics_assets.config.settings.request import LimitSettings
from analytics_assets.extract.http.errors import NoAnswerError
from analytics_assets.extract.http.limits.host import HostLimits
from analytics_assets.extract.http.limits.rate_limit import RateLimit
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
    return RateLimit(settings, max_delay, host, clock or time.monotonic)


def starts(rate_limit: RateLimit) -> bool:
    """True if a request may start now; it is ended at once."""
    if rate_limit.try_acquire():
        return False
    rate_limit.release()
    return True


def seconds_waited(rate_limit: RateLimit, clock: FakeClock) -> float:
    before = clock.now
    while wait := rate_limit.try_acquire():
        clock.now += wait
    rate_limit.release()
    return clock.now - before


def test_no_more_requests_are_in_flight_than_allowed() -> None:
    rate_limit, in_flight = limit_of(in_flight=3), InFlight(3)

    def request() -> None:
        while rate_limit.try_acquire():
            time.sleep(0.0001)
        with in_flight.counted():
            time.sleep(0.001)
        rate_limit.release()

    with ThreadPoolExecutor(10) as threads:
        for each in [threads.submit(request) for _ in range(30)]:
            each.result()
    assert in_flight.most == 3


def test_requests_start_at_the_interval_of_the_limit_per_second() -> None:
    clock = FakeClock()
    rate_limit = limit_of(per_second=50, clock=clock)
    moments = []

    for _ in range(26):
        seconds_waited(rate_limit, clock)
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
    rate_limit.observe(*response)

    assert not starts(rate_limit)
    assert seconds_waited(rate_limit, clock) == pytest.approx(20)
    rate_limit.observe(*Response())
    assert starts(rate_limit)


def test_a_wait_is_cut_to_the_maximum() -> None:
    clock = FakeClock()
    rate_limit = limit_of(max_delay=5, clock=clock)
    rate_limit.observe(*Response(429, {"Retry-After": "3600"}))

    assert seconds_waited(rate_limit, clock) == pytest.approx(5)


def test_a_wait_that_is_too_long_for_the_caller_is_an_error() -> None:
    rate_limit = limit_of(clock=FakeClock())
    rate_limit.observe(*Response(429, {"Retry-After": "60"}))

    with pytest.raises(NoAnswerError, match=r"another 60 seconds"):
        rate_limit.try_acquire(max_wait=10)


def test_the_limits_of_a_host_hold_for_all_its_rate_limits() -> None:
    clock = FakeClock()
    host = HostLimits(clock)
    one, other = limit_of(clock=clock, host=host), limit_of(2, clock=clock, host=host)

    one.observe(*Response(429, {"Retry-After": "60"}))

    assert not starts(other)
    assert host.throttle_count == 1


class Reading:
    """A read without answers to collect."""

    def collect(self) -> bool:
        return False


def started(rate_limit: RateLimit, read: Reading, most: int) -> int:
    """Start as many requests of a read as may start now; return their number."""
    return next((count for count in range(most) if rate_limit.try_acquire(read=read)), most)


def test_a_free_place_is_for_the_waiting_read_with_the_fewest_requests() -> None:
    rate_limit, many, few = limit_of(in_flight=4), Reading(), Reading()
    assert started(rate_limit, many, 9) == 4
    assert started(rate_limit, few, 9) == 0

    for _ in range(2):
        rate_limit.release(many)
        assert started(rate_limit, many, 9) == 0
        assert started(rate_limit, few, 9) == 1

    rate_limit.release(many)
    assert started(rate_limit, many, 9) == 1


def test_a_read_that_waits_no_more_leaves_its_place_to_others() -> None:
    rate_limit, many, few = limit_of(in_flight=2), Reading(), Reading()
    assert [started(rate_limit, many, 9), started(rate_limit, few, 9)] == [2, 0]
    rate_limit.release(many)
    assert started(rate_limit, many, 1) == 0

    rate_limit.end_wait(few)

    assert started(rate_limit, many, 1) == 1


def test_the_end_of_a_request_ends_the_wait_for_a_place() -> None:
    rate_limit = limit_of(in_flight=1)
    rate_limit.try_acquire()
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(rate_limit.wait, 60)
        while not waiting.done():
            rate_limit.release()
            rate_limit.try_acquire()


def test_reads_are_counted_until_they_end() -> None:
    rate_limit, reads = limit_of(), [Reading(), Reading()]
    for read in reads:
        rate_limit.register(read)
    del read
    assert rate_limit.reads == 2

    reads.pop()
    assert rate_limit.reads == 1
