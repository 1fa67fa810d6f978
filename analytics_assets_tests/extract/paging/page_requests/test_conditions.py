"""Reads whose pages are requested one after the other, or with requests of their own kind."""

import logging
import threading
from collections import Counter
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from dlt.common.configuration import configspec
from dlt.sources.helpers.rest_client.auth import AuthConfigBase

from analytics_assets.extract.http.limits.rate_limit import RateLimit
from analytics_assets.extract.paging import page_requests
from analytics_assets.extract.source import rest_api_source
from analytics_assets_tests.extract.paging.page_requests.forty_orders import (
    ALL,
    MAX_IN_FLIGHT,
    NUMBERS,
    two_per_page,
)
from analytics_assets_tests.support.paged_server import (
    Answer,
    Answers,
    Read,
    Request,
    drain,
    orders,
    page,
    read,
    serving,
)

WAITING = 4  # requests that wait for another one at the same time
PATIENCE = 60.0  # seconds, on a busy machine, in which another one comes
BRIEF = 0.1  # seconds in which none is to come
pytestmark = pytest.mark.usefixtures("full_concurrency")


@configspec
class SignedAnew(AuthConfigBase):
    """Signs each URL otherwise than the one before, as signatures with a moment in them do."""

    signed: int = 0

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        self.signed += 1
        request.prepare_url(request.url, {"signature": str(self.signed)})
        return request


def test_an_auth_that_signs_each_url_otherwise_does_not_double_the_requests() -> None:
    with serving(two_per_page()) as server:
        config = {
            "client": {"base_url": server.base_url, "auth": SignedAnew()},
            "resources": [orders()],
        }
        attempt = drain(rest_api_source(config, "shop").resources["orders"])

    assert attempt.numbers == list(NUMBERS)
    # one for each of the 20 pages, one behind the last, the first wrong guess, two small ones
    assert len(server.requests) <= 20 + 1 + MAX_IN_FLIGHT + 2
    pages = Counter(asked.number("offset") for asked in server.requests)
    assert pages[len(ALL) - 2] <= 2, "in the end each page is asked for once"


@configspec
class SignedByUrl(AuthConfigBase):
    """Signs the URL of a request in a header."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["X-Signature"] = str(request.url)
        return request


@pytest.mark.parametrize("part", ["client", "endpoint"])
def test_each_page_has_the_signature_of_its_own_url(part: str) -> None:
    pages = two_per_page()

    def answer(asked: Request) -> Answer:
        signed = asked.headers["x-signature"]
        query = dict(parse_qsl(urlsplit(signed).query))
        return pages(asked) if query == asked.query else Answer({}, status=403)

    auth = {"auth": SignedByUrl()}
    with serving(answer) as server:
        config = {
            "client": {"base_url": server.base_url, **(auth if part == "client" else {})},
            "resources": [orders(**(auth if part == "endpoint" else {}))],
        }
        attempt = drain(rest_api_source(config, "shop").resources["orders"])

    assert attempt.numbers == list(NUMBERS)


def most_in_flight(
    answers: Answers, patience: float = PATIENCE, **endpoint: Any
) -> tuple[Read, int]:
    """Read, and return the most requests that there were at once.

    After the first request, which finds the total, some wait for another one.
    """
    now, most, seen, lock = [0], [0], [0], threading.Condition()

    def answer(asked: Request) -> Answer:
        with lock:
            now[0], seen[0] = now[0] + 1, seen[0] + 1
            most[0] = max(most[0], now[0])
            lock.notify_all()
            if 1 < seen[0] <= WAITING:
                lock.wait_for(lambda: most[0] > 1, patience)
        page = answers(asked)
        with lock:
            now[0] -= 1
        return page

    return read(answer, **endpoint), most[0]


@pytest.mark.parametrize("has_status", [True, False])
def test_actions_of_the_user_see_the_pages_in_their_order(has_status: bool) -> None:
    seen: list[int] = []

    def note(response: requests.Response, *_args: Any, **_kwargs: Any) -> None:
        seen.extend(row["id"] for row in response.json()["data"])

    action = {"status_code": 200, "action": note} if has_status else note
    attempt, most = most_in_flight(two_per_page(), response_actions=[action])

    assert attempt.numbers == list(NUMBERS)
    assert seen == list(NUMBERS)
    assert most > 1


def test_actions_of_dlt_leave_pages_at_once() -> None:
    ignored = [{"status_code": 404, "action": "ignore"}]
    attempt, most = most_in_flight(two_per_page(), response_actions=ignored)

    assert attempt.numbers == list(NUMBERS)
    assert most > 1


def cursors(asked: Request) -> Answer:
    start = asked.number("after")
    following = start + 2 if start + 2 < len(ALL) else None
    return Answer({"data": ALL[start : start + 2], "after": following, "total": len(ALL)})


def test_pages_with_a_cursor_are_requested_one_after_the_other() -> None:
    cursor = {"type": "cursor", "cursor_path": "after", "cursor_param": "after"}
    attempt, most = most_in_flight(cursors, paginator=cursor, patience=BRIEF)

    assert attempt.numbers == list(NUMBERS)
    assert most == 1


def test_large_pages_are_requested_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_requests, "MAX_BYTES_AHEAD", 1)

    attempt, most = most_in_flight(two_per_page(), patience=BRIEF)

    assert attempt.numbers == list(NUMBERS)
    assert most == 1


def test_the_reads_of_an_api_share_the_memory_for_large_pages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(RateLimit, "reads", property(lambda _: page_requests.MAX_BYTES_AHEAD))

    attempt, most = most_in_flight(two_per_page(), patience=BRIEF)

    assert attempt.numbers == list(NUMBERS)
    assert most == 1


def test_each_request_is_in_dlts_log_without_its_secrets(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("dlt").addHandler(caplog.handler)
    with caplog.at_level(logging.INFO, logger="dlt"), serving(lambda _: page(1, total=1)) as server:
        client = {"base_url": server.base_url, "paginator": "single_page"}
        entry = {"name": "orders", "endpoint": {"path": "orders", "params": {"api_key": "hush"}}}
        config = {"client": client, "resources": [entry]}
        list(rest_api_source(config, "shop"))
    logging.getLogger("dlt").removeHandler(caplog.handler)

    logged = [each.getMessage() for each in caplog.records if "Making GET" in each.getMessage()]
    assert len(logged) == 1
    assert "/orders?" in logged[0]
    assert "hush" not in logged[0]
