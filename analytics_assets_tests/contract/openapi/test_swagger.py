"""Swagger 2.0, read by the reader of OpenAPI 3."""

import json
from typing import Any

import pytest

from analytics_assets.contract.column import Column
from analytics_assets.contract.errors import BrokenReferenceError
from analytics_assets.contract.openapi.document import parse_document, stored_text
from analytics_assets.contract.openapi.endpoints import Endpoints
from analytics_assets.contract.openapi.json_schema import columns_of
from analytics_assets.contract.openapi.response_schema import row_schema

DOCUMENT = """
swagger: "2.0"
info: {title: Shop, version: "1"}
host: shop.example.com
basePath: /api/v2/
schemes: [https]
produces: [application/json, application/xml]
securityDefinitions: {key: {type: apiKey, in: header, name: X-Key}}
security: [{key: []}]
paths:
  /orders:
    get:
      parameters: [{name: limit, in: query, type: integer}]
      responses:
        200: {$ref: "#/responses/Orders"}
        default: {description: An error., schema: {$ref: "#/definitions/Error"}}
  /search:
    post:
      consumes: [application/json]
      produces: [application/vnd.shop+json]
      parameters: [{name: body, in: body, schema: {$ref: "#/definitions/Query"}}]
      responses: {200: {schema: {type: array, items: {$ref: "#/definitions/Order"}}}}
  /export:
    get:
      produces: [text/csv]
      responses: {200: {schema: {type: file}}}
  /reset:
    get:
      responses: {200: {description: Nothing.}, default: {$ref: "#/responses/Orders"}}
responses:
  Orders:
    schema:
      properties:
        data: {type: array, items: {$ref: "#/definitions/Order"}}
definitions:
  Error: {properties: {message: {type: string}}}
  Order:
    required: [id, total, note, user]
    properties:
      id: {type: integer, format: int64}
      total: {type: number, format: double}
      placed: {type: string, format: date-time}
      note: {type: string, x-nullable: true}
      user: {$ref: "#/definitions/User", x-nullable: true}
  User:
    discriminator: kind
    properties: {kind: {type: string}}
"""
COLUMNS = [
    Column("id", "id", "bigint", nullable=False),
    Column("total", "total", "double", nullable=False),
    Column("placed", "placed", "timestamp", nullable=True),
    Column("note", "note", "text", nullable=True),
    Column("user", "user", "json", nullable=True),
]


def columns(document: Any, path: str, method: str = "get", selector: str | None = None) -> Any:
    endpoints = Endpoints(document)
    schema = row_schema(endpoints, path, method, selector)
    return list(columns_of(endpoints.references, schema)) if schema else None


@pytest.mark.parametrize("path", ["/orders", "/api/v2/orders"])
@pytest.mark.parametrize("text", [DOCUMENT, DOCUMENT.replace('"2.0"', "2.0")])
def test_definitions_and_responses_are_read_below_the_base_path(path: str, text: str) -> None:
    document = parse_document(text, "shop.yaml")

    assert columns(document, path, selector="data") == COLUMNS
    assert columns(document, path) == COLUMNS


def test_the_schema_counts_for_media_types_of_json_alone() -> None:
    document = parse_document(DOCUMENT, "shop.yaml")

    assert columns(document, "/search", "post") == COLUMNS
    assert columns(document, "/export", selector="$") is None
    assert columns(document, "/reset", selector="$") is None


def test_the_stored_document_has_neither_host_nor_sign_in() -> None:
    stored = json.loads(stored_text(parse_document(DOCUMENT, "shop.yaml")))

    assert list(stored) == [
        "definitions", "info", "paths", "produces", "responses", "servers", "swagger",
    ]  # fmt: skip
    assert columns(stored, "/api/v2/orders", selector="data") == COLUMNS
    assert (
        stored_text(parse_document(json.dumps(stored), "kept"))
        == json.dumps(stored, indent=2) + "\n"
    )


def test_a_broken_reference_is_located_in_its_definition() -> None:
    text = DOCUMENT.replace("#/definitions/User", "#/definitions/Gone")

    with pytest.raises(BrokenReferenceError, match="`#/definitions/Order/properties/user`"):
        columns(parse_document(text, "shop.yaml"), "/orders")
