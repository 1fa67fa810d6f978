"""Redirects to another origin, over each way of requests."""

from typing import Any

import pytest

from analytics_assets_tests.project.hostile.origins.two_origins import AUTHS, MARK, two_origins
from analytics_assets_tests.support.http.exchange import Answer, Request
from analytics_assets_tests.support.http.fetching import WAYS
from analytics_assets_tests.support.paged_server import rows

pytestmark = pytest.mark.parametrize("way", WAYS)


def moved(status: int = 302, location: str = "OTHER/orders") -> Any:
    return lambda _request: Answer(b"", status, {"Location": location})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "endpoint",
    [
        pytest.param({}, id="a GET request is redirected to another origin"),
        pytest.param(
            {"method": "POST", "json": {"key": f"{MARK}-body"}},
            id="a POST request with a key in its body is redirected to another origin",
        ),
        pytest.param(
            {"params": {"key": f"{MARK}-parameter"}},
            id="a request with a key in its parameters is redirected to another origin",
        ),
    ],
)
def test_a_redirect_is_refused(way: str, status: int, endpoint: dict[str, Any]) -> None:
    with two_origins(moved(status)) as servers:
        attempt = servers.read(way, paginator="single_page", **endpoint)

    assert servers.is_refused
    assert servers.names_of_both_are_in(attempt.error)
    assert "the API redirects to" in attempt.error


@pytest.mark.parametrize("auth", AUTHS)
def test_no_kind_of_auth_leaves_its_origin_by_a_redirect(way: str, auth: str) -> None:
    with two_origins(moved()) as servers:
        servers.client["auth"] = dict(AUTHS[auth])
        attempt = servers.read(way, paginator="single_page")

    assert servers.is_refused
    assert servers.names_of_both_are_in(attempt.error)


def test_a_redirect_of_a_later_page_is_refused_and_no_row_is_loaded(way: str) -> None:
    def answer(request: Request) -> Answer:
        if "page" in request.query:
            return Answer(b"", 302, {"Location": "OTHER/orders"})
        return Answer({"data": rows(1, 2), "next": "/orders?page=2"})

    with two_origins(answer) as servers:
        link = {"type": "json_link", "next_url_path": "next"}
        attempt = servers.read(way, paginator=link)

    assert servers.is_refused
    assert servers.names_of_both_are_in(attempt.error)
    assert attempt.rows == []


@pytest.mark.parametrize(
    "location",
    [
        pytest.param("//{other}/orders", id="a redirect without a scheme"),
        pytest.param("http://{api}@{other}/orders", id="a redirect with the API as user name"),
        pytest.param("http://{other}\\@{api}/orders", id="a redirect with a backslash"),
        pytest.param("http:\\\\{other}/orders", id="a redirect with backslashes"),
        pytest.param("/\\{other}/orders", id="a redirect to a path with a backslash"),
        pytest.param("/../..//{other}/orders", id="a redirect to a path that climbs"),
        pytest.param("http://{other}#@{api}/orders", id="a redirect with the API in its fragment"),
    ],
)
def test_a_redirect_that_looks_like_one_of_the_api_sends_nothing_elsewhere(
    way: str, location: str
) -> None:
    with two_origins(moved()) as servers:
        names = {"api": servers.api.base_url[7:], "other": servers.other.base_url[7:]}
        answer = moved(location=location.format(**names))
        servers.api.answers = lambda asked: answer(asked) if asked.path == "/orders" else Answer([])
        servers.read(way, paginator="single_page")

    assert servers.is_refused


def test_an_origin_that_reflects_the_token_in_its_name_does_not_get_it_into_the_error(
    way: str,
) -> None:
    with two_origins(moved(location=f"http://{MARK}-token.test/")) as servers:
        attempt = servers.read(way, paginator="single_page")

    assert "to http://***.test, which is another origin" in attempt.error


def test_a_redirect_within_the_api_keeps_all_credentials(way: str) -> None:
    def answer(request: Request) -> Answer:
        if request.path == "/orders":
            return Answer(b"", 307, {"Location": "/new?a=1"})
        return Answer({"data": rows(1)})

    with two_origins(answer) as servers:
        attempt = servers.read(way, paginator="single_page")

    assert attempt.numbers == [1]
    sent = servers.api.requests[-1].headers
    assert sent["authorization"] == f"Bearer {MARK}-token"
    assert sent["x-client"] == f"{MARK}-client-header"
    assert sent["x-endpoint"] == f"{MARK}-endpoint"
