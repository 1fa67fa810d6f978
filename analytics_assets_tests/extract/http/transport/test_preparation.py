"""Requests are prepared as a session of requests prepares them."""

from collections import UserDict
from itertools import count
from typing import Any

import pytest
import requests
from dlt.sources.helpers.requests import Session
from dlt.sources.helpers.rest_client.auth import (
    APIKeyAuth,
    AuthConfigBase,
    BearerTokenAuth,
    HttpBasicAuth,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics_assets.extract.http.transport.preparation import Preparation

VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.binary()
)
PARAMETERS = st.dictionaries(st.text(min_size=1), st.one_of(VALUES, st.lists(VALUES)), max_size=4)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=5,
)
URLS = st.sampled_from(
    [
        "http://api.test",
        "http://api.test/orders",
        "https://api.test:8443/a%20b/ä?q=1",
        "http://me:secret@api.test/orders",
        "http://api.test/orders?",
        "http://api.test/orders#part",
    ]
)
AUTHS: list[Any] = [
    None,
    ("me", "secret"),
    BearerTokenAuth(token="a-token"),
    HttpBasicAuth(username="me", password="secret"),
    APIKeyAuth(name="key", api_key="a key", location="query"),
]
HEADERS = st.sampled_from([{}, {"X-Shop": "7"}, {"content-type": "text/json"}, {"Accept": None}])


def parts(request: requests.PreparedRequest) -> tuple[Any, ...]:
    return request.method, request.url, request.body, dict(request.headers)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.builds(
            requests.Request,
            method=st.sampled_from(["GET", "post", "PUT"]),
            url=URLS,
            headers=HEADERS,
            params=PARAMETERS,
            json=st.one_of(st.none(), JSON),
            auth=st.sampled_from(AUTHS),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_requests_are_prepared_as_a_session_prepares_each_of_them(
    asked: list[requests.Request],
) -> None:
    session = Session()
    preparation = Preparation(session)

    for request in [*asked, *asked]:
        assert parts(preparation.prepare(request)) == parts(session.prepare_request(request))


@pytest.mark.parametrize(
    "kind",
    [{"data": {"a": "1"}}, {"data": b"1"}, {"cookies": {"a": "1"}}, {"params": [("a", 1)]}],
)
def test_requests_of_another_kind_are_prepared_by_the_session(kind: dict[str, Any]) -> None:
    session = Session()
    preparation = Preparation(session)

    for number in range(2):
        request = requests.Request("POST", "http://api.test", headers={"X": str(number)}, **kind)
        assert parts(preparation.prepare(request)) == parts(session.prepare_request(request))


def test_each_request_is_signed_by_itself() -> None:
    class Counting(AuthConfigBase):
        count = 0

        def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
            Counting.count += 1
            request.headers["X-Count"] = f"{Counting.count} {request.url} {request.body!r}"
            return request

    preparation, auth = Preparation(Session()), Counting()
    made = [
        preparation.prepare(
            requests.Request("POST", "http://api.test/", params={"a": n}, json=[n], auth=auth)
        )
        for n in (1, 2)
    ]

    assert [each.headers["X-Count"] for each in made] == [
        "1 http://api.test/?a=1 b'[1]'",
        "2 http://api.test/?a=2 b'[2]'",
    ]


@pytest.mark.parametrize("auth", [None, APIKeyAuth(name="k", api_key="v", location="query")])
def test_an_encoded_dot_segment_stays_one(auth: Any) -> None:
    preparation = Preparation(Session())

    for _ in range(2):
        request = requests.Request("GET", "http://a.test/refs/%2E%2E/kids", auth=auth)
        assert "/refs/%2E%2E/kids" in str(preparation.prepare(request).url)


def test_the_headers_of_one_request_are_not_those_of_another_one() -> None:
    preparation = Preparation(Session())
    request = requests.Request("GET", "http://api.test")
    preparation.prepare(request).headers["X-Later"] = "1"

    assert "X-Later" not in preparation.prepare(request).headers


def test_a_session_of_the_user_prepares_each_request() -> None:
    class Own(requests.Session):
        def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
            seen.append(request)
            return super().prepare_request(request)

    seen: list[requests.Request] = []
    preparation = Preparation(Own(), repeats=False)
    for _ in range(2):
        preparation.prepare(requests.Request("GET", "http://api.test"))

    assert len(seen) == 2


def test_a_request_prepared_meanwhile_in_another_thread_changes_nothing() -> None:
    class Interrupting(UserDict[str, str]):
        """Headers during whose copy another thread prepares a request."""

        def __iter__(self) -> Any:
            other = f"http://api.test/parents/{next(numbers)}"
            preparation.prepare(requests.Request("GET", other))
            return super().__iter__()

    preparation, numbers = Preparation(Session()), count(2)
    request = requests.Request("GET", "http://api.test/parents/1", headers=Interrupting(X="1"))

    prepared = preparation.prepare(request)

    assert prepared.url == "http://api.test/parents/1"
    assert prepared.headers["X"] == "1"
