"""An API with one resource `orders`, and OpenAPI documents of it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from analytics_assets.config.api import Api
from analytics_assets.config.policy import PolicyEntry
from analytics_assets_tests.support.loading import api_with


def orders_api(openapi: str | None = None, **policy: Any) -> Api:
    """The API `shop` with the resource `orders` of `serve`, which has no column of the day."""
    entry: PolicyEntry = {"date_column": None, **policy}  # type: ignore[typeddict-item]
    plain = api_with("orders")
    return Api(name="shop", config=plain.config, policies={"orders": entry}, openapi=openapi)


def document_of(
    path: Path, properties: Mapping[str, Any], required: list[str], of: str = "/v1/orders"
) -> str:
    """Write an OpenAPI document in which rows of a path have these fields, and return its path."""
    row = {"type": "object", "properties": properties, "required": required}
    page = {"type": "object", "properties": {"data": {"type": "array", "items": row}}}
    answer = {"description": "", "content": {"application/json": {"schema": page}}}
    paths = {of: {"get": {"responses": {"200": answer}}}}
    text = json.dumps({"openapi": "3.0.3", "info": {"title": "", "version": ""}, "paths": paths})
    path.write_text(text, encoding="utf-8")
    return str(path)
