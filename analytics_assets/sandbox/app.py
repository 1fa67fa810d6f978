"""The API itself: the resources, the token endpoint and its own description."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from analytics_assets.sandbox.faults import Faults, fault_from_json
from analytics_assets.sandbox.interception import FAULTS_PATH
from analytics_assets.sandbox.oauth import TokenEndpoint
from analytics_assets.sandbox.openapi import openapi_document
from analytics_assets.sandbox.rows import RESOURCES, Row, sandbox_rows
from analytics_assets.sandbox.selection import read_selection

TOKEN_PATH = "/oauth/token"  # noqa: S105 - a path, not a token


class AnalyticsApi:
    """The handlers of the API's paths.

    Args:
        base_url: Where the API is reached, without a slash at the end.
        today: Tells the day that the data is as of.
        tokens: The token endpoint.
        faults: The faults that ``/faults`` adds to.
        extra_rows: Rows of further resources, by name.
        page_cap: The most rows that a page may have.
    """

    def __init__(
        self,
        *,
        base_url: str,
        today: Callable[[], date],
        tokens: TokenEndpoint,
        faults: Faults,
        extra_rows: Mapping[str, Sequence[Row]],
        page_cap: int,
    ) -> None:
        self._base_url = base_url
        self._today = today
        self._tokens = tokens
        self._faults = faults
        self._extra_rows = extra_rows
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
                Route(FAULTS_PATH, self._add_fault, methods=["POST"]),
                Route(FAULTS_PATH, self._clear_faults, methods=["DELETE"]),
                Route("/v1/{resource}", self._resource),
            ],
            exception_handlers={HTTPException: _http_error},
        )

    async def _index(self, _request: Request) -> Response:
        resources = (*RESOURCES, *self._extra_rows)
        return _json(
            {
                "name": "Embedded analytics API",
                "about": "A small analytics REST API that runs inside this process.",
                "data": {
                    "page_views": "real Wikipedia page views of 2015 and 2016, dates moved forward",
                    "everything_else": "derived from the real page views by formula",
                },
                "links": {
                    "openapi": f"{self._base_url}/openapi.json",
                    "token": f"{self._base_url}{TOKEN_PATH}",
                    "resources": {name: f"{self._base_url}/v1/{name}" for name in resources},
                },
            }
        )

    async def _openapi(self, _request: Request) -> Response:
        return _json(openapi_document(self._base_url, TOKEN_PATH, self._page_cap))

    async def _token(self, request: Request) -> Response:
        reply = self._tokens.answer(
            content_type=request.headers.get("content-type", ""),
            body=await request.body(),
            authorization=request.headers.get("authorization"),
            token_url=f"{self._base_url}{TOKEN_PATH}",
        )
        no_store = {"Cache-Control": "no-store", "Pragma": "no-cache"}
        return _json(reply.body, reply.status, no_store | reply.headers)

    async def _add_fault(self, request: Request) -> Response:
        try:
            self._faults.add(fault_from_json(orjson.loads(await request.body())))
        except ValueError as error:
            return _error(422, "invalid_fault", str(error))
        return _json({"pending": len(self._faults)}, 201)

    async def _clear_faults(self, _request: Request) -> Response:
        self._faults.clear()
        return Response(status_code=204)

    async def _resource(self, request: Request) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return _error(
                401, "unauthorized", "A bearer token is needed.", {"WWW-Authenticate": "Bearer"}
            )
        if not self._tokens.accepts(token.strip()):
            challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            return _error(401, "invalid_token", "The access token is invalid.", challenge)
        rows = self._rows(request.path_params["resource"])
        try:
            selection = read_selection(request.query_params, self._page_cap)
        except ValueError as error:
            return _error(400, "invalid_parameter", str(error))
        data, total = selection.page(rows)
        return _json({"data": data, "total": total})

    def _rows(self, resource: str) -> Sequence[Row]:
        if resource in self._extra_rows:
            return self._extra_rows[resource]
        if resource not in RESOURCES:
            raise HTTPException(404, f"There is no resource {resource!r}.")
        return sandbox_rows(resource, self._today())


def _json(
    content: dict[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    return Response(orjson.dumps(content), status, headers, "application/json")


def _error(
    status: int, code: str, message: str, headers: Mapping[str, str] | None = None
) -> Response:
    return _json({"error": {"code": code, "message": message}}, status, headers)


async def _http_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    codes = {404: "not_found", 405: "method_not_allowed"}
    code = codes.get(error.status_code, "error")
    return _error(error.status_code, code, error.detail, error.headers)
