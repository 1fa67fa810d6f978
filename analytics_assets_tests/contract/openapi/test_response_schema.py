from typing import Any

import pytest

from analytics_assets.contract.openapi.endpoints import Endpoints
from analytics_assets.contract.openapi.response_schema import row_schema

ROW = {"type": "object", "properties": {"id": {"type": "integer"}}}
OTHER = {"type": "object", "properties": {"name": {"type": "string"}}}
ROWS = {"type": "array", "items": ROW}
OTHERS = {"type": "array", "items": OTHER}


def answering(schema: Any, status: Any = "200", media_type: str = "application/json") -> Any:
    return {"get": {"responses": {status: {"content": {media_type: {"schema": schema}}}}}}


def shop(paths: Any, **parts: Any) -> Endpoints:
    return Endpoints({"openapi": "3.1.0", "paths": paths, **parts}, "shop.json")


def with_properties(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


@pytest.mark.parametrize("path", ["/v1/orders", "v1/orders", "/v1/orders/", "/v1/orders?all=1"])
def test_an_endpoint_is_found_by_its_path_however_it_is_written(path: str) -> None:
    assert row_schema(shop({"/v1/orders": answering(ROWS)}), path) == ROW


@pytest.mark.parametrize(
    "path", ["/api/orders", "/orders", "orders", "https://shop.example.com/api/orders"]
)
def test_the_path_may_include_that_of_the_server(path: str) -> None:
    servers = [{"url": "https://shop.example.com/api"}]

    assert row_schema(shop({"/orders": answering(ROWS)}, servers=servers), path) == ROW


def test_the_common_beginning_of_all_paths_may_be_in_the_base_url() -> None:
    document = shop({"/api/v1/orders": answering(ROWS), "/api/v1/users": answering(OTHERS)})

    assert row_schema(document, "users") == OTHER
    assert row_schema(document, "v1/users") is None


@pytest.mark.parametrize(
    "path",
    [
        "/users/{resources.users.id}/orders",
        "/users/{user}/orders",
        "/users/7/orders",
        "users/a%20b/orders",
    ],
)
def test_parameters_are_matched_by_placeholders_and_by_values(path: str) -> None:
    assert row_schema(shop({"/users/{user_id}/orders": answering(ROWS)}), path) == ROW


def test_a_literal_path_has_priority_over_one_with_a_parameter() -> None:
    paths = {"/users/{id}": answering(OTHERS), "/users/all": answering(ROWS)}
    turned = dict(reversed(paths.items()))

    for document in (shop(paths), shop(turned)):
        assert row_schema(document, "/users/all") == ROW
        assert row_schema(document, "/users/{resources.users.id}", data_selector="$") == OTHER


def test_a_parameter_may_be_a_part_of_a_segment() -> None:
    document = shop({"/users/{id}.json": answering(ROWS), "/users/{id}": answering(OTHERS)})

    assert row_schema(document, "/users/{resources.users.id}.json", data_selector="$") == ROW


def test_the_method_counts() -> None:
    document = shop({"/search": {"post": answering(ROWS)["get"], "get": answering(OTHERS)["get"]}})

    assert row_schema(document, "/search", "POST") == ROW
    assert row_schema(document, "/search") == OTHER


@pytest.mark.parametrize("media_type", ["application/json; charset=utf-8", "application/hal+json",
                                        "*/*"])  # fmt: skip
def test_json_has_several_media_types(media_type: str) -> None:
    assert row_schema(shop({"/orders": answering(ROWS, media_type=media_type)}), "/orders") == ROW


@pytest.mark.parametrize("status", ["200", 200, "206", "2XX", "2xx", "default"])
def test_a_success_has_several_statuses(status: Any) -> None:
    assert row_schema(shop({"/orders": answering(ROWS, status)}), "/orders") == ROW


def test_200_has_priority_over_other_statuses_and_they_over_the_default() -> None:
    responses = {
        key: answering(schema, key)["get"]["responses"][key]
        for key, schema in [("default", OTHERS), ("201", OTHERS), ("200", ROWS), ("404", OTHERS)]
    }
    document = shop({"/orders": {"get": {"responses": responses}}})

    assert row_schema(document, "/orders") == ROW
    del responses["200"], responses["201"]
    assert row_schema(document, "/orders") == OTHER
    del responses["default"]
    assert row_schema(document, "/orders") is None


def test_json_has_priority_over_any_type() -> None:
    operation = answering(OTHERS, media_type="*/*")
    operation["get"]["responses"]["200"]["content"]["application/json"] = {"schema": ROWS}

    assert row_schema(shop({"/orders": operation}), "/orders") == ROW


@pytest.mark.parametrize(
    ("selector", "answer"),
    [
        ("data", with_properties(data=ROWS, more=OTHERS)),
        ("$.data", with_properties(data=ROWS)),
        ("data[*]", with_properties(data=ROWS)),
        ("$['data']", with_properties(data=ROWS)),
        ("data.items", with_properties(data=with_properties(items=ROWS))),
        ("data.items[*].order", with_properties(data=with_properties(
            items={"type": "array", "items": with_properties(order=ROW)}))),
        ("$", ROWS),
        ("$[*]", ROWS),
        ("$", ROW),
        ("data", with_properties(data=ROW)),
        ("data", {"allOf": [with_properties(total={"type": "integer"}),
                            with_properties(data=ROWS)]}),
        ("data", {"oneOf": [with_properties(data=ROWS), with_properties(error=OTHER)]}),
        ("data", with_properties(data={"anyOf": [ROWS, {"type": "null"}]})),
        ("orders", {"type": "object", "additionalProperties": ROWS}),
    ],
)  # fmt: skip
def test_the_data_selector_leads_to_the_rows(selector: str, answer: Any) -> None:
    document = shop({"/orders": answering(answer)})

    assert row_schema(document, "/orders", data_selector=selector) == ROW


@pytest.mark.parametrize("selector", ["more", "data.more", "data[0]", "$..id", "data[?(@.a)]"])
def test_a_selector_that_the_document_does_not_follow_finds_no_schema(selector: str) -> None:
    document = shop({"/orders": answering(with_properties(data=ROWS))})

    assert row_schema(document, "/orders", data_selector=selector) is None


@pytest.mark.parametrize(
    "answer",
    [
        ROWS,
        {"items": ROW},
        with_properties(data=ROWS, included=OTHERS),
        with_properties(total={"type": "integer"}, orders=ROWS),
        with_properties(orders=ROWS, tags={"type": "array", "items": {"type": "string"}}),
        with_properties(meta=with_properties(records=ROWS)),
    ],
)
def test_without_a_selector_rows_are_where_dlt_finds_them(answer: Any) -> None:
    assert row_schema(shop({"/orders": answering(answer)}), "/orders") == ROW


@pytest.mark.parametrize(
    "answer",
    [
        with_properties(orders=ROWS, users=OTHERS),
        with_properties(data=ROWS, items=OTHERS),
        with_properties(total={"type": "integer"}),
        {"type": "string"},
        {},
    ],
)
def test_without_a_selector_a_place_that_dlt_might_not_choose_is_not_guessed(answer: Any) -> None:
    assert row_schema(shop({"/orders": answering(answer)}), "/orders") is None


def test_a_path_that_ends_with_a_parameter_answers_with_one_row() -> None:
    row = with_properties(id={"type": "integer"}, lines=OTHERS)
    document = shop({"/orders/{id}": answering(row)})

    assert row_schema(document, "/orders/{resources.orders.id}") == row


@pytest.mark.parametrize(
    "answer",
    [
        with_properties(total={"type": "integer"}),
        {"allOf": [ROW, OTHER]},
        {"oneOf": [{"type": "null"}, ROW]},
        with_properties(id={"type": "integer"}, owner=ROW),
    ],
)
def test_a_response_without_a_list_is_one_row_where_there_is_one_page(answer: Any) -> None:
    document = shop({"/account": answering(answer)})

    found = row_schema(document, "/account", accepts_object=True)

    assert found == document.references.flat(answer if "oneOf" not in answer else ROW)
    assert row_schema(document, "/account") is None
    assert row_schema(document, "/account", data_selector="$") is not None


@pytest.mark.parametrize(
    ("answer", "rows"),
    [
        (with_properties(total={"type": "integer"}, orders=ROWS), ROW),
        # dlt takes the tags for the rows
        (with_properties(id={}, tags={"type": "array", "items": {"type": "string"}}), None),
        (with_properties(owner=with_properties(tags={"type": "array"})), None),
        (with_properties(orders=ROWS, users=OTHERS), None),
        ({"type": "object", "additionalProperties": ROW}, None),
    ],
)
def test_one_page_with_a_list_is_no_single_row(answer: Any, rows: Any) -> None:
    document = shop({"/account": answering(answer)})

    assert row_schema(document, "/account", accepts_object=True) == rows


def test_references_are_followed_everywhere() -> None:
    page = {"content": {"application/json": {"schema": {"$ref": "#/x-s/P"}}}}
    orders = {"get": {"responses": {"200": {"$ref": "#/components/responses/Page"}}}}
    components = {"responses": {"Page": page}, "pathItems": {"orders": orders}}
    schemas = {"P": with_properties(data={"$ref": "#/x-s/~1rows"}), "/rows": ROWS}
    paths = {"/orders": {"$ref": "#/components/pathItems/orders"}}
    document = shop(paths, components=components, **{"x-s": schemas})

    assert row_schema(document, "/orders", data_selector="data") == ROW


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"paths": None},
        {"paths": {"/orders": None}},
        {"paths": {"/orders": {"get": None}}},
        {"paths": {"/orders": {"get": {"responses": []}}}},
        {"paths": {"/orders": {"get": {"responses": {"200": None}}}}},
        {"paths": {"/orders": {"get": {"responses": {"200": {"content": []}}}}}},
        {"paths": {"/orders": answering(None)}},
        {"paths": {"/orders": answering({"properties": []})}},
        {"paths": {"/orders": answering({"type": "array"})}},
        {"paths": {"/orders": answering({"allOf": {}, "anyOf": 5, "properties": {"data": True}})}},
        {"paths": {"/users": answering(ROWS), 5: answering(ROWS)}, "servers": {"url": "/"}},
    ],
)
def test_a_missing_or_malformed_part_is_no_error(document: Any) -> None:
    for selector in (None, "data"):
        assert row_schema(Endpoints(document), "/orders", data_selector=selector) is None
