"""A page as a response of requests, and back."""

import requests
from requests.structures import CaseInsensitiveDict

from analytics_assets.extract.http.page import Page

REQUEST = requests.Request("GET", "http://localhost/orders").prepare()


def test_a_page_as_a_response_has_all_that_arrived() -> None:
    headers = CaseInsensitiveDict({"Content-Type": "text/plain; charset=latin-1", "X-Total": "3"})
    page = Page(REQUEST, "http://localhost/orders?page=1", 404, headers, "né".encode("latin-1"))
    response = page.as_response()
    assert (response.status_code, response.url) == (404, "http://localhost/orders?page=1")
    assert response.headers["x-total"] == "3"
    assert response.text == "né"
    assert response.request is REQUEST


def test_a_page_of_a_response_is_the_same_page() -> None:
    page = Page(REQUEST, "http://localhost/orders", 200, CaseInsensitiveDict({"a": "b"}), b"[]")
    assert Page.of(page.as_response()) == page


def test_a_decoded_body_is_not_decoded_again() -> None:
    page = Page(REQUEST, "http://localhost/orders", 200, CaseInsensitiveDict(), b'{"id": 1}')
    assert page.as_response().json() == {"id": 1}
    assert page.as_response(None).json() is None
    assert page.as_response({"id": 2}).json() == {"id": 2}
