"""An API's OpenAPI document, fetched from the API."""

from typing import Any
from urllib.parse import urlsplit

import requests

from analytics_assets.config.settings import endpoint_url
from analytics_assets.contract.errors import ContractError
from analytics_assets.contract.openapi.document import parse_document
from analytics_assets.extract.http.compat import create_auth
from analytics_assets.extract.http.connection import Connection
from analytics_assets.extract.http.errors import ResponseError, describe_request, excerpt

HINT = (
    "Set `openapi_path` of the API to the path of its OpenAPI document, or put the document into "
    "the file that `openapi` names; with `openapi=None` in `api.py` there is no contract"
)


def fetch_document(connection: Connection, openapi_path: str) -> dict[str, Any]:
    """Fetch an API's OpenAPI document.

    Only a request to the host of the API carries its token and headers.

    Args:
        connection: sends the request.
        openapi_path: the path below the base URL, or a whole URL.

    Returns:
        The document.

    Raises:
        ApiError: the request failed.
        ContractError: the response is no OpenAPI 3.0 or 3.1 document.
    """
    base_url = str(connection.client["base_url"])
    url = endpoint_url(base_url, openapi_path)
    session = connection.session
    if _origin(url) == _origin(base_url):
        client = connection.client
        auth = create_auth(client.get("auth"))
        response = session.get(url, auth=auth, headers=client.get("headers") or {})
    else:
        response = session.get(url)
    where = describe_request(response.request, connection.redact)
    if response.status_code >= requests.codes.bad_request:
        status = f"{response.status_code} {response.reason or ''}".rstrip()
        body = excerpt(response, connection.redact).rstrip(".")
        raise ResponseError(f"{where}: the API answered {status}{body}. {HINT}.", response=response)
    try:
        return parse_document(response.content, f"The response to {where}")
    except ContractError as error:
        raise ContractError(f"{error} {HINT}.") from error


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme.lower(), parts.netloc.rpartition("@")[2].lower()
