"""Links of pages and rows to another origin."""

from collections.abc import Callable
from typing import Any

import pytest
import requests
from dlt.sources.helpers.rest_client.paginators import BasePaginator

from analytics_assets_tests.project.hostile.origins.two_origins import (
    AUTHS,
    MARK,
    TwoOrigins,
    two_origins,
)
from analytics_assets_tests.support.http.exchange import Answer, Request
from analytics_assets_tests.support.http.fetching import WAYS
from analytics_assets_tests.support.paged_server import rows


class OwnPaginator(BasePaginator):
    """A paginator of the user's that follows a field of the page."""

    def update_state(self, response: requests.Response, data: list[Any] | None = None) -> None:
        self._link = response.json().get("next")
        self._has_next_page = bool(self._link)

    def update_request(self, request: requests.Request) -> None:
        request.url, request.params = self._link, {}


JSON_LINK = {"type": "json_link", "next_url_path": "next"}
LINK = "OTHER/orders?page=2"


def linking(link: str = LINK, **headers: str) -> Callable[[Request], Answer]:
    """An API whose first page leads to another one."""

    def answer(request: Request) -> Answer:
        if "page" in request.query:
            return Answer({"data": rows(3), "next": None})
        return Answer({"data": rows(1, 2), "next": link}, headers=headers)

    return answer


def by_header(_request: Request) -> Answer:
    return Answer({"data": rows(1, 2)}, headers={"Link": f'<{LINK}>; rel="next"'})


def by_row(request: Request) -> Answer:
    row = {"id": 1, "link": LINK}
    return Answer({"data": [row]})


PARENT = {
    "name": "shops",
    "primary_key": "id",
    "endpoint": {"path": "/shops", "data_selector": "data", "paginator": "single_page"},
}
KINDS = [
    pytest.param(
        linking(), {"paginator": JSON_LINK}, id="a next link in the body leads to another origin"
    ),
    pytest.param(
        linking(),
        {"paginator": JSON_LINK, "method": "POST", "json": {"key": f"{MARK}-body"}},
        id="a next link of a POST request with a key in its body leads to another origin",
    ),
    pytest.param(
        linking(),
        {"paginator": JSON_LINK, "params": {"key": f"{MARK}-parameter"}},
        id="a next link after a page with a key in its parameters leads to another origin",
    ),
    pytest.param(
        by_header, {"paginator": "header_link"}, id="the header Link leads to another origin"
    ),
    pytest.param(linking(), {}, id="a next link that was detected leads to another origin"),
    pytest.param(
        linking(),
        {"paginator": OwnPaginator()},
        id="the URL of a paginator of the user's leads to another origin",
    ),
    pytest.param(
        by_row,
        {"path": "{resources.shops.link}", "paginator": "single_page"},
        id="a link in the row of a parent leads to another origin",
    ),
]


def read(servers: TwoOrigins, way: str, endpoint: dict[str, Any]) -> Any:
    parents = [PARENT] if "shops" in str(endpoint.get("path")) else []
    return servers.read(way, *parents, **endpoint)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("answers", "endpoint"), KINDS)
def test_a_link_is_refused(
    way: str, answers: Callable[[Request], Answer], endpoint: dict[str, Any]
) -> None:
    with two_origins(answers) as servers:
        attempt = read(servers, way, endpoint)

    assert servers.is_refused
    assert attempt.rows == []
    if "{resources" not in str(endpoint.get("path")):
        assert servers.names_of_both_are_in(attempt.error)
    assert "is another origin than" in attempt.error


@pytest.mark.parametrize("auth", AUTHS)
def test_no_kind_of_auth_leaves_its_origin_by_a_link(auth: str) -> None:
    with two_origins(linking()) as servers:
        servers.client["auth"] = dict(AUTHS[auth])
        attempt = servers.read(paginator=JSON_LINK)

    assert servers.is_refused
    assert servers.names_of_both_are_in(attempt.error)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "link",
    [
        pytest.param("//{other}/orders?page=2", id="a link without a scheme"),
        pytest.param("http://{api}@{other}/orders?page=2", id="a link with the API as user name"),
        pytest.param("http://{api}:a@{other}/orders?page=2", id="a link with the API as password"),
        pytest.param("http://a@{api}@{other}/orders?page=2", id="a link with two user names"),
        pytest.param("http:\\\\{other}/orders?page=2", id="a link with backslashes"),
        pytest.param(
            "http://{other}\\@{api}/orders?page=2", id="a link with a backslash and a user"
        ),
        pytest.param(
            "http://{other}#@{api}/orders?page=2", id="a link with the API in its fragment"
        ),
        pytest.param("http://{other}?@{api}/orders?page=2", id="a link with the API in its query"),
        pytest.param(" \thttp://{other}/orders?page=2", id="a link behind white space"),
        pytest.param("HTTP://{other}/orders?page=2", id="a link in upper case"),
        pytest.param("http://{other}%2F@{api}/orders?page=2", id="a link with an encoded slash"),
    ],
)
def test_a_link_that_looks_like_one_of_the_api_sends_nothing_elsewhere(link: str, way: str) -> None:
    with two_origins(linking("LINK")) as servers:
        names = {
            name: each.base_url[7:]
            for name, each in (("api", servers.api), ("other", servers.other))
        }
        servers.api.answers = linking(link.format(**names))
        servers.read(way, paginator=JSON_LINK)

    assert servers.is_refused


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "link",
    [
        pytest.param("//{other}/orders", id="a link of a row without a scheme"),
        pytest.param("/\\{other}/orders", id="a link of a row with a backslash"),
        pytest.param("@{other}/orders", id="a link of a row that makes the API a user name"),
        pytest.param(":80@{other}/orders", id="a link of a row that makes the API a password"),
        pytest.param(".{other}/orders", id="a link of a row that continues the host"),
        pytest.param("HTTP://{other}/orders", id="a link of a row in upper case"),
    ],
)
def test_a_row_that_seems_to_have_a_path_sends_nothing_elsewhere(link: str, way: str) -> None:
    with two_origins(by_row) as servers:
        path = link.format(other=servers.other.base_url[7:])
        servers.api.answers = lambda _request: Answer({"data": [{"id": 1, "link": path}]})
        endpoint = {"path": "{resources.shops.link}", "paginator": "single_page"}
        servers.read(way, PARENT, **endpoint)

    assert servers.is_refused
