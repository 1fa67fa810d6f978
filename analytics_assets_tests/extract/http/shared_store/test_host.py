import logging
import time
from collections.abc import Callable
from contextlib import closing

import psycopg2
import pytest

from analytics_assets.config.settings.request import LimitSettings
from analytics_assets.extract.http.limits.host import HostLimits
from analytics_assets.extract.http.limits.rate_limit import RateLimit
from analytics_assets.extract.http.shared_store import host as shared_host
from analytics_assets.extract.http.shared_store import schema
from analytics_assets.extract.http.shared_store.host import LOOK_SECONDS, STALE_SECONDS
from analytics_assets.extract.http.shared_store.process import SharedState
from analytics_assets_tests.extract.http.limits.responses import Response, quota
from analytics_assets_tests.extract.http.shared_store.conftest import HOST

MAX_DELAY = 3600.0
PATIENCE = 60.0  # seconds, on a busy machine
Hosts = Callable[[], HostLimits]


@pytest.fixture
def hosts(states: Callable[[], SharedState]) -> Hosts:
    """Start a further process, with the limits that the API announces."""
    return lambda: states().host_limits(HOST)


def wait_for(condition: Callable[[], object]) -> None:
    ends = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.01)


def taken(*hosts: HostLimits, tries: int) -> int:
    return sum(not each.acquire() for each in hosts for _ in range(tries))


def test_a_pause_that_one_process_finds_holds_for_one_that_starts_later(hosts: Hosts) -> None:
    first = hosts()
    first.acquire()
    first.observe(*Response(429, {"Retry-After": "3000"}), MAX_DELAY)

    wait_for(lambda: 2000 < hosts().acquire() <= 3000)


def test_a_pause_that_one_process_finds_reaches_others(hosts: Hosts) -> None:
    first, second = hosts(), hosts()
    assert not first.acquire()
    assert not second.acquire()
    first.observe(*Response(429, {"Retry-After": "3000"}), MAX_DELAY)

    wait_for(lambda: second.acquire() > 2000)


def test_a_process_that_sends_a_request_after_a_while_looks_first(
    hosts: Hosts, states: Callable[[], SharedState]
) -> None:
    first, state = hosts(), states()
    second = state.host_limits(HOST)
    assert not second.acquire()
    state.close()  # its thread looks no more
    looked = time.monotonic()
    assert not first.acquire()
    first.observe(*Response(429, {"Retry-After": "3000"}), MAX_DELAY)
    wait_for(lambda: hosts().acquire() > 2000)
    wait_for(lambda: time.monotonic() > looked + LOOK_SECONDS + STALE_SECONDS)

    assert second.acquire() > 2000


def test_a_wait_of_years_is_bounded_for_others_as_for_the_process_that_was_asked(
    hosts: Hosts,
) -> None:
    first = hosts()
    first.acquire()
    first.observe(*Response(429, {"Retry-After": "Thu, 01 Jan 2099 00:00:00 GMT"}), MAX_DELAY)

    wait_for(lambda: MAX_DELAY - PATIENCE < hosts().acquire() <= MAX_DELAY)
    assert first.acquire() <= MAX_DELAY


def store(url: str, column: str, hours: int) -> None:
    """Store a limit that ends some hours from now."""
    run(url, schema.CREATE)
    run(
        url,
        f"INSERT INTO analytics_assets.announced_limits (host, remaining, {column})"
        f" VALUES ('{HOST}', 0, now() + interval '{hours} hours') RETURNING 1",
    )


def run(url: str, statement: str) -> list[tuple[object, ...]]:
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


@pytest.mark.parametrize("column", ["pauses_until", "resets_at"])
@pytest.mark.parametrize("hours", [-2, 2])
def test_a_stored_limit_beyond_the_bound_or_long_past_is_forgotten(
    hosts: Hosts, postgres_url: str, column: str, hours: int
) -> None:
    store(postgres_url, column, hours)
    assert not hosts().acquire()
    assert not run(postgres_url, "SELECT * FROM analytics_assets.announced_limits")


