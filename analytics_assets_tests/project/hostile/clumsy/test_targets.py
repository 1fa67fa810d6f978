"""Links and redirects to what is no URL of HTTP, over each way of requests."""

from typing import Any

import pytest

from analytics_assets.extract.http.errors import ApiError
from analytics_assets_tests.project.hostile.origins.two_origins import two_origins
from analytics_assets_tests.support.http.exchange import Answer, Request
from analytics_assets_tests.support.http.fetching import WAYS, connected, page_of
from analytics_assets_tests.support.http.server import Server
from analytics_assets_tests.support.paged_server import rows

pytestmark = pytest.mark.parametrize("way", WAYS)

NO_URLS = [
    pytest.param("file:///etc/passwd", id="a file of this machine"),
    pytest.param("ftp://files.test/orders", id="a URL of FTP"),
    pytest.param("gopher://files.test/orders", id="a URL of Gopher"),
    pytest.param("javascript:alert(1)", id="a URL of JavaScript"),
    pytest.param("data:application/json,[]", id="a URL with its own data"),
    pytest.param("mailto:me@api.test", id="a URL of mail"),
    pytest.param("http://[::1/orders", id="an IPv6 address without its end"),
    pytest.param("http://[::g]/orders", id="an IPv6 address with a wrong digit"),
    pytest.param("http:///orders", id="a URL without a host"),
    pytest.param("http://:80/orders", id="a URL with a port alone"),
    pytest.param("http://api.test:99999/orders", id="a port beyond 65,535"),
    pytest.param("http://api.test:port/orders", id="a port that is a word"),
    pytest.param("http://api.test\u2044orders/", id="a host with a slash of another kind"),
    pytest.param("http://" + "a" * 300 + ".test/", id="a host of 300 characters"),
    pytest.param("httpx://api.test/orders", id="a scheme that begins like HTTP"),
]


@pytest.mark.parametrize("target", NO_URLS)
def test_a_link_to_it_is_an_error_that_says_so(target: str, way: str) -> None:
    def answer(_request: Request) -> Answer:
        return Answer({"data": rows(1, 2), "next": target})

    with two_origins(answer) as servers:
        attempt = servers.read(way, paginator={"type": "json_link", "next_url_path": "next"})

    assert attempt.rows == []
    wrong = "cannot be requested"
    assert wrong in attempt.error or "is another origin than" in attempt.error
    assert len(servers.api.requests) == 1


@pytest.mark.parametrize("target", NO_URLS)
def test_a_redirect_to_it_is_an_error_that_says_so(target: str, way: str) -> None:
    location = {"Location": target.encode().decode("latin-1")}
    with Server(lambda _request: Answer(b"[]", 302, location)) as server:
        with pytest.raises(ApiError) as error:
            page_of(connected(server.base_url, way, max_attempts=2))

        # without a host it leads back, as in a browser
        assert len(server.requests) == (31 if target == "http:///orders" else 1)
    assert f"GET {server.base_url}/orders: " in str(error.value)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="a redirect without Location"),
        pytest.param({"Location": ""}, id="a redirect with an empty Location"),
    ],
)
def test_a_redirect_to_nowhere_is_an_error_and_no_page(
    headers: dict[str, str], status: int, way: str
) -> None:
    with Server(lambda _request: Answer({"data": rows(1)}, status, headers)) as server:
        with pytest.raises(ApiError, match=f"answered {status}, a redirect, without a `Location`"):
            page_of(connected(server.base_url, way))

        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "link",
    [
        pytest.param(5, id="a number"),
        pytest.param(True, id="a flag"),
        pytest.param({"href": "/orders?page=2"}, id="an object"),
        pytest.param(["/orders?page=2"], id="a list"),
    ],
)
def test_a_link_that_is_no_text_is_an_error_that_names_its_type(link: Any, way: str) -> None:
    def answer(request: Request) -> Answer:
        return Answer({"data": rows(1, 2), "next": link})

    with two_origins(answer) as servers:
        attempt = servers.read(way, paginator={"type": "json_link", "next_url_path": "next"})

    assert attempt.rows == []
    assert f"`next`, is no text but a value of type {type(link).__name__}" in attempt.error
