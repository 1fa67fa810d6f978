"""The token: shared, renewed ahead of its expiry and after a 401, and never shown."""

import base64
import json
import secrets
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from threading import Barrier
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa

from analytics_assets.extract.http.connection import connect
from analytics_assets.extract.http.errors import ApiError, TokenError
from analytics_assets.extract.http.oauth2.authentication import OAuth2
from analytics_assets.extract.http.session import build_session
from analytics_assets.extract.source import rest_api_source
from analytics_assets.sandbox import sandbox_rows
from analytics_assets_tests.conftest import TODAY
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.sandbox import Sandbox
from analytics_assets_tests.support.token_server import (
    PAGE_VIEWS,
    RESERVED,
    TOKEN,
    Sent,
    chain,
    get,
    private_pem,
    recording,
    settings_for,
    sign,
    statuses,
    token,
)


def expiring(**answer: Any) -> Fault:
    body = json.dumps({"access_token": "granted-token", **answer})
    return Fault(path=TOKEN, body=body, times=None)


FAR, PAST = datetime.now(UTC) + timedelta(hours=1), datetime.now(UTC) - timedelta(hours=1)
WESTERN = timezone(timedelta(hours=-9))


@pytest.mark.parametrize(
    ("answer", "default_lifetime", "token_requests"),
    [
        ({"expires_in": 3600}, 0, 1),
        ({"expires_in": "3600"}, 0, 1),
        ({"expires_in": 0}, 3600, 2),
        ({"expires_in": -5}, 3600, 2),
        ({"expires_at": FAR.timestamp()}, 0, 1),
        ({"expires_at": str(int(FAR.timestamp()))}, 0, 1),
        ({"expires_at": PAST.timestamp()}, 3600, 2),
        ({"expires_at": FAR.strftime("%Y-%m-%dT%H:%M:%SZ")}, 0, 1),
        ({"expires_at": PAST.strftime("%Y-%m-%dT%H:%M:%SZ")}, 3600, 2),
        ({"expires_at": FAR.astimezone(WESTERN).isoformat()}, 0, 1),
        ({"expires_at": PAST.astimezone(WESTERN).isoformat()}, 3600, 2),
        ({"expires_in": 3600, "expires_at": PAST.timestamp()}, 0, 1),
        ({}, 3600, 1),
        ({}, 0, 2),
        ({"expires_in": "soon", "expires_at": "later"}, 3600, 1),
        ({"expires_in": None, "expires_at": True}, 3600, 1),
        ({"expires_in": [1], "expires_at": {"days": 1}}, 0, 2),
    ],
)
def test_a_token_is_used_for_as_long_as_its_answer_or_else_the_default_says(
    sandbox: Sandbox, answer: dict[str, Any], default_lifetime: float, token_requests: int
) -> None:
    sandbox.faults.add(expiring(**answer))
    auth = OAuth2(settings_for(sandbox, default_lifetime=default_lifetime))

    assert [sign(auth), sign(auth)] == ["Bearer granted-token"] * 2
    assert len(statuses(sandbox, TOKEN)) == token_requests


@pytest.mark.parametrize("expiry_field", ["expires_in", "expires_at", "none"])
def test_a_token_is_kept_however_its_expiry_is_told(expiry_field: Any) -> None:
    with Sandbox(expiry_field=expiry_field, today=TODAY) as sandbox:
        auth = OAuth2(settings_for(sandbox))

        assert len({sign(auth) for _ in range(3)}) == 1
        assert sandbox.tokens.issued == 1


