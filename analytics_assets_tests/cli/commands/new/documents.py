"""Small documents of APIs, each of one shape, and the proposals made of them."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from analytics_assets.cli.commands.new.proposal.from_document import (
    ProposedApi,
    Selection,
    propose,
)
from analytics_assets.cli.commands.new.proposal.resource import ProposedResource
from analytics_assets.contract.openapi.endpoints import Endpoints

TODAY = date(2026, 3, 4)
TEXT, NUMBER = {"type": "string"}, {"type": "integer"}
TIME, DAY = {"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}
ORDER = {"id": NUMBER, "state": TEXT}


def query(name: str, schema: Mapping[str, Any] = TEXT, **others: Any) -> dict[str, Any]:
    """A parameter of the query."""
    return {"name": name, "in": "query", "schema": dict(schema), **others}


def in_path(name: str) -> dict[str, Any]:
    """A parameter of the path."""
    return {"name": name, "in": "path", "required": True, "schema": TEXT}


def array(properties: Mapping[str, Any]) -> dict[str, Any]:
    """A list of objects."""
    return {"type": "array", "items": {"type": "object", "properties": dict(properties)}}


def body(**properties: Any) -> dict[str, Any]:
    """An object around the rows."""
    return {"type": "object", "properties": properties}


def get(
    schema: Mapping[str, Any] | None, *parameters: Mapping[str, Any], **others: Any
) -> dict[str, Any]:
    """The methods of a path: GET, which answers by a schema."""
    content = {"application/json": {"schema": schema}} if schema else {}
    answer = {"description": "", "content": content, **others.pop("answer", {})}
    return {"get": {"parameters": list(parameters), "responses": {"200": answer}, **others}}


def document(paths: Mapping[str, Any], **others: Any) -> dict[str, Any]:
    """A document of OpenAPI 3."""
    servers = [{"url": "https://api.example.com"}]
    return {"openapi": "3.0.3", "info": {}, "servers": servers, "paths": dict(paths), **others}


def proposed(
    paths: Mapping[str, Any],
    only: Sequence[str] = (),
    values: Mapping[str, str] | None = None,
    url: str | None = None,
    **others: Any,
) -> ProposedApi:
    """The proposal of a document."""
    endpoints = Endpoints(document(paths, **others))
    return propose(endpoints, Selection(only, values or {}), url, TODAY)


def orders(
    schema: Mapping[str, Any], *parameters: Mapping[str, Any], **others: Any
) -> ProposedResource:
    """The proposal of the endpoint `/orders`."""
    [resource] = proposed({"/orders": get(schema, *parameters, **others)}).resources
    return resource


def values(part: Any) -> Any:
    """A part of a proposal without the reasons to check it."""
    if hasattr(part, "check") and hasattr(part, "value"):
        return values(part.value)
    if isinstance(part, Mapping):
        return {name: values(each) for name, each in part.items()}
    return part
