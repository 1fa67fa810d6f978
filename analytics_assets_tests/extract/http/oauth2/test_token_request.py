import socket
from typing import Any

import pytest

from analytics_assets.extract.http.errors import TokenError
from analytics_assets.extract.http.oauth2.authentication import OAuth2
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.sandbox import Sandbox
from analytics_assets_tests.support.token_server import (
    PAGE_VIEWS,
    TOKEN,
    chain,
    get,
    settings_for,
    sign,
    statuses,
)


def test_a_wrong_secret_is_an_error_at_once_with_the_settings_to_check(sandbox: Sandbox) -> None:
    auth = OAuth2(settings_for(sandbox, client_secret="not-the-secret"))

    with pytest.raises(TokenError, match=r"invalid_client.*Check `client_id`") as failure:
        get(auth, sandbox.base_url + PAGE_VIEWS)

    assert statuses(sandbox, TOKEN) == [401]
    assert statuses(sandbox) == []
    assert "not-the-secret" not in chain(failure.value)


@pytest.mark.parametrize("trouble", [{"status": 503}, {"status": 429}, {"drop": True}])
def test_a_temporary_failure_of_the_token_endpoint_is_retried(
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
def test_a_lasting_failure_of_the_token_endpoint_is_an_error_after_three_retries(
    sandbox: Sandbox, trouble: dict[str, Any], message: str
) -> None:
    sandbox.faults.add(Fault(path=TOKEN, times=None, **trouble))

    with pytest.raises(TokenError, match=message) as failure:
        get(OAuth2(settings_for(sandbox)), sandbox.base_url + PAGE_VIEWS)

    assert len(statuses(sandbox, TOKEN)) == 4
    assert "check `token_url`" not in str(failure.value)  # it answers, or did
    assert sandbox.client_secret not in chain(failure.value)


def test_a_refused_connection_is_an_error_that_names_the_url_setting(sandbox: Sandbox) -> None:
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
        ({"body": "<h1>Welcome</h1>", "content_type": "text/html"}, "a web page of 16 bytes"),
        ({"body": '["token"]'}, "an answer that is no token"),
        ({"body": ""}, "an empty body"),
        ({"status": 302, "headers": {"location": "/elsewhere"}, "body": "{}"}, "answered 302"),
        ({"status": 404}, "answered 404: "),
        ({"status": 404}, ". Check `token_url`."),
        ({"status": 404, "body": "no"}, "404 with an answer that is no token (check `token_url`)"),
    ],
)
def test_a_response_without_a_token_is_an_error_that_describes_it(
    sandbox: Sandbox, trouble: dict[str, Any], message: str
) -> None:
    sandbox.faults.add(Fault(path=TOKEN, **trouble))

    with pytest.raises(TokenError) as failure:
        sign(OAuth2(settings_for(sandbox)))

    assert message in str(failure.value)
    assert sandbox.token_url in str(failure.value)
    assert len(sandbox.requests) == 1
