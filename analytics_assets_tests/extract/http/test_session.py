import copy
from concurrent.futures import Future
from typing import Any

import pytest
import requests

from analytics_assets.extract.http.cancellation import CancelScope
from analytics_assets.extract.http.errors import RedirectError
from analytics_assets.extract.http.session import ApiSession, build_session
from analytics_assets_tests.support.token_server import Server, recording


def test_the_environment_is_read_once_per_host(monkeypatch: pytest.MonkeyPatch) -> None:
    session = build_session()
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.test:3128")
    first = session.merge_environment_settings("http://a.test/1", {}, None, None, None)
    monkeypatch.setenv("HTTP_PROXY", "http://other.test:3128")

    same = session.merge_environment_settings("http://a.test/2", {}, None, None, None)
    other = session.merge_environment_settings("http://b.test/1", {}, None, None, None)

    assert first["proxies"]["http"] == same["proxies"]["http"] == "http://proxy.test:3128"
    assert other["proxies"]["http"] == "http://other.test:3128"


@pytest.mark.parametrize("given", [{"verify": False}, {"cert": "file"}, {"stream": True}])
def test_a_setting_of_one_request_goes_before_the_environment(given: dict[str, Any]) -> None:
    unset: dict[str, Any] = {"proxies": {}, "stream": None, "verify": None, "cert": None}

    merged = build_session().merge_environment_settings("http://a.test", **{**unset, **given})

    assert given.items() <= merged.items()


def test_a_copy_of_a_configuration_holds_the_same_session() -> None:
    client = {"session": build_session()}

    assert copy.deepcopy(client)["session"] is client["session"]


def prepared(session: ApiSession, api: Server) -> requests.PreparedRequest:
    return session.prepare_request(requests.Request("GET", api.url("/orders")))


def test_a_response_requested_ahead_of_time_is_taken_once() -> None:
    with recording() as api:
        session, ready = build_session(), Future[requests.Response]()
        ready.set_result(requests.Response())
        session.pending.add(prepared(session, api), ready)

        assert session.send(prepared(session, api)) is ready.result()
        assert api.requests == []
        assert session.send(prepared(session, api)).ok
        assert len(api.requests) == 1


def test_a_thread_that_requests_ahead_takes_no_pending_response() -> None:
    with recording() as api:
        session = build_session()
        session.pending.add(prepared(session, api), Future())

        with CancelScope().entered():
            assert session.send(prepared(session, api)).ok

        assert prepared(session, api) in session.pending


def test_endless_redirects_are_an_error_that_says_where_to_look() -> None:
    with recording(lambda _sent: (302, {"Location": "/login"}, "")) as api:
        with pytest.raises(RedirectError, match=r"GET .*/orders: .*check `base_url` and `path`"):
            build_session().get(api.url("/orders"))

        assert len(api.requests) == 31
