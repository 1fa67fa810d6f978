"""The token: shared, and renewed ahead of its expiry and after a 401."""

import json
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, Lock
from typing import Any

import pytest

from analytics_assets.extract.http.errors import ApiError, TokenError
from analytics_assets.extract.http.oauth2.authentication import OAuth2
from analytics_assets.extract.source import rest_api_source
from analytics_assets.sandbox import sandbox_rows
from analytics_assets_tests.conftest import TODAY
from analytics_assets_tests.extract.http.conftest import FakeClock
from analytics_assets_tests.support.http.exchange import Exchange
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.http.fetching import signed_page
from analytics_assets_tests.support.sandbox import Sandbox
from analytics_assets_tests.support.token_server import (
    PAGE_VIEWS,
    TOKEN,
    get,
    settings_for,
    sign,
    statuses,
)


def expiring(**answer: Any) -> Fault:
    body = json.dumps({"access_token": "granted-token", **answer})
    return Fault(path=TOKEN, body=body, times=None)


@pytest.mark.parametrize(
    ("answer", "default_lifetime", "token_requests"),
    [
        ({"expires_in": 3600}, 0, 1),
        ({"expires_in": 0}, 3600, 2),
        ({}, 3600, 1),
        ({}, 0, 2),
    ],
)
def test_a_token_is_used_for_the_lifetime_of_its_response_or_else_the_default(
    sandbox: Sandbox, answer: dict[str, Any], default_lifetime: float, token_requests: int
) -> None:
    sandbox.faults.add(expiring(**answer))
    auth = OAuth2(settings_for(sandbox, default_lifetime=default_lifetime))

    assert [sign(auth), sign(auth)] == ["Bearer granted-token"] * 2
    assert len(statuses(sandbox, TOKEN)) == token_requests


def test_a_lifetime_of_thousands_of_digits_is_ignored(sandbox: Sandbox) -> None:
    body = f'{{"access_token": "granted-token", "expires_in": {"9" * 5000}}}'
    sandbox.faults.add(Fault(path=TOKEN, body=body, times=None))

    assert sign(OAuth2(settings_for(sandbox))) == "Bearer granted-token"


@pytest.mark.parametrize(
    ("lifetime", "used_for"),
    [(3600, 3540), (10, 8)],
    ids=["a minute before its expiry", "a fifth of a short life before its expiry"],
)
def test_a_token_is_renewed_ahead_of_its_expiry(
    sandbox: Sandbox, lifetime: float, used_for: float
) -> None:
    clock = FakeClock()
    sandbox.faults.add(expiring(expires_in=lifetime))
    auth = OAuth2(settings_for(sandbox), clock=clock)

    sign(auth)
    clock.now += used_for - 0.1
    sign(auth)
    assert len(statuses(sandbox, TOKEN)) == 1
    clock.now += 0.2
    sign(auth)

    assert len(statuses(sandbox, TOKEN)) == 2


class WatchedLock:
    """A lock that notes that a thread waits for it."""

    def __init__(self) -> None:
        self.is_waited_for = Event()
        self._lock = Lock()

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            self.is_waited_for.set()
            self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def test_threads_that_wait_for_a_token_share_the_failure_of_its_request(sandbox: Sandbox) -> None:
    auth = OAuth2(settings_for(sandbox))
    lock: Any = WatchedLock()
    auth._lock = lock

    def refuse(exchange: Exchange) -> None:
        assert lock.is_waited_for.wait(60)
        exchange.reply({"error": "invalid_client"}, 400)

    sandbox.faults.add(Fault(path=TOKEN, does=refuse, times=None))
    with ThreadPoolExecutor(2) as threads:
        for each in [threads.submit(sign, auth) for _ in range(2)]:
            with pytest.raises(TokenError, match="invalid_client"):
                each.result()
    assert statuses(sandbox, TOKEN) == [400]

    with pytest.raises(TokenError):
        sign(auth)
    assert statuses(sandbox, TOKEN) == [400, 400]


@pytest.mark.parametrize("expiry_field", ["expires_in", "expires_at", "none"])
def test_a_token_is_kept_in_each_form_of_its_expiry(expiry_field: Any) -> None:
    with Sandbox(expiry_field=expiry_field, today=TODAY) as sandbox:
        auth = OAuth2(settings_for(sandbox))

        assert len({sign(auth) for _ in range(3)}) == 1
        assert sandbox.tokens.issued == 1


