"""An API's OpenAPI document, fetched from the API."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urljoin, urlsplit

import requests

from analytics_assets.config.settings.look_up import endpoint_url
from analytics_assets.contract.errors import ContractError
from analytics_assets.contract.openapi.document import parse_document
from analytics_assets.contract.openapi.files import FILES
from analytics_assets.extract.http.compat import create_auth
from analytics_assets.extract.http.connection import Connection
from analytics_assets.extract.http.errors import ApiError, ResponseError, describe_request, excerpt
from analytics_assets.extract.http.page import Page
from analytics_assets.extract.http.single_request import fetch_alone
from analytics_assets.extract.http.transport.body import BodyLimit
from analytics_assets.extract.http.transport.origin import Origin
from analytics_assets.redaction.configuration import learn_secrets

HINT = (
    "Set `openapi_path` of the API to the path of its OpenAPI document, or put the document into "
    "the file that `openapi` names; with `openapi=None` in `api.py` there is no contract"
)


NOT_SERVED = (requests.codes.not_found, requests.codes.gone)
DOCUMENT_LIMIT = BodyLimit(64 * 1024 * 1024, "the limit of a document")
CONDITIONS = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}


class DocumentNotServedError(ResponseError):
    """The API serves no document at the path."""


@dataclass(frozen=True)
class FetchedDocument:
    """The answer to a request for a document.

    Args:
        document: the document; None if it is unchanged.
        conditions: headers for the next request, by which the API answers that it is unchanged;
            empty if the API names no version of the document.
    """

    document: dict[str, Any] | None
    conditions: Mapping[str, str]


def fetch_document(connection: Connection, openapi_path: str, hint: str = HINT) -> dict[str, Any]:
    """Fetch an API's OpenAPI document; see `fetch_if_changed`."""
    fetched = fetch_if_changed(connection, openapi_path, {}, hint)
    assert fetched.document is not None, "a request without a condition has a document"
    return fetched.document


def fetch_if_changed(
    connection: Connection, openapi_path: str, conditions: Mapping[str, str], hint: str = HINT
) -> FetchedDocument:
    """Fetch an API's OpenAPI document, and the files below it that it refers to.

    Only a request to an origin of the API carries its token and headers.

    Args:
        connection: sends the requests.
        openapi_path: the path below the base URL, or a whole URL.
        conditions: those of an earlier answer; empty to fetch the document in any case.
        hint: the remedy in errors.

    Returns:
        The document, its further files bundled into it.

    Raises:
        DocumentNotServedError: the answer is 404, 410 or a web page.
        ApiError: the request failed.
        ContractError: the response is no document that can be read.
    """
    url = endpoint_url(str(connection.client["base_url"]), openapi_path)
    page = _get(connection, url, conditions)
    where = describe_request(page.request)
    if conditions and page.status == requests.codes.not_modified:
        return FetchedDocument(None, conditions)
    response = page.as_response()
    if page.status >= requests.codes.bad_request:
        status = f"{page.status} {page.reason}".rstrip()
        body = excerpt(response).rstrip(".")
        error_class = DocumentNotServedError if page.status in NOT_SERVED else ResponseError
        raise error_class(f"{where}: the API answered {status}{body}. {hint}.", response=response)
    if page.headers.get("Content-Type", "").lower().startswith("text/html"):
        raise DocumentNotServedError(
            f"{where}: the answer is a web page. {hint}.", response=response
        )
    try:
        document = parse_document(
            page.content,
            f"The response to {where}",
            name=unquote(urlsplit(page.url).path.rpartition("/")[2]),
            read=lambda name: _file(connection, page.url, name),
        )
    except ContractError as error:
        raise ContractError(f"{error} {hint}.") from error
    return FetchedDocument(document, _conditions(page, document))


def _conditions(page: Page, document: Mapping[str, Any]) -> dict[str, str]:
    if FILES in document:  # the version of the document is not that of its further files
        return {}
    headers = page.headers
    return {request: headers[answer] for answer, request in CONDITIONS.items() if answer in headers}


def _file(connection: Connection, document_url: str, name: str) -> bytes:
    """Fetch a further file of a document, by its path below that."""
    try:
        page = _get(connection, urljoin(document_url, quote(name)))
    except ApiError as error:
        raise ContractError(f"{name} cannot be fetched: {error}") from error
    if page.status >= requests.codes.bad_request:
        raise ContractError(f"the API answers {page.status} for {name}")
    return page.content


def _get(connection: Connection, url: str, conditions: Mapping[str, str] | None = None) -> Page:
    request = requests.Request("GET", url, headers=dict(conditions or {}))
    try:
        is_own = Origin.of(url) in connection.origins.own
    except ValueError as error:
        raise ApiError(f"`openapi_path` cannot be used: {error}.") from None
    if not is_own:
        settings, origins = connection.pool.settings, connection.origins.including(url)
        return fetch_alone(request, settings, "openapi_path", DOCUMENT_LIMIT, origins)
    request.auth = create_auth(connection.client.get("auth"))
    learn_secrets(request.auth, "auth")  # dlt may have looked them up
    request.headers = {**(connection.client.get("headers") or {}), **request.headers}
    return connection.fetch(request, DOCUMENT_LIMIT)
