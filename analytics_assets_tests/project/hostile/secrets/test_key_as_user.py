"""Keys that an API takes as the user name of HTTP Basic, without a password."""

from base64 import b64encode
from typing import Any
from uuid import uuid4

import pytest
import requests
from dlt.sources.helpers.rest_client.auth import HttpBasicAuth

from analytics_assets.extract.source import rest_api_source
from analytics_assets.redaction.redactor import Redactor
from analytics_assets_tests.support.paged_server import Answer, drain, orders, serving


def by_session(user: str, password: str) -> dict[str, Any]:
    session = requests.Session()
    session.auth = (user, password)
    return {"session": session}


@pytest.mark.parametrize("password", ["", "X"])
@pytest.mark.parametrize(
    "client",
    [
        pytest.param(
            lambda user, password: {
                "auth": {"type": "http_basic", "username": user, "password": password}
            },
            id="in a dictionary",
        ),
        pytest.param(lambda *pair: {"auth": HttpBasicAuth(*pair)}, id="in an object"),
        pytest.param(by_session, id="in a session"),
    ],
)
def test_a_user_name_without_a_password_is_a_key(client: Any, password: str) -> None:
    key = f"sk_live_{uuid4().hex}"
    sent = b64encode(f"{key}:{password}".encode()).decode()
    refusal = Answer(f"no such key: {key}, of {sent}".encode(), 403)
    with serving(lambda _sent: refusal) as server:
        config: Any = {
            "client": {"base_url": server.base_url, **client(key, password)},
            "resources": [orders(paginator="single_page")],
        }
        error = drain(rest_api_source(config, "shop").resources["orders"]).error

    assert server.requests[0].headers["authorization"] == f"Basic {sent}"
    assert "no such key: ***" in error
    assert key not in error
    assert sent[:12] not in error


@pytest.mark.parametrize("password", ["", ":", ":X"])
def test_a_user_name_of_a_url_without_a_password_is_a_key(password: str) -> None:
    redact = Redactor()
    redact.add_url(f"https://sk_live_51Hx{password}@api.test")

    assert redact("no such key: sk_live_51Hx") == "no such key: ***"
