"""Failures of pages that were requested ahead of time."""

import threading
from collections import Counter

import pytest

from analytics_assets.extract.source import rest_api_source
from analytics_assets_tests.extract.http.prefetch.forty_orders import (
    ALL,
    NUMBERS,
    position,
    two_per_page,
)
from analytics_assets_tests.faults.visits import TOKEN_PATH, VisitsServer, always, once
from analytics_assets_tests.support.paged_server import (
    Answer,
    Read,
    Request,
    drain,
    failed,
    read,
)

pytestmark = pytest.mark.usefixtures("full_concurrency")


def test_an_error_of_a_page_is_raised_after_the_pages_before_it() -> None:
    refused = threading.Event()
    answers = two_per_page()

    def answer(asked: Request) -> Answer:
        if position(asked) == 20:
            refused.set()
            return Answer({}, status=403)
        if position(asked) == 4:
            assert refused.wait(10)
        return answers(asked)

    attempt = failed(answer)

    assert "403" in attempt.error
    assert "offset=20" in attempt.error


def test_the_error_is_that_of_the_first_page_that_fails_in_any_order_of_arrival() -> None:
    refused = threading.Event()
    answers = two_per_page()

    def answer(asked: Request) -> Answer:
        if position(asked) == 20:
            refused.set()
            return Answer({}, status=403)
        if position(asked) == 10:
            assert refused.wait(10)
            return Answer({}, status=404)
        return answers(asked)

    assert "offset=10" in failed(answer).error


@pytest.mark.parametrize("status", [400, 404, 416, 500])
def test_failures_of_pages_behind_the_end_are_ignored(
    monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    def answer(asked: Request) -> Answer:
        if position(asked) > len(ALL):
            return Answer({}, status=status)
        return two_per_page(with_total=False)(asked)

    monkeypatch.setenv("RUNTIME__REQUEST_MAX_ATTEMPTS", "1")
    assert read(answer).numbers == list(NUMBERS)


def test_temporary_failures_of_pages_are_retried() -> None:
    failures = Counter[int]()
    answers = two_per_page()

    def answer(asked: Request) -> Answer:
        place = position(asked)
        failures[place] += 1
        if place % 6 == 0 and failures[place] < 3:
            return Answer({}, status=503)
        return answers(asked)

    assert read(answer).numbers == list(NUMBERS)


def visits(server: VisitsServer) -> Read:
    auth = {
        "type": "oauth2",
        "token_url": f"{server.base_url}/token",
        "client_id": server.client_id,
        "client_secret": "secret",
    }
    entry = {
        "name": "visits",
        "endpoint": {
            "path": "/v1/visits",
            "data_selector": "data",
            "paginator": {"type": "offset", "limit": 2},
        },
    }
    config = {"client": {"base_url": server.base_url, "auth": auth}, "resources": [entry]}
    return drain(rest_api_source(config, "shop").resources["visits"])


def test_a_token_that_is_refused_in_the_middle_is_renewed_once() -> None:
    with VisitsServer(list(ALL)) as server:
        server.play(once(offset=20, expired_token=True))
        attempt = visits(server)

    assert not attempt.error
    assert attempt.numbers == list(NUMBERS)
    assert server.count(TOKEN_PATH) == 2


def test_a_page_that_is_refused_once_is_requested_with_a_new_token() -> None:
    with VisitsServer(list(ALL)) as server:
        server.play(once(offset=20, status=401))
        attempt = visits(server)

    assert attempt.numbers == list(NUMBERS)
    assert server.count(TOKEN_PATH) == 2


def test_a_token_that_stays_refused_is_an_error() -> None:
    with VisitsServer(list(ALL)) as server:
        server.play(always(offset=20, status=401))
        attempt = visits(server)

    assert "401" in attempt.error


@pytest.mark.parametrize("times", [1, 2])
def test_a_page_that_is_redirected_to_itself_is_read(times: int) -> None:
    """A worker that follows the redirect must not wait for the answer it is to bring itself."""
    redirected = Counter[str]()
    answers = two_per_page()
    lock = threading.Lock()

    def answer(asked: Request) -> Answer:
        place = str(position(asked))
        with lock:
            redirected[place] += 1
            again = redirected[place] <= times
        if again and place != "0":
            location = f"{asked.path}?" + "&".join(f"{k}={v}" for k, v in asked.query.items())
            return Answer({}, status=307, headers={"Location": location})
        return answers(asked)

    found: list[Read] = []
    thread = threading.Thread(target=lambda: found.append(read(answer)), daemon=True)
    thread.start()
    thread.join(20)

    assert found, "the read stands still"
    assert found[0].numbers == list(NUMBERS)
