"""Documents of several files."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from analytics_assets.contract.errors import BrokenReferenceError
from analytics_assets.contract.openapi.document import parse_document, read_document, stored_text
from analytics_assets.contract.openapi.endpoints import Endpoints, stored_endpoints
from analytics_assets.contract.openapi.json_schema import columns_of
from analytics_assets.contract.openapi.response_schema import row_schema

MONEY = """
Money:
  type: object
  properties: {amount: {type: string}}
Id: {type: integer}
"""


def main(reference: str) -> dict[str, Any]:
    """A document whose rows are in another file."""
    rows = {"type": "array", "items": {"$ref": reference}}
    content = {"application/json": {"schema": rows}}
    paths = {"/orders": {"get": {"responses": {"200": {"content": content}}}}}
    schemas = {"Status": {"type": "string", "enum": ["new"]}}
    return {"openapi": "3.0.3", "paths": paths, "components": {"schemas": schemas}}


def order(**properties: Any) -> dict[str, Any]:
    return {"Order": {"type": "object", "properties": properties}}


@pytest.fixture
def folder(clean_place: Path) -> Path:
    """A folder with a document of three files."""
    (clean_place / "schemas" / "shared types").mkdir(parents=True)
    (clean_place / "schemas" / "shared types" / "money.yaml").write_text(MONEY)
    properties = order(
        id={"$ref": "shared%20types/money.yaml#/Id"},
        status={"$ref": "../openapi.json#/components/schemas/Status"},
        total={"$ref": "./shared types/money.yaml#/Money"},
        previous={"$ref": "#/Previous"},
    )
    orders = {**properties, "Previous": {"type": "string", "format": "date"}}
    (clean_place / "schemas" / "order.json").write_text(json.dumps(orders))
    (clean_place / "openapi.json").write_text(json.dumps(main("schemas/order.json#/Order")))
    return clean_place


def types(endpoints: Endpoints) -> dict[str, str]:
    schema = row_schema(endpoints, "/orders")
    assert schema
    found = columns_of(endpoints.references, schema)
    return {column.field: column.data_type for column in found}


TYPES = {"id": "bigint", "status": "text", "total": "json", "previous": "date"}


def test_relative_references_are_followed_from_the_file_they_stand_in(folder: Path) -> None:
    assert types(stored_endpoints(folder / "openapi.json")) == TYPES


def test_a_bundled_document_is_stored_as_one_file(folder: Path, tmp_path: Path) -> None:
    bundled = read_document(folder / "openapi.json")
    alone = tmp_path / "alone.json"
    alone.write_text(stored_text(bundled))

    assert types(stored_endpoints(alone)) == TYPES
    assert stored_text(read_document(alone)) == stored_text(bundled)


def test_a_change_of_a_further_file_is_noticed(folder: Path) -> None:
    stored_endpoints(folder / "openapi.json")
    money = folder / "schemas" / "shared types" / "money.yaml"
    money.write_text(MONEY.replace("integer", "string"))
    os.utime(money, ns=(1, 1))

    assert types(stored_endpoints(folder / "openapi.json"))["id"] == "text"


def test_yaml_refers_to_files_too(folder: Path) -> None:
    text = "{openapi: 3.1.0, paths: {/orders: {$ref: 'schemas/paths.yml'}}}"
    (folder / "openapi.yaml").write_text(text)
    path = main("order.json#/Order")["paths"]["/orders"]
    (folder / "schemas" / "paths.yml").write_text(json.dumps(path))
    order = folder / "schemas" / "order.json"
    order.write_text(order.read_text().replace("openapi.json", "openapi.yaml"))

    document = read_document(folder / "openapi.yaml")

    # the main file has no schemas here
    with pytest.raises(BrokenReferenceError) as refusal:
        types(Endpoints(document, "api"))
    assert str(refusal.value) == (
        "api: the `$ref` at `schemas/order.json#/Order/properties/status` leads to "
        "`#/components/schemas/Status`, which is not there"
    )


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("schemas/gone.json#/Order", "but schemas/gone.json cannot be read: No such file"),
        ("schemas/#/Order", "but schemas cannot be read: Is a directory"),
        ("../secret.json#/Order", "but ../secret.json is not below the document's folder"),
        ("schemas/../../secret.json", "but ../secret.json is not below the document's folder"),
        ("/etc/passwd", "but /etc/passwd is not below the document's folder"),
        ("schemas/link.json#/Order", "but schemas/link.json is not below the document's folder"),
        ("schemas/broken.json#/Order", "but schemas/broken.json is neither JSON nor YAML"),
        ("schemas/text.txt#/Order", "but schemas/text.txt holds no object"),
        ("schemas/order.json#/Gone", "which is not there"),
        ("https://shop.example.com/o.json#/Order", "which is no part of the document and is not"),
        ("//shop.example.com/o.json", "which is no part of the document and is not fetched; bund"),
        ("file:///etc/passwd", "which is no part of the document and is not fetched; bundle the "),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_the_place_of_the_reference(
    folder: Path, reference: str, reason: str
) -> None:
    (folder.parent / "secret.json").write_text(json.dumps(order()))
    (folder / "schemas" / "link.json").symlink_to(folder.parent / "secret.json")
    (folder / "schemas" / "broken.json").write_text("{a: [")
    (folder / "schemas" / "text.txt").write_text("Sign in")
    (folder / "openapi.json").write_text(json.dumps(main(reference)))
    place = "`#/paths/~1orders/get/responses/200/content/application~1json/schema/items`"

    with pytest.raises(BrokenReferenceError) as refusal:
        types(stored_endpoints(folder / "openapi.json"))

    message = str(refusal.value)
    assert message.startswith(f"{folder}/openapi.json: the `$ref` at {place} leads to `")
    assert f"`, {reason}" in message


def test_files_that_refer_to_each_other_end(folder: Path) -> None:
    (folder / "schemas" / "a.json").write_text(json.dumps({"A": {"$ref": "b.json#/B"}}))
    (folder / "schemas" / "b.json").write_text(json.dumps({"B": {"$ref": "a.json#/A"}}))
    (folder / "openapi.json").write_text(json.dumps(main("schemas/a.json#/A")))

    with pytest.raises(BrokenReferenceError, match=r"`schemas/b\.json#/B` leads to .* back to it"):
        types(stored_endpoints(folder / "openapi.json"))


def test_files_of_examples_are_not_read(folder: Path) -> None:
    example = {"$ref": "examples/order.json"}
    properties = {"example": {"$ref": "schemas/order.json#/Previous"}, "id": {"example": example}}
    document = {**main("#/x"), "x-ms-examples": example, "x": {"properties": properties}}
    (folder / "openapi.json").write_text(json.dumps(document))

    assert list(read_document(folder / "openapi.json")["x-files"]) == [
        "schemas/order.json",
        "schemas/shared types/money.yaml",
    ]


def test_a_text_alone_has_no_further_files() -> None:
    document = parse_document(json.dumps(main("schemas/order.json#/Order")), "it")

    with pytest.raises(BrokenReferenceError, match="bundle the document into one file"):
        types(Endpoints(document))
