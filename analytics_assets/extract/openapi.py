"""An API's OpenAPI document, fetched from the API."""

from typing import Any
from urllib.parse import quote, unquote, urljoin, urlsplit

import requests

from analytics_assets.config.settings import endpoint_url
from analytics_assets.contract.errors import ContractError
from analytics_assets.contract.openapi.document import parse_document, parse_file
from analytics_assets.extract.http.compat import create_auth
from analytics_assets.extract.http.connection import Connection
from analytics_assets.extract.http.errors import ApiError, ResponseError, describe_request, excerpt

HINT = (
    "Set `openapi_path` of the API to the path of its OpenAPI document, or put the document into "
    "the file that `openapi` names; with `openapi=None` in `api.py` there is no contract"
)


def fetch_document(connection: Connection, openapi_path: str) -> dict[str, Any]:
    """Fetch an API's OpenAPI document, and the files below it that it refers to.

    Only a request to the host of the API carries its token and headers.

    Args:
        connection: sends the requests.
        openapi_path: the path below the base URL, or a whole URL.

    Returns:
        The document, its further files bundled into it.

    Raises:
        ApiError: the request failed.
        ContractError: the response is no document that can be read.
    """
    url = endpoint_url(str(connection.client["base_url"]), openapi_path)
    response = _get(connection, url)
    where = describe_request(response.request, connection.redact)
    if response.status_code >= requests.codes.bad_request:
        status = f"{response.status_code} {response.reason or ''}".rstrip()
        body = excerpt(response, connection.redact).rstrip(".")
        raise ResponseError(f"{where}: the API answered {status}{body}. {HINT}.", response=response)
    try:
        return parse_document(
            response.content,
            f"The response to {where}",
            name=unquote(urlsplit(response.url).path.rpartition("/")[2]),
            read=lambda name: _file(connection, response.url, name),
        )
    except ContractError as error:
        raise ContractError(f"{error} {HINT}.") from error


def _file(connection: Connection, document_url: str, name: str) -> Any:
    """Fetch a further file of a document, by its path below that."""
    try:
        response = _get(connection, urljoin(document_url, quote(name)))
    except ApiError as error:
        raise ContractError(f"{name} cannot be fetched: {error}") from error
    if response.status_code >= requests.codes.bad_request:
        raise ContractError(f"the API answers {response.status_code} for {name}")
    return parse_file(response.content, name)


def _get(connection: Connection, url: str) -> requests.Response:
    if _origin(url) != _origin(str(connection.client["base_url"])):
        return connection.session.get(url)
    auth, headers = create_auth(connection.client.get("auth")), connection.client.get("headers")
    return connection.session.get(url, auth=auth, headers=headers or {})


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme.lower(), parts.netloc.rpartition("@")[2].lower()
