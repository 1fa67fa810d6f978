"""Documents that allow a response without a list of rows, or null in its place."""

from typing import Any

import pytest

from analytics_assets.contract.openapi.endpoints import Endpoints
from analytics_assets.contract.openapi.response_schema import rows_may_be_absent

ROWS = {"type": "array", "items": {"type": "object", "properties": {"id": {"type": "integer"}}}}
NULLABLE = {**ROWS, "type": ["array", "null"]}


def allowed(schema: Any, selector: str | None = "data") -> bool:
    content = {"application/json": {"schema": schema}}
    document = {
        "openapi": "3.1.0",
        "paths": {"/orders": {"get": {"responses": {"200": {"content": content}}}}},
        "components": {"schemas": {"Rows": ROWS, "Page": page(ROWS, "data")}},
    }
    return rows_may_be_absent(Endpoints(document, "shop.json"), "orders", "get", selector)


def page(rows: Any, *required: str) -> dict[str, Any]:
    return {"type": "object", "properties": {"data": rows}, "required": list(required)}


@pytest.mark.parametrize(
    ("schema", "selector", "expected"),
    [
        (page(ROWS), "data", True),
        (page(ROWS, "data"), "data", False),
        (page({"$ref": "#/components/schemas/Rows"}, "data"), "data", False),
        ({"$ref": "#/components/schemas/Page"}, "data", False),
        ({"allOf": [{"$ref": "#/components/schemas/Page"}]}, "data", False),
        (page(NULLABLE, "data"), "data", True),
        (page({**ROWS, "nullable": True}, "data"), "data", True),
        (page({"anyOf": [ROWS, {"type": "null"}]}, "data"), "data", True),
        (page(page(ROWS, "data"), "data"), "data.data", False),
        (page(page(ROWS), "data"), "data.data", True),
        (page(ROWS), "items", False),
        (page(ROWS), "data[*]", True),
        (page(ROWS), "data[?(@.id==1)]", False),
        (ROWS, "$", False),
        (NULLABLE, "$", True),
        (NULLABLE, None, True),
        (ROWS, None, False),
        ({}, "data", False),
    ],
    ids=str,
)
def test_a_list_that_is_not_required_or_nullable_may_be_absent(
    schema: Any, selector: str | None, expected: bool
) -> None:
    assert allowed(schema, selector) is expected
