import pytest

from analytics_assets.extract.http.limits.host import PROBE_SECONDS, HostLimits
from analytics_assets_tests.extract.http.conftest import FakeClock
from analytics_assets_tests.extract.http.limits.responses import Response, quota

MAX_DELAY = 3600.0


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def host(clock: FakeClock) -> HostLimits:
    return HostLimits(clock)


def acquired(host: HostLimits, tries: int) -> list[bool]:
    return [not host.acquire() for _ in range(tries)]


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_delays_every_request(clock: FakeClock, host: HostLimits, status: int) -> None:
    host.observe(*Response(status, {"Retry-After": "60"}), MAX_DELAY)

    assert host.acquire() == 60
    clock.now += 59
    assert host.acquire() == 1
    clock.now += 1
    assert host.acquire() == 0


def test_later_responses_do_not_shorten_a_wait(host: HostLimits) -> None:
    host.observe(*Response(429, {"Retry-After": "60"}), MAX_DELAY)
    host.observe(*Response(200), MAX_DELAY)
    host.observe(*Response(429, {"Retry-After": "1"}), MAX_DELAY)

    assert host.acquire() == 60


@pytest.mark.parametrize("status", [200, 301, 500])
def test_retry_after_of_another_status_delays_nothing(host: HostLimits, status: int) -> None:
    host.observe(*Response(status, {"Retry-After": "60"}), MAX_DELAY)

    assert host.acquire() == 0
    assert host.throttle_count == 0


@pytest.mark.parametrize("response", [Response(429, {"Retry-After": "3600"}), quota(0, 3600)])
def test_a_wait_is_cut_to_the_maximum(host: HostLimits, response: Response) -> None:
    host.observe(*response, 10)

    assert host.acquire() == 10


def test_each_refusal_is_counted(host: HostLimits) -> None:
    for status in (429, 200, 503, 500):
        host.observe(*Response(status), MAX_DELAY)

    assert host.throttle_count == 2


def test_no_more_requests_start_than_remain(host: HostLimits) -> None:
    host.observe(*quota(3, 60), MAX_DELAY)

    assert acquired(host, 5) == [True, True, True, False, False]


def test_responses_that_arrive_late_do_not_give_requests_back(host: HostLimits) -> None:
    host.observe(*quota(3, 60), MAX_DELAY)
    assert acquired(host, 2) == [True, True]

    host.observe(*quota(2, 60), MAX_DELAY)  # to the first of the two

    assert acquired(host, 2) == [True, False]


def test_a_new_quota_counts_although_the_old_one_was_not_used_up(host: HostLimits) -> None:
    host.observe(*quota(1, 20), MAX_DELAY)
    host.observe(*quota(5, 60), MAX_DELAY)

    assert acquired(host, 6) == [True] * 5 + [False]


def test_after_the_reset_of_a_used_up_quota_one_request_probes_the_new_one(
    clock: FakeClock, host: HostLimits
) -> None:
    host.observe(*quota(0, 10), MAX_DELAY)
    assert acquired(host, 1) == [False]

    clock.now += 10
    assert acquired(host, 2) == [True, False], "the second waits for the response to the first"
    host.observe(*quota(2, 60), MAX_DELAY)

    assert acquired(host, 3) == [True, True, False]


def test_a_host_that_announces_nothing_any_more_has_no_limit(host: HostLimits) -> None:
    host.observe(*quota(0, 0), MAX_DELAY)
    assert acquired(host, 2) == [True, False]

    host.observe(*Response(), MAX_DELAY)

    assert all(acquired(host, 20))


def test_of_a_quota_whose_probe_has_no_response_one_request_a_time_probes_it_again(
    clock: FakeClock, host: HostLimits
) -> None:
    host.observe(*quota(0, 0), MAX_DELAY)
    for _ in range(3):
        assert acquired(host, 3) == [True, False, False]
        clock.now += PROBE_SECONDS

    host.observe(*quota(2, 60), MAX_DELAY)
    assert acquired(host, 3) == [True, True, False]


def test_the_limits_of_one_host_do_not_hold_for_another(clock: FakeClock, host: HostLimits) -> None:
    host.observe(*Response(429, {"Retry-After": "60"}), MAX_DELAY)

    assert HostLimits(clock).acquire() == 0


def test_a_look_at_the_pause_takes_no_request(clock: FakeClock, host: HostLimits) -> None:
    assert host.pause == 0
    host.observe(*Response(429, {"Retry-After": "60"}), MAX_DELAY)
    clock.now += 20
    assert host.pause == 40
    clock.now += 40
    assert host.pause == 0
    host.observe(*quota(1, 30), MAX_DELAY)
    assert [host.pause, host.pause, host.acquire()] == [0, 0, 0]
    assert host.pause == 30
