"""Requests as sentences show them."""

from typing import Any

import pytest
import requests

from analytics_assets.extract.sampling.request_text import difference, request_text
from analytics_assets.redaction.redactor import redact

URL = "https://shop.example.com/orders"


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        ({"params": {"offset": 0, "limit": 2}}, {"params": {"offset": 2, "limit": 2}}, "offset=2"),
        ({"params": {}}, {"params": {"cursor": "a b"}}, "cursor=a b"),
        (
            {"json": {"page": {"offset": 0}}},
            {"json": {"page": {"offset": 9}}},
            "json.page.offset=9",
        ),
        ({"json": {"by": [{"to": 1}]}}, {"json": {"by": [{"to": 2}]}}, "json.by[0].to=2"),
        ({"data": {"page": "1"}}, {"data": {"page": "2"}}, "data.page=2"),
        ({"headers": {"X-At": "1"}}, {"headers": {"X-At": "2"}}, "headers.X-At=2"),
        ({}, {"url": f"{URL}/next"}, f"URL={URL}/next"),
        ({"params": {"page": 1}}, {"params": {"page": 1}}, ""),
    ],
)
def test_what_differs_between_two_requests_is_named_by_its_place(
    before: Any, after: Any, changed: str
) -> None:
    first, second = (requests.Request("GET", **{"url": URL, **each}) for each in (before, after))
    assert difference(first, second) == changed


def test_a_request_is_shown_with_its_body_and_without_a_secret() -> None:
    redact.add("s3cret-marker-1")
    request = requests.Request("POST", f"{URL}?key=s3cret-marker-1", json={"report": "x"})
    text = request_text(request)
    assert text.startswith(f"POST {URL}?key=")
    assert text.endswith('{"report": "x"}')
    assert "s3cret-marker-1" not in text