def test_a_short_lived_token_is_renewed_ahead_of_its_expiry_while_reading(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("READING__MAX_IN_FLIGHT", "1")  # the read is to outlast a token
    client: dict[str, Any] = {"client_id": secrets.token_hex(8), "client_secret": "sandbox-secret"}
    with Sandbox(**client, lifetime=2, today=TODAY) as sandbox:
        sandbox.faults.add(Fault(path="/v1/traffic_sources", delay=0.05, times=None))
        auth = {"type": "oauth2", "token_url": sandbox.token_url, **client}
        endpoint = {
            "path": "/v1/traffic_sources",
            "data_selector": "data",
            "paginator": {"type": "offset", "limit": 6},
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


def test_connections_with_the_same_settings_share_one_token_and_others_do_not() -> None:
    client: dict[str, Any] = {"client_id": secrets.token_hex(8), "client_secret": "sandbox-secret"}
    with Sandbox(**client, today=TODAY) as sandbox:
        auth = {"type": "oauth2", "token_url": sandbox.token_url, **client}
        tokens = [
            sign(connection.auth)
            for scope in ("reports", "reports", "users")
            if (
                connection := connect(
                    {"base_url": "http://x", "auth": {**auth, "scope": scope}}, "shop"
                )
            )
            and connection.auth
        ]

    assert tokens[0] == tokens[1] != tokens[2]


def test_a_token_refused_in_the_middle_is_renewed_once_and_the_request_sent_again(
    sandbox: Sandbox,
) -> None:
    auth = OAuth2(settings_for(sandbox))
    session = build_session(auth.redact, auth)
    answers = []
    for number in range(3):
        if number == 1:
            sandbox.tokens.revoke_all()
        answers.append(session.get(sandbox.base_url + PAGE_VIEWS, auth=auth).status_code)

    assert answers == [200, 200, 200]
    assert statuses(sandbox) == [200, 401, 200, 200]
    assert sandbox.tokens.issued == 2


def test_a_token_refused_twice_is_an_error_that_says_so(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(path=PAGE_VIEWS, expired_token=True, times=None))

    with pytest.raises(ApiError, match=r"GET .*/v1/page_views: the API answered 401"):
        get(OAuth2(settings_for(sandbox)), sandbox.base_url + PAGE_VIEWS)

    assert statuses(sandbox) == [401, 401]


def test_a_retry_after_the_token_expired_is_signed_with_a_new_one() -> None:
    with Sandbox(lifetime=1, today=TODAY) as sandbox:
        sandbox.faults.add(Fault(path=PAGE_VIEWS, status=503, retry_after="1"))
        auth = OAuth2(settings_for(sandbox))
        session = build_session(auth.redact, auth)

        assert session.get(sandbox.base_url + PAGE_VIEWS, auth=auth).ok
        assert statuses(sandbox) == [503, 200]


def test_a_retry_whose_token_was_revoked_meanwhile_renews_it(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(path=PAGE_VIEWS, status=503, expired_token=True))

    assert get(OAuth2(settings_for(sandbox)), sandbox.base_url + PAGE_VIEWS).ok
    assert statuses(sandbox) == [503, 401, 200]


def test_a_wrong_secret_fails_at_once_and_says_what_to_check(sandbox: Sandbox) -> None:
    auth = OAuth2(settings_for(sandbox, client_secret="not-the-secret"))

    with pytest.raises(TokenError, match=r"invalid_client.*Check `client_id`") as failure:
        get(auth, sandbox.base_url + PAGE_VIEWS)

    assert statuses(sandbox, TOKEN) == [401]
    assert statuses(sandbox) == []
    assert "not-the-secret" not in chain(failure.value)


@pytest.mark.parametrize("trouble", [{"status": 503}, {"status": 429}, {"drop": True}])
def test_a_token_endpoint_that_is_down_for_a_while_is_asked_again(
    sandbox: Sandbox, trouble: dict[str, Any]
) -> None:
    sandbox.faults.add(Fault(path=TOKEN, times=2, **trouble))

    assert get(OAuth2(settings_for(sandbox)), sandbox.base_url + PAGE_VIEWS).ok
    assert len(statuses(sandbox, TOKEN)) == 3
    assert statuses(sandbox) == [200]


@pytest.mark.parametrize(
    ("trouble", "message"),
    [({"status": 503}, "answered 503"), ({"drop": True}, "could not be reached")],
)
def test_a_token_endpoint_that_stays_down_is_given_up_after_three_retries(
    sandbox: Sandbox, trouble: dict[str, Any], message: str
) -> None:
    sandbox.faults.add(Fault(path=TOKEN, times=None, **trouble))

    with pytest.raises(TokenError, match=message) as failure:
        get(OAuth2(settings_for(sandbox)), sandbox.base_url + PAGE_VIEWS)

    assert len(statuses(sandbox, TOKEN)) == 4
    assert "check `token_url`" not in str(failure.value)  # it answers, or did
    assert sandbox.client_secret not in chain(failure.value)


def test_a_token_endpoint_that_is_not_there_is_a_matter_of_its_url(sandbox: Sandbox) -> None:
    settings = settings_for(sandbox)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        settings.token_url = f"http://127.0.0.1:{closed.getsockname()[1]}/token"

        with pytest.raises(TokenError, match="could not be reached") as failure:
            get(OAuth2(settings), sandbox.base_url + PAGE_VIEWS)

    assert str(failure.value).endswith("(check `token_url`)")


@pytest.mark.parametrize(
    ("trouble", "message"),
    [
        ({"body": '{"token_type": "Bearer"}'}, "without an `access_token`"),
        ({"body": '{"access_token": ""}'}, "without an `access_token`"),
        ({"body": '{"access_token": 7}'}, "without an `access_token`"),
        ({"body": "<h1>Welcome</h1>", "content_type": "text/html"}, "<h1>Welcome</h1>"),
        ({"body": '["token"]'}, "something that is no token"),
        ({"body": ""}, "an empty body"),
        ({"status": 302, "headers": {"location": "/elsewhere"}, "body": "{}"}, "answered 302"),
        ({"status": 404}, "answered 404: "),
        ({"status": 404}, ". Check `token_url`."),
        ({"status": 404, "body": "no"}, "404 with something that is no token (check `token_url`)"),
    ],
)
def test_an_answer_that_is_no_token_is_told_with_what_came_instead(
    sandbox: Sandbox, trouble: dict[str, Any], message: str
) -> None:
    sandbox.faults.add(Fault(path=TOKEN, **trouble))

    with pytest.raises(TokenError) as failure:
        sign(OAuth2(settings_for(sandbox)))

    assert message in str(failure.value)
    assert sandbox.token_url in str(failure.value)
    assert len(sandbox.requests) == 1


@pytest.mark.parametrize("status", [302, 307, 308])
def test_the_token_endpoint_cannot_send_the_secret_elsewhere(sandbox: Sandbox, status: int) -> None:
    with recording(token) as elsewhere:
        location = {"location": elsewhere.url("/token", host="localhost")}
        sandbox.faults.add(Fault(path=TOKEN, status=status, headers=location))

        with pytest.raises(TokenError, match=str(status)):
            sign(OAuth2(settings_for(sandbox)))

        assert elsewhere.sent == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("status", [302, 307])
@pytest.mark.parametrize("answer", [200, 401])
def test_a_redirect_to_another_origin_never_carries_the_token(
    sandbox: Sandbox, host: str, status: int, answer: int
) -> None:
    with recording(lambda _sent: (answer, {}, '{"data": []}')) as elsewhere:
        location = {"location": elsewhere.url("/rows", host)}
        sandbox.faults.add(Fault(path=PAGE_VIEWS, status=status, headers=location))
        auth = OAuth2(settings_for(sandbox))

        response = build_session(auth.redact, auth).get(sandbox.base_url + PAGE_VIEWS, auth=auth)

        assert response.status_code == answer
        assert [sent.path for sent in elsewhere.sent] == ["/rows"]
        assert "authorization" not in elsewhere.sent[0].headers
        assert sandbox.tokens.issued == 1


def test_a_redirect_within_the_api_keeps_the_token(sandbox: Sandbox) -> None:
    location = {"location": "/v1/website_overview"}
    sandbox.faults.add(Fault(path=PAGE_VIEWS, status=307, headers=location))

    response = get(OAuth2(settings_for(sandbox)), sandbox.base_url + PAGE_VIEWS)

    assert response.json()["total"] == len(sandbox_rows("website_overview", TODAY))


def echo(sent: Sent) -> tuple[int, dict[str, str], str]:
    return 400, {"Content-Type": "text/plain"}, f"{sent.headers.get('authorization')} {sent.text}"


def refuse_with_echo(sent: Sent) -> tuple[int, dict[str, str], str]:
    return 400, {}, json.dumps({"error": "invalid_grant", "error_description": sent.text})


def test_an_api_that_echoes_the_token_does_not_get_it_into_the_error(sandbox: Sandbox) -> None:
    with recording(echo) as api:
        auth = OAuth2(settings_for(sandbox))

        with pytest.raises(ApiError, match=r"answered 400.*Bearer \*\*\*") as failure:
            get(auth, api.url())

        assert api.sent[0].headers["authorization"].startswith("Bearer ")
        assert api.sent[0].headers["authorization"].split()[1] not in chain(failure.value)


@pytest.mark.parametrize("method", ["form", "basic", "json"])
@pytest.mark.parametrize("secret", ["plain-secret", f'"{RESERVED}', "sécrèt/with+more"])
def test_a_token_endpoint_that_echoes_the_secret_does_not_get_it_into_the_error(
    method: str, secret: str
) -> None:
    with recording(echo) as endpoint:
        changes = {"client_secret": secret, "client_authentication": method, "client_id": "me"}

        with pytest.raises(TokenError, match="answered 400") as failure:
            sign(OAuth2(settings_for(endpoint, **changes)))

        sent = endpoint.sent[0]
    basic = sent.headers.get("authorization", "Basic none").split()[1]
    spellings = [secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]]
    spellings += [requests.compat.quote_plus(secret), requests.compat.quote(secret, safe="")]
    for spelling in [*spellings, basic]:
        assert spelling not in chain(failure.value)
    assert method != "basic" or base64.b64decode(basic)


@pytest.mark.parametrize("answer", [echo, refuse_with_echo])
@pytest.mark.parametrize("grant", ["refresh_token", "private_key"])
def test_a_token_endpoint_that_echoes_the_grant_does_not_get_it_into_the_error(
    grant: str, answer: Any, key: rsa.RSAPrivateKey
) -> None:
    value = private_pem(key) if grant == "private_key" else "refresh/token+1"
    with recording(answer) as endpoint:
        with pytest.raises(TokenError, match="answered 400") as failure:
            sign(OAuth2(settings_for(endpoint, **{grant: value})))

        form = endpoint.sent[0].form
    signature = form["assertion"].split(".")[2] if grant == "private_key" else value
    assert signature[:40] not in chain(failure.value)
    assert requests.compat.quote_plus(value) not in chain(failure.value)
