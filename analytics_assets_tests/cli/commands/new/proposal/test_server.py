"""The base URL of an API, by the servers of its document."""

from typing import Any

import pytest

from analytics_assets.cli.commands.new.proposal.server import base_url_of

URL = "https://docs.example.com/v2/openapi.json"


@pytest.mark.parametrize(
    ("document", "url", "base_url"),
    [
        ({"servers": [{"url": "https://api.example.com/v1/"}]}, None, "https://api.example.com/v1"),
        ({"servers": [{"url": "/v1"}]}, URL, "https://docs.example.com/v1"),
        ({"servers": [{"url": "/v1"}]}, None, None),
        ({}, URL, "https://docs.example.com"),
        ({}, None, None),
        ({"servers": [{"url": "http://localhost:8000"}]}, None, None),
        ({"servers": [{"url": "ftp://example.com"}]}, None, None),
        ({"servers": [{"url": "https://[broken"}]}, None, None),
        ({"servers": [{"url": "https://{tenant}.example.com"}]}, None, None),
        (
            {"swagger": "2.0", "host": "a.example.com", "basePath": "/v1", "schemes": ["http"]},
            None,
            "http://a.example.com/v1",
        ),
        ({"swagger": "2.0", "host": "a.example.com"}, None, "https://a.example.com"),
        ({"swagger": "2.0", "basePath": "/v1"}, URL, "https://docs.example.com/v1"),
    ],
)
def test_the_base_url_is_that_of_the_first_usable_server(
    document: dict[str, Any], url: str | None, base_url: str | None
) -> None:
    assert base_url_of(document, url).value == base_url


def test_other_servers_and_defaults_of_variables_are_to_be_checked() -> None:
    servers = [
        {"url": "https://{region}.example.com", "variables": {"region": {"default": "eu"}}},
        {"url": "https://us.example.com"},
    ]
    found = base_url_of({"servers": servers}, None)

    assert found.value == "https://eu.example.com"
    assert found.check == (
        "parts of it are the document's defaults; the document has other servers, too: "
        "https://us.example.com"
    )


def test_credentials_in_a_server_are_not_taken_over() -> None:
    document = {"servers": [{"url": "https://user:word@api.example.com"}]}

    assert base_url_of(document, None).value == "https://api.example.com"
