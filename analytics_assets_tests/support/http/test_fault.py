import contextlib
import http.client
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
import requests

from analytics_assets_tests.sandbox.client import access_token, get_page, token_response
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.sandbox import Sandbox

PATH = "/v1/page_views"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(today=date(2026, 3, 10)) as running:
        yield running


def statuses(sandbox: Sandbox, count: int, resource: str = "page_views") -> list[int]:
    token = access_token(sandbox)
    return statuses_with(sandbox, token, count, resource)


def statuses_with(
    sandbox: Sandbox, token: str, count: int, resource: str = "page_views"
) -> list[int]:
    return [get_page(sandbox, resource, token=token).status_code for _ in range(count)]


def test_a_status_fault_answers_with_its_status_as_often_as_set(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(path=PATH, status=503, times=2))

    assert statuses(sandbox, 4) == [503, 503, 200, 200]


def test_a_fault_spares_the_first_requests(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(path=PATH, status=500, after=2))

    assert statuses(sandbox, 4) == [200, 200, 500, 200]


def test_faults_for_one_path_are_counted_together(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(path=PATH, status=500))
    sandbox.faults.add(Fault(path=PATH, status=502, after=1))

    assert statuses(sandbox, 3) == [500, 502, 200]


def test_of_two_faults_the_one_added_first_hits_first(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(path=PATH, status=500))
    sandbox.faults.add(Fault(path="*", status=502))

    assert statuses_with(sandbox, "made-up", 3) == [500, 502, 401]


def test_an_endless_fault_lasts_until_the_faults_are_cleared(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(path=PATH, status=500, times=None))

    assert statuses(sandbox, 3) == [500, 500, 500]
    sandbox.faults.clear()
    assert statuses(sandbox, 1) == [200]


def test_a_fault_hits_its_own_path_only(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(path=PATH, status=500))

    assert statuses(sandbox, 1, "traffic_sources") == [200]
    assert statuses(sandbox, 1) == [500]


def test_a_fault_of_a_day_hits_requests_that_ask_for_it_and_counts_no_others(
    sandbox: Sandbox,
) -> None:
    sandbox.faults.add(Fault(path=PATH, day="2025-07-10", after=1, status=500))
    around = {"start_date": "2025-07-10", "end_date": "2025-07-20"}
    others = {"start_date": "2025-07-11", "end_date": "2025-07-20"}

    asked = [{}, around, others, around, around]
    replies = [get_page(sandbox, "page_views", **query).status_code for query in asked]
    assert replies == [200, 200, 200, 500, 200]


def test_a_fault_for_any_path_hits_the_token_endpoint_too(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(path="*", status=500))

    assert token_response(sandbox).status_code == 500
    assert token_response(sandbox).status_code == 200


def test_a_throttled_answer_has_a_retry_after_header(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(path=PATH, status=429, retry_after="7"))
    reply = get_page(sandbox, "page_views")

    assert (reply.status_code, reply.headers["Retry-After"]) == (429, "7")
    assert reply.json()["error"]["message"]


def test_a_delayed_answer_is_late_but_whole(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(path=PATH, delay=0.3))
    token = access_token(sandbox)
    started = time.monotonic()
    reply = get_page(sandbox, "page_views", token=token)

    assert time.monotonic() - started >= 0.3
    assert len(reply.json()["data"]) == 100


def test_a_delay_beyond_the_clients_timeout_is_a_timeout(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(path="/openapi.json", delay=60))

    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{sandbox.base_url}/openapi.json", timeout=0.2)
    assert requests.get(f"{sandbox.base_url}/openapi.json", timeout=60).ok


def test_a_dropped_connection_gives_no_answer_at_all(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(path=PATH, drop=True))
    token = access_token(sandbox)

    with pytest.raises(requests.ConnectionError) as dropped:
        get_page(sandbox, "page_views", token=token)
    assert not isinstance(dropped.value, requests.Timeout)
    assert dropped.value.response is None
    assert get_page(sandbox, "page_views", token=token).ok
    assert [record.status for record in sandbox.requests if record.path == PATH] == [None, 200]


