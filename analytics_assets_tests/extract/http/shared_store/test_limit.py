import logging
import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import psycopg2
import pytest

from analytics_assets.config.settings.request import LimitSettings
from analytics_assets.extract.http.errors import NoAnswerError
from analytics_assets.extract.http.limits.rate_limit import RateLimit
from analytics_assets.extract.http.shared_store import keeper
from analytics_assets.extract.http.shared_store import limit as shared_limit
from analytics_assets.extract.http.shared_store.keeper import Keeper
from analytics_assets.extract.http.shared_store.limit import SharedLimit
from analytics_assets.extract.http.shared_store.process import SharedState
from analytics_assets.extract.http.shared_store.store import SharedStore, SharedStoreError
from analytics_assets_tests.extract.http.shared_store.conftest import HOST, Process
from analytics_assets_tests.support.deployment import wait_until

PATIENCE = 60.0  # seconds, on a busy machine


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that a busy machine holds up keeps its requests and its turn."""
    monkeypatch.setattr(shared_limit, "LEASE_SECONDS", PATIENCE)
    monkeypatch.setattr(shared_limit, "WAITS_SECONDS", PATIENCE)


def begins(process: RateLimit, patience: float = PATIENCE, max_wait: float = math.inf) -> bool:
    """Try to begin a request for some seconds."""
    ends = time.monotonic() + patience
    while wait := process.try_acquire(max_wait):
        if time.monotonic() + wait > ends:
            return False
        time.sleep(wait)
    return True


def test_places_in_flight_are_those_of_all_processes(process: Process) -> None:
    first, second = process(3), process(3)
    assert begins(first)
    assert begins(first)
    assert begins(second)

    assert not begins(first, 0.3)
    assert not begins(second, 0.3)


def test_processes_that_race_for_a_place_never_take_more(process: Process) -> None:
    processes = [process(3) for _ in range(6)]
    now, most, lock = 0, 0, threading.Lock()

    def race(one: RateLimit) -> None:
        nonlocal now, most
        for _ in range(15):
            assert begins(one)
            with lock:
                now += 1
                most = max(most, now)
            time.sleep(0.001)
            with lock:
                now -= 1
            one.release()

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(race, processes))
    assert most == 3


def test_a_place_that_becomes_free_is_taken_by_another_process(process: Process) -> None:
    first, second = process(1), process(1)
    assert begins(first)
    first.release()

    assert begins(second)
    assert not begins(first, 0.3)


def test_the_process_with_fewer_requests_in_flight_goes_first(process: Process) -> None:
    first, second = process(4), process(4)
    for _ in range(4):
        assert begins(first)
    assert second.try_acquire()  # it waits from now on
    time.sleep(shared_limit.REUSE_SECONDS)
    first.release()

    assert first.try_acquire()
    assert begins(second)


def test_a_process_that_has_waited_goes_before_one_with_as_many_in_flight(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_limit, "LONG_SECONDS", 0.2)
    first, second = process(1), process(1)
    assert begins(first)
    assert second.try_acquire()
    time.sleep(0.3)
    assert second.try_acquire()
    first.release()

    assert first.try_acquire()
    assert begins(second)


def test_a_process_that_wakes_up_late_begins_requests_too(process: Process) -> None:
    late, others = process(per_second=20), [process(per_second=20) for _ in range(2)]
    is_over = threading.Event()

    def begin_all(one: RateLimit) -> None:
        while not is_over.is_set():
            is_over.wait(one.try_acquire())

    with ThreadPoolExecutor(2) as threads:
        running = [threads.submit(begin_all, one) for one in others]
        ends, begun = time.monotonic() + PATIENCE, 0
        while begun < 5 and time.monotonic() < ends:
            wait = late.try_acquire()
            begun += not wait
            time.sleep(wait + 0.1)
        is_over.set()
    assert [each.result() for each in running] == [None, None]
    assert begun == 5


def test_processes_begin_requests_one_interval_after_the_other(process: Process) -> None:
    processes = [process(per_second=50) for _ in range(3)]
    started = time.monotonic()
    with ThreadPoolExecutor(3) as threads:
        for each in [threads.submit(begins, one) for _ in range(10) for one in processes]:
            assert each.result()

    assert time.monotonic() - started >= 29 / 50


def test_limits_of_other_values_or_hosts_are_apart(states: Callable[[], SharedState]) -> None:
    settings, other = LimitSettings(), LimitSettings()
    settings.max_in_flight, other.max_in_flight = 1, 2
    first, second = states(), states()

    assert not first.limit(HOST, settings).acquire(0)
    assert not second.limit(HOST, other).acquire(0)
    assert not second.limit("api.example.org", settings).acquire(0)
    assert second.limit(HOST, settings).acquire(0)


def test_the_requests_of_a_process_that_is_gone_count_until_its_lease_expires(
    process: Process, postgres_url: str
) -> None:
    settings = LimitSettings()
    settings.max_in_flight = 1
    store = SharedStore(postgres_url)

    class NoKeeper(Keeper):
        def keep(self, _each: object) -> None: ...

    gone = SharedLimit(store, f"{HOST} 1 None", settings, NoKeeper(store), PATIENCE)
    assert not gone.acquire(0)
    store.close()
    second = process(1)

    assert second.try_acquire()
    with psycopg2.connect(postgres_url) as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE analytics_assets.requests_in_flight SET expires_at = now()")
    assert begins(second)


def test_a_process_renews_its_lease_while_a_request_is_in_flight(
    process: Process, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_limit, "RENEW_SECONDS", 0.1)
    monkeypatch.setattr(keeper, "LOOK_SECONDS", 0.1)
    first = process(1)
    assert begins(first)

    def expiry() -> datetime:
        with psycopg2.connect(postgres_url) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT expires_at FROM analytics_assets.requests_in_flight")
            [[moment]] = cursor.fetchall()
            assert isinstance(moment, datetime)
            return moment

    before = expiry()
    wait_until(lambda: expiry() > before, "a renewal")


def test_nothing_of_a_process_stays_in_the_store_without_a_request(
    states: Callable[[], SharedState], postgres_url: str
) -> None:
    settings = LimitSettings()
    settings.max_in_flight = 1
    state = states()
    limit = state.limit(HOST, settings)
    assert not limit.acquire(0)
    limit.release()
    state.close()

    with psycopg2.connect(postgres_url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT * FROM analytics_assets.requests_in_flight")
        assert cursor.fetchall() == []


def test_two_processes_that_make_the_tables_at_once_both_go_on(
    states: Callable[[], SharedState],
) -> None:
    settings = LimitSettings()
    settings.max_in_flight = 8
    limits = [states().limit(HOST, settings) for _ in range(8)]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(lambda each: each.acquire(0), limits)) == [0.0] * 8


def test_a_connection_that_the_server_has_ended_is_made_anew(
    process: Process, postgres_url: str
) -> None:
    first = process(2)
    assert begins(first)
    with psycopg2.connect(postgres_url) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    assert begins(first)
    assert not begins(first, 0.3)


def test_no_request_begins_without_the_store(caplog: pytest.LogCaptureFixture) -> None:
    settings = LimitSettings()
    settings.max_in_flight = 1
    state = SharedState("postgresql://user:hidden@127.0.0.1:1/database")
    lonely = RateLimit(settings, 60, shared=state.limit(HOST, settings))
    with (
        caplog.at_level(logging.WARNING),
        pytest.raises(NoAnswerError, match=r"could begin .* `shared_store\.url`"),
    ):
        begins(lonely, max_wait=1.5)

    assert "No request to the API begins, as the shared store cannot be reached" in caplog.text
    assert "hidden" not in caplog.text


def test_a_user_who_may_not_make_the_tables_is_named_what_to_grant(
    states: Callable[[], SharedState], postgres_url: str
) -> None:
    with psycopg2.connect(postgres_url) as connection, connection.cursor() as cursor:
        cursor.execute("DROP ROLE IF EXISTS reader")
        cursor.execute("CREATE ROLE reader LOGIN")
    settings = LimitSettings()
    settings.max_in_flight = 1
    state = SharedState(postgres_url.replace("postgres:unused@", "reader:unused@"))

    with pytest.raises(SharedStoreError, match="grant CREATE on the database"):
        state.limit(HOST, settings).acquire(0)
    states().limit(HOST, settings).acquire(0)
    with pytest.raises(SharedStoreError, match="grant USAGE on the schema"):
        state.limit(HOST, settings).acquire(0)
