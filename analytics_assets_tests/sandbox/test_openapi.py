from datetime import date, datetime
from typing import Any

import pytest
import requests

from analytics_assets.sandbox import Sandbox
from analytics_assets_tests.sandbox.client import collect, get_page

RESOURCES = ("page_views", "website_overview", "daily_active_users", "traffic_sources")
TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
}


def document(sandbox: Sandbox) -> Any:
    return requests.get(f"{sandbox.base_url}/openapi.json", timeout=60).json()


def row_schema(openapi: Any, resource: str) -> Any:
    content = openapi["paths"][f"/v1/{resource}"]["get"]["responses"]["200"]["content"]
    page = content["application/json"]["schema"]
    assert page["required"] == ["data", "total"]
    assert page["properties"]["total"]["type"] == "integer"
    prefix, _, name = page["properties"]["data"]["items"]["$ref"].rpartition("/")
    assert prefix == "#/components/schemas"
    return openapi["components"]["schemas"][name]


def declared_types(field: Any) -> list[str]:
    return field["type"] if isinstance(field["type"], list) else [field["type"]]


@pytest.mark.parametrize("resource", RESOURCES)
def test_every_row_has_the_fields_types_and_formats_of_its_schema(
    sandbox: Sandbox, resource: str
) -> None:
    schema = row_schema(document(sandbox), resource)
    fields = schema["properties"]

    for row in collect(sandbox, resource):
        assert set(row) == set(fields)
        for name, value in row.items():
            allowed = tuple(kind for text in declared_types(fields[name]) for kind in TYPES[text])
            assert isinstance(value, allowed), (name, value)
            assert not isinstance(value, bool)
            if fields[name].get("format") == "date":
                assert date.fromisoformat(str(value)).isoformat() == value
            if fields[name].get("format") == "date-time":
                assert datetime.fromisoformat(str(value)).tzinfo is not None
            if value is not None and "minimum" in fields[name]:
                assert value >= fields[name]["minimum"]
            if value is not None and "maximum" in fields[name]:
                assert value <= fields[name]["maximum"]


@pytest.mark.parametrize("resource", RESOURCES)
def test_fields_are_described_required_and_nullable_only_where_nulls_occur(
    sandbox: Sandbox, resource: str
) -> None:
    schema = row_schema(document(sandbox), resource)
    rows = collect(sandbox, resource)

    assert all(field["description"] for field in schema["properties"].values())
    assert set(schema["required"]) == set(schema["properties"])
    assert schema["properties"]["date"]["format"] == "date"
    assert schema["properties"]["updated_at"]["format"] == "date-time"
    nullable = {name for name, field in schema["properties"].items() if "null" in field["type"]}
    assert nullable == {name for row in rows for name, value in row.items() if value is None}


def test_the_paths_are_the_resources_with_their_parameters(sandbox: Sandbox) -> None:
    openapi = document(sandbox)

    assert set(openapi["paths"]) == {f"/v1/{resource}" for resource in RESOURCES}
    for path in openapi["paths"].values():
        assert [parameter["name"] for parameter in path["get"]["parameters"]] == [
            "offset",
            "limit",
            "start_date",
            "end_date",
            "updated_since",
            "sort",
        ]
        assert all(parameter["in"] == "query" for parameter in path["get"]["parameters"])


def test_every_sort_that_is_offered_is_accepted(sandbox: Sandbox) -> None:
    parameters = document(sandbox)["paths"]["/v1/page_views"]["get"]["parameters"]
    sorts = next(each["schema"]["enum"] for each in parameters if each["name"] == "sort")

    assert len(sorts) == 4
    assert all(get_page(sandbox, "page_views", sort=sort).ok for sort in sorts)


def test_the_security_scheme_leads_to_the_token_endpoint(sandbox: Sandbox) -> None:
    openapi = document(sandbox)
    (name,) = openapi["security"][0]
    scheme = openapi["components"]["securitySchemes"][name]

    assert scheme["type"] == "oauth2"
    assert scheme["flows"]["clientCredentials"]["tokenUrl"] == sandbox.token_url


def test_errors_look_as_described(sandbox: Sandbox) -> None:
    openapi = document(sandbox)
    schema = openapi["components"]["schemas"]["Error"]["properties"]["error"]
    error = get_page(sandbox, "page_views", limit="x").json()["error"]

    assert set(error) == set(schema["required"]) == set(schema["properties"])
