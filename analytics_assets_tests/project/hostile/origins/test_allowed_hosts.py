"""Other origins that `allowed_hosts` admits, with credentials and without."""

from collections.abc import Callable
from typing import Any

import pytest

from analytics_assets_tests.project.hostile.origins.test_links import (
    JSON_LINK,
    PARENT,
    by_header,
    by_row,
    linking,
)
from analytics_assets_tests.project.hostile.origins.two_origins import (
    AUTHS,
    COOKIE,
    TwoOrigins,
    secrets_in,
    two_origins,
)
from analytics_assets_tests.support.http.exchange import Answer, Request
from analytics_assets_tests.support.http.fetching import WAYS
from analytics_assets_tests.support.paged_server import rows


def moving(status: int = 302) -> Callable[[Request], Answer]:
    return lambda _request: Answer(b"", status, {"Location": "OTHER/orders"})


LEADING: Any = [
    pytest.param(linking(), {"paginator": JSON_LINK}, [1, 2, 3], id="by a link in the body"),
    pytest.param(by_header, {"paginator": "header_link"}, [1, 2, 3], id="by the header Link"),
    pytest.param(
        by_row,
        {"path": "{resources.shops.link}", "paginator": "single_page"},
        [3],
        id="by a link in the row of a parent",
    ),
    pytest.param(moving(), {"paginator": "single_page"}, [3], id="by a redirect"),
    pytest.param(moving(307), {"paginator": "single_page"}, [3], id="by a redirect with 307"),
]


def allow(servers: TwoOrigins, credentials: str | None) -> None:
    host = servers.other.base_url.removeprefix("http://")
    servers.client["allowed_hosts"] = {host: credentials} if credentials else [host]


def parents(endpoint: dict[str, Any]) -> list[dict[str, Any]]:
    return [PARENT] if "shops" in str(endpoint.get("path")) else []


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("credentials", ["without_credentials", None])
@pytest.mark.parametrize(("answers", "endpoint", "numbers"), LEADING)
def test_a_host_that_is_admitted_without_credentials_gets_none(
    way: str,
    credentials: str | None,
    answers: Callable[[Request], Answer],
    endpoint: dict[str, Any],
    numbers: list[int],
) -> None:
    with two_origins(answers) as servers:
        allow(servers, credentials)
        attempt = servers.read(way, *parents(endpoint), **endpoint)

    assert (attempt.error, attempt.numbers) == ("", numbers)
    assert len(servers.other.requests) == 1
    assert [secrets_in(each) for each in servers.other.requests] == [[]]
    assert "cookie" not in servers.other.requests[0].headers


@pytest.mark.parametrize("way", WAYS)
def test_a_host_without_credentials_sets_no_cookie_for_the_api(way: str) -> None:
    def answer(request: Request) -> Answer:
        if request.query.get("page") == "3":
            return Answer({"data": rows(4)})
        return linking()(request)

    with two_origins(answer) as servers:
        body = {"data": rows(3), "next": f"{servers.api.base_url}/orders?page=3"}
        cookie = {"Set-Cookie": "other=1; Path=/"}
        servers.other.answers = lambda _request: Answer(body, headers=cookie)
        allow(servers, "without_credentials")
        attempt = servers.read(way, paginator=JSON_LINK)

    assert attempt.numbers == [1, 2, 3, 4]
    assert secrets_in(servers.api.requests[1])
    assert servers.api.requests[1].headers["cookie"] == COOKIE["Set-Cookie"].partition(";")[0]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("answers", "endpoint", "numbers"), LEADING)
def test_a_host_that_is_admitted_with_credentials_gets_them(
    way: str,
    answers: Callable[[Request], Answer],
    endpoint: dict[str, Any],
    numbers: list[int],
) -> None:
    with two_origins(answers) as servers:
        allow(servers, "with_credentials")
        attempt = servers.read(way, *parents(endpoint), **endpoint)

    assert (attempt.error, attempt.numbers) == ("", numbers)
    found = secrets_in(servers.other.requests[0])
    assert {"authorization", "x-client", "x-endpoint"} <= set(found)


@pytest.mark.parametrize("auth", AUTHS)
def test_no_kind_of_auth_is_sent_to_a_host_without_credentials(auth: str) -> None:
    with two_origins(linking()) as servers:
        servers.client["auth"] = dict(AUTHS[auth])
        allow(servers, "without_credentials")
        attempt = servers.read(paginator=JSON_LINK)

    assert attempt.numbers == [1, 2, 3]
    assert [secrets_in(each) for each in servers.other.requests] == [[]]
    assert all(secrets_in(each) for each in servers.api.requests)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("answers", "endpoint"),
    [
        pytest.param(
            linking(),
            {"paginator": JSON_LINK, "method": "POST", "json": {"a": 1}},
            id="a POST request is sent to a host without credentials by a link",
        ),
        pytest.param(
            moving(307),
            {"paginator": "single_page", "method": "POST", "json": {"a": 1}},
            id="a POST request is sent to a host without credentials by a redirect",
        ),
        pytest.param(
            by_row,
            {"path": "{resources.shops.link}", "params": {"a": "1"}, "paginator": "single_page"},
            id="parameters of an entry are sent to a host without credentials",
        ),
    ],
)
def test_what_may_hold_a_key_is_not_sent_without_credentials(
    way: str, answers: Callable[[Request], Answer], endpoint: dict[str, Any]
) -> None:
    with two_origins(answers) as servers:
        allow(servers, "without_credentials")
        attempt = servers.read(way, *parents(endpoint), **endpoint)

    assert servers.is_refused
    assert "has parameters or a body, which may hold some" in attempt.error
    assert '"with_credentials"' in attempt.error


@pytest.mark.parametrize("way", WAYS)
def test_a_host_that_is_admitted_without_credentials_admits_no_other_one(way: str) -> None:
    with two_origins(
        moving(), lambda _: Answer(b"", 302, {"Location": "http://a.test/"})
    ) as servers:
        allow(servers, "without_credentials")
        attempt = servers.read(way, paginator="single_page")

    assert "to http://a.test, which is another origin" in attempt.error


@pytest.mark.parametrize("way", WAYS)
def test_a_path_of_an_entry_names_an_origin_that_gets_credentials(way: str) -> None:
    with two_origins(lambda _: Answer({}), linking("/orders?page=2", **COOKIE)) as servers:
        attempt = servers.read(way, path=f"{servers.other.base_url}/orders", paginator=JSON_LINK)

    assert attempt.numbers == [1, 2, 3]
    assert servers.api.requests == []
    assert all("authorization" in secrets_in(each) for each in servers.other.requests)
    assert "cookie" in servers.other.requests[1].headers


def test_the_path_of_one_entry_admits_no_link_of_another_one() -> None:
    with two_origins(linking()) as servers:
        shops = {"name": "shops", "endpoint": {"path": f"{servers.other.base_url}/shops"}}
        attempt = servers.read("libcurl", shops, paginator=JSON_LINK)

    assert servers.is_refused
    assert servers.names_of_both_are_in(attempt.error)


def test_a_host_that_rows_of_the_api_fill_in_is_named_by_no_entry() -> None:
    def answer(_request: Request) -> Answer:
        return Answer({"data": [{"id": 1, "host": "evil"}]})

    with two_origins(answer) as servers:
        attempt = servers.read(
            "libcurl",
            PARENT,
            path="http://{resources.shops.host}.test/orders",
            paginator="single_page",
        )

    assert "leads to http://evil.test, which is another origin" in attempt.error
