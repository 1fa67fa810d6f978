"""The ASGI application: the resources, the token endpoint and the OpenAPI document."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from analytics_assets.sandbox.oauth import TokenEndpoint
from analytics_assets.sandbox.openapi import openapi_document
from analytics_assets.sandbox.rows import RESOURCES, Row
from analytics_assets.sandbox.selection import read_selection

TOKEN_PATH = "/oauth/token"  # noqa: S105 - a path, not a token


class AnalyticsApi:
    """The handlers of the API's paths.

    Args:
        rows: Returns the rows of a resource; raises KeyError if there is no such resource.
        tokens: The token endpoint.
        page_cap: The most rows that a page may have.
    """

    def __init__(
        self, *, rows: Callable[[str], Sequence[Row]], tokens: TokenEndpoint, page_cap: int
    ) -> None:
        self._rows = rows
        self._tokens = tokens
        self._page_cap = page_cap

    def application(self) -> Starlette:
        """Assemble the paths.

        Returns:
            The ASGI application.
        """
        return Starlette(
            routes=[
                Route("/", self._index),
                Route("/openapi.json", self._openapi),
                Route(TOKEN_PATH, self._token, methods=["POST"]),
                Route("/v1/{resource}", self._resource),
            ],
            exception_handlers={HTTPException: _http_error},
        )

    async def _index(self, request: Request) -> Response:
        base_url = _base_url(request)
        return _json(
            {
                "name": "Embedded analytics API",
                "about": "A small analytics REST API that runs inside this process.",
                "data": {
                    "page_views": "real Wikipedia page views of 2015 and 2016, dates moved forward",
                    "everything_else": "derived from the real page views by formula",
                },
                "links": {
                    "openapi": f"{base_url}/openapi.json",
                    "token": f"{base_url}{TOKEN_PATH}",
                    "resources": {name: f"{base_url}/v1/{name}" for name in RESOURCES},
                },
            }
        )

    async def _openapi(self, request: Request) -> Response:
        return _json(openapi_document(_base_url(request), TOKEN_PATH, self._page_cap))

    async def _token(self, request: Request) -> Response:
        reply = self._tokens.answer(
            content_type=request.headers.get("content-type", ""),
            body=await request.body(),
            authorization=request.headers.get("authorization"),
            token_url=f"{_base_url(request)}{TOKEN_PATH}",
        )
        no_store = {"Cache-Control": "no-store", "Pragma": "no-cache"}
        return _json(reply.body, reply.status, no_store | reply.headers)

    async def _resource(self, request: Request) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return _error(
                401, "unauthorized", "A bearer token is needed.", {"WWW-Authenticate": "Bearer"}
            )
        if not self._tokens.accepts(token.strip()):
            challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            return _error(401, "invalid_token", "The access token is invalid.", challenge)
        resource = request.path_params["resource"]
        try:
            rows = self._rows(resource)
        except KeyError:
            raise HTTPException(404, f"There is no resource {resource!r}.") from None
        try:
            selection = read_selection(request.query_params, self._page_cap)
        except ValueError as error:
            return _error(400, "invalid_parameter", str(error))
        data, total = selection.page(rows)
        return _json({"data": data, "total": total})


def _base_url(request: Request) -> str:
    return str(request.base_url).rstrip("/")


def _json(
    content: dict[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    return Response(msgspec.json.encode(content), status, headers, "application/json")


def _error(
    status: int, code: str, message: str, headers: Mapping[str, str] | None = None
) -> Response:
    return _json({"error": {"code": code, "message": message}}, status, headers)


async def _http_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    codes = {404: "not_found", 405: "method_not_allowed"}
    code = codes.get(error.status_code, "error")
    return _error(error.status_code, code, error.detail, error.headers)
