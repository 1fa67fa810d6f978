"""References that lead nowhere, out of the document or to themselves."""

from typing import Any

import pytest

from analytics_assets.contract.errors import BrokenReferenceError
from analytics_assets.contract.openapi.endpoints import Endpoints
from analytics_assets.contract.openapi.response_schema import row_schema


def answering(schema: Any) -> Any:
    return {"get": {"responses": {"200": {"content": {"application/json": {"schema": schema}}}}}}


def shop(paths: Any, **parts: Any) -> Endpoints:
    return Endpoints({"openapi": "3.1.0", "paths": paths, **parts}, "shop.json")


def with_properties(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("#/components/schemas/Missing", "which is not there"),
        ("#/openapi/deeper", "which is not there"),
        ("#/openapi", "which is no object"),
        ("#/servers", "which is no object"),
    ],
)
def test_a_reference_that_leads_nowhere_is_named_with_its_place(
    reference: str, reason: str
) -> None:
    document = shop({"/orders": answering({"$ref": reference})}, servers=[])

    with pytest.raises(BrokenReferenceError) as refusal:
        row_schema(document, "/orders")

    assert str(refusal.value) == (
        "shop.json: the `$ref` at "
        "`#/paths/~1orders/get/responses/200/content/application~1json/schema` leads to "
        f"`{reference}`, {reason}"
    )


@pytest.mark.parametrize("reference", ["https://example.com/s.json#/A", "schemas/order.yml"])
def test_a_reference_out_of_the_document_is_named_with_the_remedy(reference: str) -> None:
    document = shop({"/orders": {"get": {"$ref": reference}}})

    with pytest.raises(
        BrokenReferenceError, match=f"`{reference}`.*bundle the document into one file"
    ):
        row_schema(document, "/orders")


@pytest.mark.parametrize("selector", [None, "data"])
def test_references_to_themselves_end(selector: str | None) -> None:
    schemas = {
        "A": {"$ref": "#/components/schemas/B"},
        "B": {"$ref": "#/components/schemas/A"},
        "C": {"oneOf": [{"$ref": "#/components/schemas/C"}]},
        "D": with_properties(next={"$ref": "#/components/schemas/D"}),
    }
    documents = {
        name: shop(
            {"/orders": answering({"$ref": f"#/components/schemas/{name}"})},
            components={"schemas": schemas},
        )
        for name in schemas
    }

    for name in "CD":
        assert row_schema(documents[name], "/orders", data_selector=selector) is None
    for name in "AB":
        with pytest.raises(BrokenReferenceError, match="which leads back to it"):
            row_schema(documents[name], "/orders", data_selector=selector)
