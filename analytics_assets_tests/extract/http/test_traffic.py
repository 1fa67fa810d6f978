import gzip
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import pytest

from analytics_assets.extract.http.connection import connect
from analytics_assets.extract.http.traffic import Traffic
from analytics_assets_tests.extract.http.conftest import PATH, ROWS, client_of, read
from analytics_assets_tests.support.http.broken_answers import with_length
from analytics_assets_tests.support.http.exchange import Answer
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.http.fetching import WAYS, connected, page_of
from analytics_assets_tests.support.http.server import Server
from analytics_assets_tests.support.sandbox import Sandbox

BODY = b"[" + b" " * 2000 + b"]"


def test_requests_retries_and_seconds_are_counted(
    api: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNTIME__REQUEST_BACKOFF_FACTOR", "0.05")
    api.faults.add(Fault(path=PATH, status=503, times=2))
    api.faults.add(Fault(path=PATH, delay=0.1, after=2))
    connection = connect(client_of(api), "shop")

    assert read(client_of(api), connection) == ROWS
    traffic = connection.traffic
    assert (traffic.requests, traffic.retries) == (3, 2)
    assert traffic.seconds_answering >= 0.1
    assert traffic.seconds_backing_off >= 0.15
    assert traffic.seconds_waiting == traffic.seconds_answering + traffic.seconds_backing_off


def test_a_request_sent_again_with_a_new_token_counts_as_a_retry(api: Sandbox) -> None:
    api.faults.add(Fault(path=PATH, expired_token=True))
    connection = connect(client_of(api), "shop")

    assert read(client_of(api), connection) == ROWS
    assert (connection.traffic.requests, connection.traffic.retries) == (2, 1)


def test_requests_without_a_response_are_counted(api: Sandbox) -> None:
    api.faults.add(Fault(path=PATH, drop=True, times=2))
    connection = connect(client_of(api), "shop")

    assert read(client_of(api), connection) == ROWS
    assert (connection.traffic.requests, connection.traffic.retries) == (3, 2)


def test_each_connection_counts_its_own_requests(api: Sandbox) -> None:
    busy, idle = connect(client_of(api), "shop"), connect(client_of(api), "shop")

    read(client_of(api), busy)

    assert (busy.traffic.requests, busy.traffic.retries) == (1, 0)
    assert idle.traffic == Traffic()


@pytest.mark.parametrize("way", WAYS)
def test_bytes_of_bodies_are_counted_as_they_arrive(way: str) -> None:
    packed = gzip.compress(BODY)
    with Server(lambda _request: Answer(packed, 200, {"Content-Encoding": "gzip"})) as server:
        server.faults.add(Fault(does=with_length(5)))
        connection = connected(server.base_url, way)

        assert page_of(connection).content == BODY

    assert len(server.requests) == 2
    # the first answer ends before its last bytes
    assert len(packed) < connection.traffic.bytes_received <= 2 * len(packed)


def test_several_threads_can_count() -> None:
    traffic = Traffic()

    with ThreadPoolExecutor(8) as pool:
        for _ in range(2000):
            pool.submit(traffic.record_attempt, 0.5)
            pool.submit(traffic.record_retry, 0.25)

    assert (traffic.requests, traffic.retries) == (2000, 2000)
    assert (traffic.seconds_answering, traffic.seconds_backing_off) == (1000, 500)


def test_a_connection_names_what_its_reads_wait_for() -> None:
    connection = connect({"base_url": "https://waiting.example.com"}, "shop")
    assert connection.waits_for == "the API's answer"

    connection.traffic.schedule_retry(monotonic() + 4, 503)
    assert connection.waits_for == "a retry in 4 s, after HTTP 503"
    connection.traffic.schedule_retry(monotonic() + 90, None)
    assert connection.waits_for == "a retry in 1 min 30 s, after no complete answer"

    connection.rate_limit.observe(429, {"Retry-After": "43"})
    assert connection.waits_for == "the API's rate limit (another 43 s)"
