"""Reads of one resource of the embedded API, without a load, and a clock for tests."""

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from analytics_assets.config.errors import find_cause
from analytics_assets.extract.http.connection import Connection
from analytics_assets.extract.http.errors import ApiError
from analytics_assets.extract.source import rest_api_source
from analytics_assets.sandbox import sandbox_rows
from analytics_assets_tests.conftest import TODAY
from analytics_assets_tests.support.sandbox import Sandbox
from analytics_assets_tests.support.token_server import chain, statuses

PATH = "/v1/website_overview"
ROWS = sandbox_rows("website_overview", TODAY)


def client_of(api: Sandbox) -> dict[str, Any]:
    """The `client` of a configuration for the API."""
    auth = {
        "type": "oauth2",
        "token_url": api.token_url,
        "client_id": api.client_id,
        "client_secret": api.client_secret,
    }
    return {"base_url": api.base_url, "auth": auth}


def read(
    client: dict[str, Any],
    connection: Connection | None = None,
    path: str = PATH,
    **params: Any,
) -> list[dict[str, Any]]:
    """Read all rows."""
    endpoint = {
        "path": path,
        "data_selector": "data",
        "params": params,
        "paginator": "single_page",
    }
    config = {"client": client, "resources": [{"name": "overview", "endpoint": endpoint}]}
    return list(rest_api_source(config, "shop", connection).resources["overview"])


def failed_read(client: dict[str, Any], path: str = PATH, **params: Any) -> ApiError:
    """Read in vain; the error has neither the client's secret nor a parameter in it."""
    with pytest.raises(Exception, match="overview") as failure:
        read(client, path=path, **params)
    error = find_cause(failure.value, ApiError)
    assert isinstance(error, ApiError)
    for secret in (*params.values(), client.get("auth", {}).get("client_secret", "sandbox-secret")):
        assert secret not in chain(failure.value)
    return error


class FakeClock:
    """Seconds that pass by sleeping alone."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture(scope="package")
def shared_api() -> Iterator[Sandbox]:
    with Sandbox(today=TODAY, client_id=secrets.token_hex(8)) as running:
        yield running


@pytest.fixture
def api(shared_api: Sandbox) -> Iterator[Sandbox]:
    """The embedded API that the tests of this folder share, without faults before and after."""
    yield shared_api
    shared_api.faults.clear()


@pytest.fixture
def answered(api: Sandbox) -> Callable[[], list[int | None]]:
    """Returns the statuses of the test's own requests so far."""
    before = len(statuses(api, PATH))
    return lambda: statuses(api, PATH)[before:]