def test_the_bound_is_that_of_loads(
    hosts: Hosts, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNTIME__REQUEST_MAX_RETRY_DELAY", "86400")
    store(postgres_url, "pauses_until", 2)
    assert hosts().acquire() > MAX_DELAY


def test_a_quota_that_is_used_up_holds_for_all_processes(hosts: Hosts) -> None:
    first, second = hosts(), hosts()
    first.acquire()
    first.observe(*quota(0, 3000), MAX_DELAY)

    wait_for(lambda: second.acquire() > 2000)


def test_few_requests_of_a_quota_are_counted_for_all_processes(hosts: Hosts) -> None:
    first, second = hosts(), hosts()
    for each in (first, second):
        each.acquire()
        each.observe(*quota(10, 3000), MAX_DELAY)

    assert taken(first, second, tries=8) == 10


@pytest.fixture
def probing(hosts: Hosts, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> list[HostLimits]:
    """Four processes; the first one has sent a request that probes a new quota."""
    monkeypatch.setattr(shared_host, "PROBE_SECONDS", PATIENCE)
    processes = [hosts() for _ in range(4)]
    for each in processes:
        each.acquire()
        each.observe(*quota(1, 3000), MAX_DELAY)
    assert taken(*processes, tries=2) == 1
    change(postgres_url, "resets_at = now()")
    assert taken(*processes, tries=3) == 1
    return processes


def change(url: str, values: str) -> None:
    """Change the limit that is stored, as time does."""
    run(url, f"UPDATE analytics_assets.announced_limits SET {values} RETURNING 1")


def test_one_request_of_all_processes_finds_the_new_quota(probing: list[HostLimits]) -> None:
    for each in probing:
        each.observe(*quota(5, 3000), MAX_DELAY)
    assert taken(*probing, tries=4) == 5


def test_while_a_probe_has_no_answer_one_request_of_all_processes_a_time_is_sent(
    probing: list[HostLimits], postgres_url: str
) -> None:
    for _ in range(2):
        change(postgres_url, "probes_until = now()")
        assert taken(*probing, tries=3) == 1


def test_an_answer_without_a_quota_ends_the_probe_for_all_processes(
    probing: list[HostLimits],
) -> None:
    first, *_ = probing
    first.observe(*Response(200, {}), MAX_DELAY)
    assert taken(*probing, tries=3) == 12


def test_an_answer_with_a_large_quota_ends_the_probe_for_all_processes(
    probing: list[HostLimits],
) -> None:
    first, *_ = probing
    first.observe(*quota(5000, 3000), MAX_DELAY)
    assert taken(*probing, tries=1) == 4


def test_a_large_quota_and_no_limit_ask_the_store_for_no_request(
    hosts: Hosts, postgres_url: str
) -> None:
    host = hosts()
    host.acquire()
    host.observe(*quota(5000, 3000), MAX_DELAY)
    for _ in range(100):
        host.acquire()

    assert run(postgres_url, "SELECT to_regnamespace('analytics_assets')") == [(None,)]


def test_a_place_that_the_quota_leaves_unused_is_free_for_the_next_request(
    states: Callable[[], SharedState],
) -> None:
    settings = LimitSettings()
    settings.max_in_flight = 1
    state = states()
    limited = RateLimit(settings, 60, state.host_limits(HOST), shared=state.limit(HOST, settings))
    limited.observe(*quota(0, 2))
    assert limited.try_acquire()

    wait_for(lambda: not limited.try_acquire())


def test_requests_without_a_limit_go_on_without_the_store(
    caplog: pytest.LogCaptureFixture,
) -> None:
    state = SharedState("postgresql://user:hidden@127.0.0.1:1/database")
    host = state.host_limits(HOST)
    with caplog.at_level(logging.WARNING):
        assert taken(host, tries=20) == 20
    state.close()

    assert caplog.text.count("announces to other processes are not known") == 1
    assert "hidden" not in caplog.text
