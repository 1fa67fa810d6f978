"""The user's own session, proxies and client certificates."""

from typing import Any

import pytest
import requests
from dlt.sources.helpers.requests import Client
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from requests.structures import CaseInsensitiveDict

from analytics_assets.extract.http.connection import Connection, connect
from analytics_assets_tests.support.http.exchange import Answer, Request
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.http.fetching import (
    fetching,
    page_of,
    prepared,
    quick_settings,
    whole,
)
from analytics_assets_tests.support.http.server import Server


def connected(base_url: str, session: requests.Session | None, **changes: Any) -> Connection:
    client = {"base_url": base_url, "session": session}
    return connect(client, "shop", quick_settings(**changes))


def answering() -> Server:
    return Server(lambda _request: Answer([1]))


class Signature(AuthBase):
    """Signs each request by its URL and body."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["X-Signature"] = f"{request.url}|{request.body!r}"
        return request


def test_headers_auth_parameters_and_cookies_of_a_session_are_used() -> None:
    session = requests.Session()
    session.headers["X-Shop"] = "7"
    session.auth = ("me", "secret")
    session.params = {"tenant": "a"}
    session.cookies.set("sticky", "1")
    with answering() as server:
        page_of(connected(server.base_url, session), params={"offset": 0})

    [request] = server.requests
    assert request.headers["x-shop"] == "7"
    assert request.headers["authorization"].startswith("Basic ")
    assert request.headers["cookie"] == "sticky=1"
    assert request.query == {"tenant": "a", "offset": "0"}


def test_an_adapter_of_a_session_is_used() -> None:
    class Own(HTTPAdapter):
        def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
            response = requests.Response()
            response.request, response.url = request, str(request.url)
            response.status_code, response._content = 200, b"[7]"
            response.headers = CaseInsensitiveDict({"X-Own": "1"})
            return response

    session = requests.Session()
    session.mount("shop://", Own())
    connection = connected("http://127.0.0.1:9", session)

    with fetching(connection) as fetcher:
        page = fetcher.fetch(requests.Request("GET", "shop://orders").prepare(), whole)

    assert (page.content, page.headers["x-own"]) == (b"[7]", "1")


def test_hooks_of_a_session_are_called_once_for_each_answer() -> None:
    statuses: list[int] = []
    session = requests.Session()
    session.hooks["response"].append(
        lambda response, *_args, **_kwargs: statuses.append(response.status_code)
    )
    with answering() as server:
        server.faults.add(Fault(status=503))
        page_of(connected(server.base_url, session))

    assert statuses == [503, 200]


def test_hooks_of_a_request_are_not_called_as_the_reader_checks_its_pages() -> None:
    called: list[object] = []
    with answering() as server:
        connection = connected(server.base_url, requests.Session())
        hooks = {"response": lambda response, *_args, **_kwargs: called.append(response)}
        page_of(connection, hooks=hooks)

    assert called == []


def test_a_session_that_reads_bodies_itself_is_used() -> None:
    session = requests.Session()
    session.hooks["response"].append(lambda response, *_args, **_kwargs: response.json() and None)
    with answering() as server:
        assert page_of(connected(server.base_url, session)).content == b"[1]"


def test_a_session_that_refuses_a_status_itself_is_used() -> None:
    session = Client(raise_for_status=True, request_max_attempts=1).session
    with answering() as server:
        server.faults.add(Fault(status=404, times=None))
        assert page_of(connected(server.base_url, session)).status == 404


def test_a_session_is_never_closed_and_keeps_its_own_timeout() -> None:
    timeouts: list[Any] = []

    class Own(requests.Session):
        timeout = 7.5

        def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
            timeouts.append(kwargs["timeout"])
            return super().send(request, **kwargs)

        def close(self) -> None:
            raise AssertionError("the session is the user's")

    with answering() as server:
        page_of(connected(server.base_url, Own()))

    assert timeouts == [7.5]


def test_one_page_is_requested_at_a_time() -> None:
    with answering() as server:
        connection = connected(server.base_url, requests.Session())
        with fetching(connection) as fetcher:
            request = prepared(connection)
            for number in range(4):
                fetcher.request(request, f"{server.base_url}/orders?page={number}")
            for number in range(4):
                fetcher.next_page(whole)
                assert len(server.requests) == number + 1
                assert connection.concurrency is None


def test_cookies_are_kept_between_requests_and_reads() -> None:
    def answer(request: Request) -> Answer:
        return Answer([1], 200, {"Set-Cookie": f"{request.path[1:]}=1; Path=/"})

    with Server(answer) as server:
        connection = connected(server.base_url, requests.Session())
        for path in ("/a", "/b", "/c"):
            page_of(connection, path)

    assert [each.headers.get("cookie") for each in server.requests] == [None, "a=1", "a=1; b=1"]


@pytest.mark.parametrize("session", [None, requests.Session()])
def test_an_auth_that_signs_each_request_differently_is_used(
    session: requests.Session | None,
) -> None:
    with answering() as server:
        connection = connected(server.base_url, session)
        with fetching(connection) as fetcher:
            for number in (1, 2):
                parts: dict[str, Any] = {"params": {"page": number}, "json": {"a": number}}
                fetcher.request(prepared(connection, "/o", "POST", **parts, auth=Signature()))
            for _ in (1, 2):
                fetcher.next_page(whole)

    signatures = sorted(each.headers["x-signature"] for each in server.requests)
    assert signatures == [f"{server.url('/o')}?page={n}|b'{{\"a\": {n}}}'" for n in (1, 2)]


@pytest.mark.parametrize("of_session", [True, False])
def test_requests_go_to_a_proxy(of_session: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering() as proxy:
        session = requests.Session() if of_session else None
        if session:
            session.proxies["http"] = proxy.base_url
        else:
            monkeypatch.setenv("HTTP_PROXY", proxy.base_url)
        connection = connected("http://shop.test", session)
        page = page_of(connection, "/orders")
        connection.close()

    assert (page.content, page.url) == (b"[1]", "http://shop.test/orders")
    assert proxy.requests[0].headers["host"] == "shop.test"
    assert connection.concurrency is None


def test_a_host_without_a_proxy_is_reached_by_libcurl(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering() as server:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        connection = connected(server.base_url, None)

        assert page_of(connection).content == b"[1]"
        assert connection.concurrency is connection.rate_limit.concurrency
