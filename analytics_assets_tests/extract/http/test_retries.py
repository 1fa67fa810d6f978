"""Attempts of a request: their number, the waits between them, and the tokens they carry."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import requests
from dlt.common.configuration import resolve_configuration

from analytics_assets.config.settings.request import RequestSettings
from analytics_assets.extract.http.connection import connect
from analytics_assets.extract.http.errors import BodyError, ResponseError
from analytics_assets.extract.http.limits.headers import retry_after
from analytics_assets.extract.http.page import Page
from analytics_assets_tests.extract.http.conftest import (
    PATH,
    ROWS,
    client_of,
    failed_read,
    read,
)
from analytics_assets_tests.support.http.exchange import Answer
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.http.fetching import (
    WAYS,
    connected,
    fetching,
    page_of,
    prepared,
    quick_settings,
    whole,
)
from analytics_assets_tests.support.http.server import Server
from analytics_assets_tests.support.sandbox import Sandbox

RETRIED = [429, 500, 502, 503, 504]
Answered = Callable[[], list[int | None]]


def delays(asked: str = "", **changes: Any) -> list[float]:
    """Return the seconds between the attempts of a request."""
    settings = RequestSettings()
    for name, value in changes.items():
        setattr(settings, name, value)
    failures = range(1, settings.request_max_attempts)
    return [settings.retry_delay(attempts, retry_after(asked)) for attempts in failures]


def test_three_retries_wait_two_seconds_and_twice_as_long_each_time() -> None:
    assert delays() == [2, 4, 8]


def test_the_number_of_attempts_and_the_backoff_are_settings() -> None:
    assert delays(request_max_attempts=3, request_backoff_factor=0.5) == [0.5, 1]
    assert delays(request_max_attempts=1) == []
    assert delays(request_max_retry_delay=5) == [2, 4, 5]


def test_the_defaults_of_this_project_are_not_those_of_dlt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RUNTIME__REQUEST_BACKOFF_FACTOR")

    settings = resolve_configuration(RequestSettings())

    assert (settings.request_max_attempts, settings.request_backoff_factor) == (4, 2)
    assert settings.request_timeout == 60


def test_retry_after_in_seconds_is_respected() -> None:
    assert delays("17") == [17, 17, 17]


def test_retry_after_as_a_date_is_respected() -> None:
    moment = datetime.now(UTC) + timedelta(seconds=100)

    assert all(90 < wait <= 100 for wait in delays(format_datetime(moment, usegmt=True)))


@pytest.mark.parametrize("value", ["when it suits you", "0", "Mon, 05 Jan 2026 00:00:00 GMT"])
def test_a_retry_after_that_is_unreadable_or_over_is_ignored(value: str) -> None:
    assert delays(value) == [2, 4, 8]


def test_retry_after_is_cut_to_the_maximum_delay() -> None:
    assert delays("86400") == [3600] * 3


def answering(content: Any = None) -> Server:
    return Server(lambda _request: Answer(content or [1]))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "headers",
    [{"Retry-After": "0"}, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "0"}],
    ids=["a wait", "a quota"],
)
def test_a_403_that_names_a_limit_is_retried(way: str, headers: dict[str, str]) -> None:
    refusals = [Answer({"message": "API rate limit exceeded"}, 403, headers)] * 2
    answers = iter([*refusals, Answer([1])])
    with Server(lambda _request: next(answers)) as server:
        page = page_of(connected(server.base_url, way))

    assert page.status == 200
    assert [each.status for each in server.requests] == [403, 403, 200]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("status", RETRIED)
def test_a_temporary_failure_is_retried(way: str, status: int) -> None:
    with answering() as server:
        server.faults.add(Fault(status=status, times=3))
        connection = connected(server.base_url, way)

        assert page_of(connection).status == 200

    assert [each.status for each in server.requests] == [status, status, status, 200]
    assert (connection.traffic.requests, connection.traffic.retries) == (4, 3)
    assert 0.01 + 0.02 + 0.04 <= connection.traffic.seconds_backing_off < 10


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("status", RETRIED)
def test_a_lasting_failure_is_handed_over_after_three_retries(way: str, status: int) -> None:
    with answering() as server:
        server.faults.add(Fault(status=status, times=None, body="why"))
        page = page_of(connected(server.base_url, way))

    assert (page.status, page.content) == (status, b"why")
    assert [each.status for each in server.requests] == [status] * 4


@pytest.mark.parametrize("status", [429, 503])
def test_a_retry_waits_for_as_long_as_the_api_asks(status: int) -> None:
    with answering() as server:
        server.faults.add(Fault(status=status, retry_after="1"))
        page_of(connected(server.base_url))

    first, second = server.requests
    assert second.moment - first.moment >= 0.95


def whole_list(page: Page) -> Any:
    """Take a page whose body is JSON."""
    try:
        return json.loads(page.content)
    except ValueError:
        raise BodyError("not JSON") from None


@pytest.mark.parametrize("way", WAYS)
def test_a_body_that_the_reader_refuses_is_requested_again(way: str) -> None:
    with answering() as server:
        server.faults.add(Fault(body="[1", times=3))
        connection = connected(server.base_url, way)
        with fetching(connection) as fetcher:
            assert fetcher.fetch(prepared(connection), whole_list) == [1]

        assert len(server.requests) == 4


@pytest.mark.parametrize("way", WAYS)
def test_a_body_that_the_reader_always_refuses_is_an_error_after_the_retries(way: str) -> None:
    with answering() as server:
        server.faults.add(Fault(body="[1", times=None))
        connection = connected(server.base_url, way)
        with fetching(connection) as fetcher, pytest.raises(BodyError, match="not JSON"):
            fetcher.fetch(prepared(connection), whole_list)

        assert len(server.requests) == 4


def test_failures_of_both_kinds_count_together() -> None:
    with answering() as server:
        server.faults.add(Fault(body="[1"))
        server.faults.add(Fault(status=500, times=2))
        server.faults.add(Fault(body="[1"))
        connection = connected(server.base_url)
        with fetching(connection) as fetcher, pytest.raises(BodyError):
            fetcher.fetch(prepared(connection), whole_list)

        assert len(server.requests) == 4


def test_other_pages_arrive_while_one_waits_for_its_retry() -> None:
    with answering() as server:
        server.faults.add(Fault(path="/0", status=500))
        connection = connected(server.base_url, backoff_factor=0.5)
        with fetching(connection) as fetcher:
            for number in range(8):
                fetcher.request(prepared(connection, f"/{number}"))
            pages = [fetcher.next_page(whole) for _ in range(8)]

    assert [page.url.rpartition("/")[2] for page in pages] == list("01234567")
    assert len(server.requests) == 9
    assert server.requests[-1].path == "/0"


def test_a_pause_of_the_reader_is_no_failure_of_the_api(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analytics_assets.extract.http.fetcher.PAUSE", 0.1)
    with answering() as server:
        server.faults.add(Fault(path="/1", delay=0.05))
        connection = connected(server.base_url, max_attempts=1)
        with fetching(connection) as fetcher:
            for number in range(2):
                fetcher.request(prepared(connection, f"/{number}"))
            fetcher.next_page(whole)
            connection.pool.settings.request_deadline = 0.3
            time.sleep(0.4)

            assert fetcher.next_page(whole).status == 200


def test_a_refused_token_is_renewed_once_an_attempt(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(path=PATH, expired_token=True))
    connection = connect(client_of(sandbox), "shop", quick_settings())
    request = requests.Request("GET", sandbox.base_url + PATH, auth=connection.auth)
    with fetching(connection) as fetcher:
        assert fetcher.fetch(connection.prepare(request), whole).status == 200
        assert (connection.traffic.requests, connection.traffic.retries) == (2, 1)

        sandbox.faults.add(Fault(path=PATH, status=401, times=None))
        assert fetcher.fetch(connection.prepare(request), whole).status == 401
        assert (connection.traffic.requests, connection.traffic.retries) == (4, 2)


def test_pages_in_flight_are_sent_again_with_the_token_that_replaced_theirs(
    sandbox: Sandbox,
) -> None:
    sandbox.faults.add(Fault(path=PATH, expired_token=True, after=3))
    connection = connect(client_of(sandbox), "shop", quick_settings())
    request = requests.Request("GET", sandbox.base_url + PATH, auth=connection.auth)
    with fetching(connection) as fetcher:
        for _ in range(12):
            fetcher.request(connection.prepare(request))
        assert [fetcher.next_page(whole).status for _ in range(12)] == [200] * 12

    tokens = [each for each in sandbox.requests if each.path == "/oauth/token"]
    assert len(tokens) == 2


def test_a_token_that_cannot_be_renewed_is_the_error_of_its_page(sandbox: Sandbox) -> None:
    connection = connect(client_of(sandbox), "shop", quick_settings(max_attempts=1))
    request = requests.Request("GET", sandbox.base_url + PATH, auth=connection.auth)
    with fetching(connection) as fetcher:
        first, second = connection.prepare(request), connection.prepare(request)
        sandbox.faults.add(Fault(path=PATH, expired_token=True, after=1))
        sandbox.faults.add(Fault(path="/oauth/token", status=400, times=None))
        fetcher.request(first)
        assert fetcher.next_page(whole).status == 200
        fetcher.request(second)
        with pytest.raises(Exception, match="token endpoint"):
            fetcher.next_page(whole)

    assert connection.rate_limit.try_acquire() == 0


@pytest.mark.parametrize("status", RETRIED)
def test_a_lasting_failure_is_an_error_of_the_resource(
    api: Sandbox, answered: Answered, status: int
) -> None:
    api.faults.add(Fault(path=PATH, status=status, times=None))

    error = failed_read(client_of(api), api_key="hunter2-key")

    assert answered() == [status] * 4
    assert isinstance(error, ResponseError)
    assert f"answered {status}" in str(error)


@pytest.mark.parametrize("status", [400, 403, 404, 408, 501])
def test_any_other_failure_is_an_error_at_once_with_the_start_of_the_body(
    api: Sandbox, answered: Answered, status: int
) -> None:
    body = "first part, " * 10 + "middle, " * 100 + "last part"
    api.faults.add(Fault(path=PATH, status=status, body=body, times=None))

    error = failed_read(client_of(api), api_key="hunter2-key")
    message = str(error)

    assert answered() == [status]
    assert message.startswith(f"overview: GET {api.base_url}{PATH}?api_key=***")
    assert f"answered {status}" in message
    assert "first part" in message
    assert "last part" not in message


def test_a_broken_response_of_a_resource_is_retried(api: Sandbox, answered: Answered) -> None:
    api.faults.add(Fault(path=PATH, times=3, body="<h1>Hello</h1>", content_type="text/html"))

    assert read(client_of(api)) == ROWS
    assert len(answered()) == 4
