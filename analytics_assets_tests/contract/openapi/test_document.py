import json
from pathlib import Path
from typing import Any

import pytest

from analytics_assets.contract.errors import ContractError
from analytics_assets.contract.openapi.document import (
    parse_document,
    read_document,
    server_paths,
    store_document,
    stored_text,
)
from analytics_assets.contract.openapi.endpoints import stored_endpoints
from analytics_assets.defs.analytics.api import API
from analytics_assets_tests.sandbox.test_openapi import document
from analytics_assets_tests.support.sandbox import Sandbox

SMALL: dict[str, Any] = {"openapi": "3.1.0", "info": {"title": "Shop"}, "paths": {}}
YAML = """
openapi: 3.0.3
info: {title: Shop}
paths:
  /v1/orders:
    get:
      responses:
        200: {description: Orders since 2024-01-01.}
"""


def test_json_and_yaml_are_read_from_a_file(clean_place: Path) -> None:
    (clean_place / "api.json").write_text(json.dumps(SMALL))
    (clean_place / "api.yaml").write_text(YAML)

    assert read_document(clean_place / "api.json") == SMALL
    assert read_document(clean_place / "api.yaml")["openapi"] == "3.0.3"


@pytest.mark.parametrize("version", ["3.0", "3.0.4", "3.1.1", 3.1, "3.2.0"])
def test_openapi_3_is_read(version: Any) -> None:
    assert parse_document(json.dumps({**SMALL, "openapi": version}), "it")["openapi"] == version


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"swagger": "1.2", "apis": []}', "is Swagger 1.2."),
        ('{"openapi": "4.0.0"}', "is OpenAPI 4.0.0."),
        ('{"asyncapi": "3.0.0"}', "is no OpenAPI document"),
        ('{"openapi": null}', "is no OpenAPI document"),
        ("[1, 2]", "is no OpenAPI document"),
        ("", "is no OpenAPI document"),
        ("<!doctype html><title>Sign in</title>", "is no OpenAPI document"),
        ("{a: [", "is neither JSON nor YAML"),
        ("a: [1\nb: 2", "is neither JSON nor YAML: line 2: did not find expected ',' or ']'"),
        (b"\xff\xfe\x00\xd8", "is neither JSON nor YAML"),
    ],
)
def test_any_other_document_is_refused_by_name_with_the_remedy(
    text: str | bytes, reason: str
) -> None:
    with pytest.raises(ContractError) as refusal:
        parse_document(text, "shop.yaml")

    assert str(refusal.value).startswith(f"shop.yaml {reason}")
    assert str(refusal.value).endswith(
        "Use the OpenAPI 3 or Swagger 2.0 document of the API, as JSON or YAML."
    )


def test_a_missing_file_is_named_with_the_command_that_makes_it(
    clean_place: Path,
) -> None:
    with pytest.raises(ContractError, match=r"missing\.json cannot be read.*`analytics-assets con"):
        read_document(clean_place / "missing.json")


def test_a_kept_document_is_read_again_only_once_it_has_changed(clean_place: Path) -> None:
    file = clean_place / "api.json"
    file.write_text(json.dumps(SMALL))
    first = stored_endpoints(file)

    assert stored_endpoints(file) is first
    file.write_text(json.dumps({**SMALL, "info": {"title": "Another shop"}}))
    assert stored_endpoints(file).document["info"] == {"title": "Another shop"}


def test_hosts_and_sign_in_are_not_kept() -> None:
    components = {"schemas": {"A": {"type": "object"}}, "securitySchemes": {"oauth2": {}}}
    fetched = {
        **SMALL,
        "servers": [{"url": "http://127.0.0.1:4711"}, {"url": "https://shop.example.com/api/"}],
        "components": components,
        "security": [{"oauth2": []}],
        "x-generated": "a minute ago",
    }

    kept = json.loads(stored_text(fetched))

    assert kept == {
        "openapi": "3.1.0",
        "info": {"title": "Shop"},
        "servers": [{"url": "/api"}],
        "components": {"schemas": {"A": {"type": "object"}}},
    }
    assert server_paths(kept) == ["/api"]


def test_parts_that_the_document_refers_to_are_kept() -> None:
    paths = {"/orders": {"get": {"$ref": "#/x-shared/orders"}}}
    fetched = {**SMALL, "paths": paths, "x-shared": {"orders": {}}, "x-other": {"a": 1}}

    kept = json.loads(stored_text(fetched))

    assert kept["x-shared"] == {"orders": {}}
    assert "x-other" not in kept


def test_kept_text_has_a_fixed_order_but_for_properties_which_become_columns() -> None:
    properties = {"zip": {"type": "string", "description": "é"}, "age": {"type": "integer"}}
    kept = stored_text(
        {**SMALL, "components": {"schemas": {"Z": {"properties": properties}, "A": 1}}}
    )

    assert kept.index('"components"') < kept.index('"info"') < kept.index('"openapi"')
    assert kept.index('"A"') < kept.index('"Z"')
    assert kept.index('"zip"') < kept.index('"age"')
    assert kept.index('"description"') < kept.index('"type"')
    assert "é" in kept
    assert kept.endswith("}\n")
    assert stored_text(parse_document(kept, "kept")) == kept


def test_a_yaml_document_with_dates_and_numbers_for_names_can_be_kept(clean_place: Path) -> None:
    place = clean_place / "folder" / "api.json"
    fetched = parse_document(YAML.replace("Shop", "2024-01-01"), "it")

    store_document(fetched, place)

    kept = read_document(place)
    assert kept["info"] == {"title": "2024-01-01"}
    assert list(kept["paths"]["/v1/orders"]["get"]["responses"]) == ["200"]


def test_a_document_that_cannot_be_written_is_named_with_the_remedy(clean_place: Path) -> None:
    with pytest.raises(ContractError, match=r"cannot be stored in .*Set `openapi` to a file"):
        store_document(SMALL, clean_place)


def test_variables_of_a_server_take_their_defaults() -> None:
    server = {
        "url": "https://{region}.example.com/{version}",
        "variables": {"region": {"default": "eu"}, "version": {"default": "v2"}},
    }

    assert server_paths({"servers": [server, "?", {"url": None}]}) == ["/v2"]


def test_the_kept_document_is_what_the_embedded_api_serves(sandbox: Sandbox) -> None:
    assert API.openapi
    assert Path(API.openapi).read_text(encoding="utf-8") == stored_text(document(sandbox))
