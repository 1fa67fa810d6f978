import json
from collections.abc import Iterator

import pytest

from analytics_assets.config.settings.request import single_attempt
from analytics_assets.contract.errors import ContractError
from analytics_assets.defs.analytics.api import API
from analytics_assets.extract.http.connection import Connection, connect
from analytics_assets.extract.http.errors import ApiError, ResponseError
from analytics_assets.extract.openapi import (
    FetchedDocument,
    fetch_document,
    fetch_if_changed,
)
from analytics_assets_tests.conftest import TODAY
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.sandbox import Sandbox

PATH = "/openapi.json"


@pytest.fixture
def connection(connected: Sandbox) -> Connection:
    return connect(API.config["client"], API.name, single_attempt())


@pytest.fixture
def elsewhere() -> Iterator[Sandbox]:
    """Another host, that is, another port."""
    with Sandbox(today=TODAY) as running:
        yield running


@pytest.mark.parametrize("path", [PATH, "openapi.json", "{base_url}/openapi.json"])
def test_the_document_is_fetched_with_the_token_of_the_api(
    connected: Sandbox, connection: Connection, path: str
) -> None:
    document = fetch_document(connection, path.format(base_url=connected.base_url))

    assert document["info"]["title"] == "Embedded analytics API"
    (request,) = [request for request in connected.requests if request.path == PATH]
    assert request.authorized


def test_another_host_gets_no_token(
    connected: Sandbox, connection: Connection, elsewhere: Sandbox
) -> None:
    assert fetch_document(connection, f"{elsewhere.base_url}{PATH}")["openapi"] == "3.1.0"

    assert [request.authorized for request in elsewhere.requests] == [False]
    assert connected.requests == []


def test_an_auth_of_dlt_signs_the_request(connected: Sandbox) -> None:
    client = {
        "base_url": connected.base_url,
        "auth": {"type": "http_basic", "username": "me", "password": "secret"},
    }
    fetch_document(connect(client, "shop", single_attempt()), PATH)

    assert [request.authorized for request in connected.requests] == [True]


def test_yaml_is_read(connected: Sandbox, connection: Connection) -> None:
    body = "openapi: 3.0.3\npaths:\n  /v1/orders: {}\n"
    connected.faults.add(Fault(path=PATH, body=body, content_type="text/yaml"))

    assert fetch_document(connection, PATH) == {"openapi": "3.0.3", "paths": {"/v1/orders": {}}}


def test_further_files_are_fetched_below_the_document_alone(
    connected: Sandbox, connection: Connection, elsewhere: Sandbox
) -> None:
    references = {
        "file": "schemas/order.json#/Order",
        "gone": "schemas/gone.json",
        "above": "../above.json",
        "root": "/v1/root.json",
        "host": f"{elsewhere.base_url}/openapi.json",
    }
    parts = {name: {"$ref": reference} for name, reference in references.items()}
    body = json.dumps({"openapi": "3.1.0", "paths": {}, "x-parts": parts})
    connected.faults.add(Fault(path="/docs/openapi.json", body=body))
    connected.faults.add(Fault(path="/docs/schemas/order.json", body='{"Order": {}}'))
    connected.faults.add(Fault(path="/docs/schemas/gone.json", status=404))

    document = fetch_document(connection, "/docs/openapi.json")

    assert document["x-files"] == {
        "schemas/order.json": {"Order": {}},
        "schemas/gone.json": "the API answers 404 for schemas/gone.json",
        "../above.json": "../above.json is not below the document's folder",
        "/v1/root.json": "/v1/root.json is not below the document's folder",
    }
    assert document["x-parts"]["file"] == {"$ref": "#/x-files/schemas~1order.json/Order"}
    asked = [request.path for request in connected.requests if "token" not in request.path]
    assert asked == ["/docs/openapi.json", "/docs/schemas/order.json", "/docs/schemas/gone.json"]
    assert elsewhere.requests == []


def test_the_version_of_a_document_is_the_condition_of_the_next_request(
    connected: Sandbox, connection: Connection
) -> None:
    body = json.dumps({"openapi": "3.1.0", "paths": {}})
    connected.faults.add(Fault(path=PATH, body=body, headers={"ETag": '"1"'}))
    connected.faults.add(Fault(path=PATH, status=304))

    first = fetch_if_changed(connection, PATH, {})
    again = fetch_if_changed(connection, PATH, first.conditions)

    assert first == FetchedDocument({"openapi": "3.1.0", "paths": {}}, {"If-None-Match": '"1"'})
    assert again == FetchedDocument(None, first.conditions)
    asked = [request for request in connected.requests if request.path == PATH]
    assert [request.headers.get("if-none-match") for request in asked] == [None, '"1"']


def test_a_document_of_several_files_has_no_version(
    connected: Sandbox, connection: Connection
) -> None:
    body = json.dumps({"openapi": "3.1.0", "x-part": {"$ref": "part.json"}})
    connected.faults.add(Fault(path=PATH, body=body, headers={"ETag": '"1"'}))
    connected.faults.add(Fault(path="/part.json", body="{}"))

    assert fetch_if_changed(connection, PATH, {}).conditions == {}


def test_an_error_status_is_reported_with_the_request_and_a_hint(
    connected: Sandbox, connection: Connection
) -> None:
    connected.faults.add(Fault(path="/v1/openapi.yaml", status=404, body="gone"))
    with pytest.raises(ResponseError) as refusal:
        fetch_document(connection, "/v1/openapi.yaml")

    message = str(refusal.value)
    assert message.startswith(f"GET {connected.base_url}/v1/openapi.yaml: the API answered 404")
    assert ": gone. Set `openapi_path` of the API" in message


@pytest.mark.parametrize("body", ["<html>Sign in</html>", json.dumps({"swagger": "1.2"})])
def test_a_response_that_is_no_document_is_reported_with_the_request_and_a_hint(
    connected: Sandbox, connection: Connection, body: str
) -> None:
    connected.faults.add(Fault(path=PATH, body=body))

    with pytest.raises(ContractError) as refusal:
        fetch_document(connection, PATH)

    assert str(refusal.value).startswith(f"The response to GET {connected.base_url}{PATH} is ")
    assert "Set `openapi_path` of the API" in str(refusal.value)


def test_a_missing_response_is_an_api_error(connected: Sandbox, connection: Connection) -> None:
    connected.faults.add(Fault(path=PATH, times=None, drop=True))

    with pytest.raises(ApiError, match=f"GET {connected.base_url}{PATH}: no complete answer"):
        fetch_document(connection, PATH)