def test_only_the_connection_that_is_hit_is_dropped(sandbox: Sandbox) -> None:
    other = http.client.HTTPConnection(sandbox.base_url.removeprefix("http://"), timeout=60)
    with contextlib.closing(other):
        other.request("GET", "/")
        other.getresponse().read()
        connected = other.sock
        sandbox.faults.add(Fault(path="/openapi.json", drop=True))
        with pytest.raises(requests.ConnectionError):
            requests.get(f"{sandbox.base_url}/openapi.json", timeout=60)
        other.request("GET", "/")

        assert other.getresponse().status == 200
        assert other.sock is connected


def test_a_cut_body_ends_halfway_through_what_was_announced(sandbox: Sandbox) -> None:
    token = access_token(sandbox)
    whole = get_page(sandbox, "page_views", token=token).content
    sandbox.faults.add(Fault(path=PATH, cut_body=True, times=2))

    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        get_page(sandbox, "page_views", token=token)
    reply = requests.get(
        f"{sandbox.base_url}{PATH}",
        headers={"Authorization": f"Bearer {token}"},
        stream=True,
        timeout=60,
    )
    assert reply.status_code == 200
    assert int(reply.headers["Content-Length"]) == len(whole)
    assert reply.raw.read(len(whole) // 2) == whole[: len(whole) // 2]
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        list(reply.iter_content(1))


def test_an_expired_token_stays_refused_until_a_new_one_is_fetched(sandbox: Sandbox) -> None:
    token = access_token(sandbox)
    sandbox.faults.add(Fault(path=PATH, expired_token=True))

    replies = [get_page(sandbox, "page_views", token=token) for _ in range(2)]

    assert [reply.status_code for reply in replies] == [401, 401]
    assert get_page(sandbox, "page_views").status_code == 200


def test_a_body_can_be_replaced(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(path=PATH, body="<h1>Größe</h1>", content_type="text/html"))
    sandbox.faults.add(Fault(path=PATH, body="{", status=502, after=1))
    first, second = get_page(sandbox, "page_views"), get_page(sandbox, "page_views")

    assert (first.status_code, first.headers["Content-Type"]) == (200, "text/html")
    assert first.content.decode() == "<h1>Größe</h1>"
    assert (second.status_code, second.headers["Content-Type"]) == (502, "application/json")
    assert second.text == "{"


def test_headers_are_added_to_the_proper_answer(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(path=PATH, headers={"X-Trace": "1", "Content-Type": "text/plain"}))
    reply = get_page(sandbox, "page_views")

    assert reply.headers["X-Trace"] == "1"
    assert reply.headers["Content-Type"] == "text/plain"
    assert len(reply.json()["data"]) == 100


def test_a_status_without_a_body_has_none(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(path=PATH, status=204))
    reply = get_page(sandbox, "page_views")

    assert (reply.status_code, reply.content) == (204, b"")


def test_kinds_can_be_combined(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(path=PATH, delay=0.2, status=500, body="0123456789", cut_body=True))
    token = access_token(sandbox)
    started = time.monotonic()

    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="5 bytes read, 5 more"):
        get_page(sandbox, "page_views", token=token)
    assert time.monotonic() - started >= 0.2
    assert sandbox.requests[-1].status == 500


def test_stopping_does_not_wait_for_delayed_answers() -> None:
    sandbox = Sandbox()
    sandbox.start()
    sandbox.faults.add(Fault(path="/", delay=600))
    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(requests.get, sandbox.base_url, timeout=30)
        deadline = time.monotonic() + 60
        while not sandbox.requests:
            assert time.monotonic() < deadline
        sandbox.stop()

        assert isinstance(pending.exception(), requests.ConnectionError | None)


def test_requests_are_recorded_in_order_with_their_query_and_status(sandbox: Sandbox) -> None:
    token = access_token(sandbox)
    get_page(sandbox, "page_views", token=token, offset=5, sort="date")
    requests.get(f"{sandbox.base_url}/v1/page_views", timeout=60)

    token_request, authorized, anonymous = sandbox.requests
    assert (token_request.method, token_request.path) == ("POST", "/oauth/token")
    assert (token_request.status, token_request.authorized) == (200, False)
    assert authorized.path == "/v1/page_views"
    assert authorized.query == {"offset": "5", "sort": "date"}
    assert (authorized.status, authorized.authorized) == (200, True)
    assert (anonymous.status, anonymous.authorized, anonymous.query) == (401, False, {})