def test_a_short_lived_token_is_renewed_ahead_of_its_expiry_while_reading(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("READING__MAX_IN_FLIGHT", "1")  # the read is to outlast a token
    client: dict[str, Any] = {"client_id": secrets.token_hex(8), "client_secret": "sandbox-secret"}
    with Sandbox(**client, today=TODAY) as sandbox:
        # it lives longer than it says: a busy machine may be late, and the API refuses none

        def short_lived(exchange: Exchange) -> None:
            exchange.reply({**exchange.page, "expires_in": 2})

        sandbox.faults.add(Fault(path=TOKEN, does=short_lived, times=None))
        sandbox.faults.add(Fault(path="/v1/traffic_sources", delay=0.55, times=3))
        auth = {"type": "oauth2", "token_url": sandbox.token_url, **client}
        endpoint = {
            "path": "/v1/traffic_sources",
            "data_selector": "data",
            "paginator": {"type": "offset", "limit": 40},
        }
        config = {
            "client": {"base_url": sandbox.base_url, "auth": auth},
            "resources": [{"name": "traffic_sources", "endpoint": endpoint}],
        }

        rows = list(rest_api_source(config).resources["traffic_sources"])

        assert rows == sandbox_rows("traffic_sources", TODAY)
        assert set(statuses(sandbox, "/v1/traffic_sources")) == {200}
        assert sandbox.tokens.issued > 1


def at_once(threads: int, act: Callable[[], Any]) -> list[Any]:
    barrier = Barrier(threads)

    def start_together(_number: int) -> Any:
        barrier.wait(timeout=60)
        return act()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(start_together, range(threads)))


def test_many_threads_share_one_token(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(path=TOKEN, delay=0.2))
    auth = OAuth2(settings_for(sandbox))

    responses = at_once(12, lambda: get(auth, sandbox.base_url + PAGE_VIEWS))

    assert {response.status_code for response in responses} == {200}
    assert sandbox.tokens.issued == 1


def test_many_threads_whose_token_is_refused_renew_it_once(sandbox: Sandbox) -> None:
    auth = OAuth2(settings_for(sandbox))
    sign(auth)
    sandbox.tokens.revoke_all()
    sandbox.faults.add(Fault(path=PAGE_VIEWS, delay=0.2, times=12))

    responses = at_once(12, lambda: get(auth, sandbox.base_url + PAGE_VIEWS))

    assert {response.status_code for response in responses} == {200}
    assert sandbox.tokens.issued == 2


def test_a_token_refused_in_the_middle_is_renewed_once_and_the_request_sent_again(
    sandbox: Sandbox,
) -> None:
    auth = OAuth2(settings_for(sandbox))
    answers = []
    for number in range(3):
        if number == 1:
            sandbox.tokens.revoke_all()
        answers.append(signed_page(auth, sandbox.base_url + PAGE_VIEWS).status)

    assert answers == [200, 200, 200]
    assert statuses(sandbox) == [200, 401, 200, 200]
    assert sandbox.tokens.issued == 2


def test_a_token_refused_twice_is_an_error(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(path=PAGE_VIEWS, expired_token=True, times=None))

    with pytest.raises(ApiError, match=r"GET .*/v1/page_views: the API answered 401"):
        get(OAuth2(settings_for(sandbox)), sandbox.base_url + PAGE_VIEWS)

    assert statuses(sandbox) == [401, 401]


def test_a_retry_after_the_token_expired_is_signed_with_a_new_one(sandbox: Sandbox) -> None:
    clock = FakeClock()
    auth = OAuth2(settings_for(sandbox), clock=clock)

    def fail_when_the_token_expires(exchange: Exchange) -> None:
        clock.now += 3600
        exchange.reply({}, 503)

    sandbox.faults.add(Fault(path=PAGE_VIEWS, does=fail_when_the_token_expires))

    assert signed_page(auth, sandbox.base_url + PAGE_VIEWS).status == 200
    assert statuses(sandbox) == [503, 200]
    assert sandbox.tokens.issued == 2


def test_a_retry_whose_token_was_revoked_meanwhile_renews_it(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(path=PAGE_VIEWS, status=503, expired_token=True))

    assert get(OAuth2(settings_for(sandbox)), sandbox.base_url + PAGE_VIEWS).ok
    assert statuses(sandbox) == [503, 401, 200]
