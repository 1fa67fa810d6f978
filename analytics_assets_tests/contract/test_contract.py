import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.errors import ConfigurationError
from analytics_assets.contract.column import Column
from analytics_assets.contract.contract import Contract
from analytics_assets.contract.errors import ContractError
from analytics_assets.contract.resource import resource_of, resources_of
from analytics_assets.defs.analytics.api import API

PROPERTIES: dict[str, Any] = {
    "orderId": {"type": "integer", "description": "Tells orders apart."},
    "total": {"type": "string"},
    "placedOn": {"type": "string", "format": "date"},
    "user": {"type": "object"},
}
Shop = Callable[..., Api]


def contract_of(api: Api, resource: str) -> Contract:
    return resource_of(api, resource).contract


@pytest.fixture
def shop(clean_place: Path) -> Shop:
    """Make an API whose orders have these properties."""

    def make(
        properties: Any = PROPERTIES,
        rename: Any = None,
        time_formats: Any = None,
        base_url: Any = None,
        defaults: Any = None,
        **entry: Any,
    ) -> Api:
        rows = {"type": "array", "items": {"properties": properties, "required": ["total"]}}
        content = {"application/json": {"schema": {"properties": {"data": rows}}}}
        paths = {"/orders": {"get": {"responses": {"200": {"content": content}}}}}
        file = clean_place / "shop.json"
        file.write_text(json.dumps({"openapi": "3.1.0", "paths": paths}))
        endpoint = {"path": "/orders", "data_selector": "data"}
        orders = {"name": "orders", "primary_key": "orderId", "endpoint": endpoint, **entry}
        client = {"base_url": base_url or "https://shop.example.com"}
        return Api(
            name="shop",
            config={"client": client, "resource_defaults": defaults, "resources": [orders]},
            policies={"orders": {"rename": rename or {}, "time_formats": time_formats or {}}},
            openapi=str(file),
        )

    return make


def columns(api: Api) -> dict[str, Column]:
    return {column.field: column for column in contract_of(api, "orders").columns}


def test_columns_have_dlts_names_and_the_types_of_the_document(shop: Shop) -> None:
    contract = contract_of(shop(), "orders")

    assert contract.has_schema
    assert contract.columns == (
        Column("orderId", "order_id", "bigint", False, "Tells orders apart."),
        Column("total", "total", "text", nullable=False),
        Column("placedOn", "placed_on", "date", nullable=True),
        Column("user", "user", "json", nullable=True),
    )
    assert contract.primary_key == ("orderId",)
    assert contract.key_columns == ("order_id",)


def test_a_renamed_field_is_a_column_of_the_new_name(shop: Shop) -> None:
    contract = contract_of(shop(rename={"orderId": "Number", "user": "customer"}), "orders")

    assert [column.name for column in contract.columns] == [
        "number",
        "total",
        "placed_on",
        "customer",
    ]
    assert contract.name_of("user") == "customer"
    assert contract.name_of("someOther") == "some_other"
    assert contract.key_columns == ("number",)


def test_hints_are_in_dlts_form_and_only_the_key_is_not_null_in_the_table(shop: Shop) -> None:
    assert contract_of(shop(), "orders").hints() == {
        "order_id": {
            "name": "order_id",
            "data_type": "bigint",
            "nullable": False,
            "description": "Tells orders apart. The API's `orderId`.",
        },
        "total": {"name": "total", "data_type": "text", "nullable": True},
        "placed_on": {
            "name": "placed_on",
            "data_type": "date",
            "nullable": True,
            "description": "The API's `placedOn`.",
        },
        "user": {"name": "user", "data_type": "json", "nullable": True},
    }


def test_the_hints_of_an_entry_override_the_document(shop: Shop) -> None:
    hints = {
        "total": {"data_type": "decimal", "precision": 10},
        "placed_on": {"data_type": "timestamp", "nullable": False},
        "orderId": {"nullable": True},
        "unheard": {"data_type": "text"},
    }

    found = columns(shop(columns=hints))

    assert found["total"] == Column("total", "total", "decimal", nullable=False)
    assert found["placedOn"] == Column("placedOn", "placed_on", "timestamp", nullable=False)
    assert not found["orderId"].nullable
    assert "unheard" not in found


def test_the_hints_of_the_defaults_override_the_document_below_those_of_an_entry(
    shop: Shop,
) -> None:
    defaults = {"columns": {"total": {"data_type": "double"}, "user": {"data_type": "text"}}}

    found = columns(shop(defaults=defaults, columns={"total": {"data_type": "decimal"}}))

    assert (found["total"].data_type, found["user"].data_type) == ("decimal", "text")


def test_a_number_that_the_entry_calls_a_double_may_be_rounded(shop: Shop) -> None:
    assert columns(shop(columns={"total": {"data_type": "double"}}))["total"].takes_nearest
    assert not any(column.takes_nearest for column in columns(shop()).values())


@pytest.mark.parametrize("hints", [[{"name": "total", "data_type": "decimal"}], 5])
def test_hints_of_another_shape_are_left_to_dlt(shop: Shop, hints: Any) -> None:
    assert columns(shop(columns=hints))["total"].data_type == "text"


def test_two_fields_that_would_be_one_column_are_refused_with_the_remedy(shop: Shop) -> None:
    properties: Any = {"userId": {}, "user_id": {}, "orderId": {}}

    with pytest.raises(ConfigurationError) as refusal:
        contract_of(shop(properties), "orders")

    assert "resource `orders`: its fields `userId` and `user_id`" in str(refusal.value)
    assert '"rename": {"user_id": "user_id_2"}' in str(refusal.value)
    assert contract_of(shop(properties, rename={"user_id": "user_id_2"}), "orders").has_schema


def test_renaming_a_field_to_the_name_of_another_is_refused(shop: Shop) -> None:
    with pytest.raises(ConfigurationError, match="`total` and `user` would both become"):
        contract_of(shop(rename={"user": "total"}), "orders")


def test_a_field_named_like_a_variant_of_another_is_refused(shop: Shop) -> None:
    properties = {"zip": {"type": "integer"}, "zip__v_text": {"type": "string"}}

    with pytest.raises(ConfigurationError, match=r"`zip__v_text` has the name .*`zip` .*rename"):
        contract_of(shop(properties), "orders")
    assert contract_of(shop(properties, rename={"zip__v_text": "zip_text"}), "orders").has_schema


def test_renaming_an_unknown_field_is_refused_with_a_suggestion(
    shop: Shop,
) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        contract_of(shop(rename={"orderid": "number"}), "orders")

    assert str(refusal.value).startswith(
        "policy of `orders`: `rename` names the field `orderid`, which its rows do not have; "
        "did you mean `orderId`?"
    )


def test_without_a_schema_a_contract_has_the_key_and_the_renamed_fields(shop: Shop) -> None:
    api = shop(endpoint="/elsewhere", rename={"orderId": "number"})

    assert contract_of(api, "orders") == Contract("orders", (), ("orderId",), {"orderId": "number"})
    assert not contract_of(api, "orders").has_schema
    assert contract_of(api, "orders").hints() == {}
    assert contract_of(api, "orders").key_columns == ("number",)


def test_without_a_document_there_is_no_schema() -> None:
    api = Api(name="shop", config={**API.config, "resources": ["orders"]})

    assert not contract_of(api, "orders").has_schema
    assert contract_of(api, "orders").primary_key == ("id",)


def test_a_path_of_the_base_url_counts(shop: Shop) -> None:
    assert columns(shop(base_url="https://example.com/shop"))  # as it stands
    api = shop(
        base_url="https://example.com/orders", endpoint={"path": "", "data_selector": "data"}
    )
    assert columns(api)


def test_a_document_that_cannot_be_read_is_named(shop: Shop, clean_place: Path) -> None:
    api = shop()
    (clean_place / "shop.json").unlink()

    with pytest.raises(ContractError, match=r"shop\.json cannot be read"):
        contract_of(api, "orders")


BROKEN = "`#/paths/~1orders/get/responses/200/content/application~1json/schema/properties/data/"
BROKEN += "items/properties/user`"


def test_a_broken_reference_takes_the_contract_of_one_resource_alone(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    api = shop({**PROPERTIES, "user": {"$ref": "#/components/schemas/User"}})
    assert api.openapi
    file = Path(api.openapi)
    document = json.loads(file.read_text())
    rows = {"type": "array", "items": {"properties": PROPERTIES}}
    content = {"application/json": {"schema": rows}}
    document["paths"]["/users"] = {"get": {"responses": {"200": {"content": content}}}}
    file.write_text(json.dumps(document))
    entries = [*api.config["resources"], {"name": "users", "endpoint": "/users"}]
    both = Api(name="shop", config={**api.config, "resources": entries}, openapi=str(file))

    found = resources_of(both)

    assert len(found["users"].contract.columns) == len(PROPERTIES)
    assert found["users"].contract.problem is None
    orders = found["orders"].contract
    assert not orders.has_schema
    assert orders.key_columns == ("order_id",)
    assert orders.problem == (
        f"{file}: the `$ref` at {BROKEN} leads to `#/components/schemas/User`, which is not there"
    )
    assert [record.getMessage() for record in caplog.records] == [
        f"orders has no contract. {orders.problem}."
    ]


@pytest.mark.parametrize("resource", API.resources)
def test_the_resources_of_this_project_have_contracts(resource: str) -> None:
    contract = contract_of(API, resource)

    assert [column.name for column in contract.columns][:3] == ["id", "analytics_id", "date"]
    types = {column.name: column.data_type for column in contract.columns}
    assert types["date"] == "date"
    assert types["updated_at"] == "timestamp"
    assert contract.key_columns == ("id",)
    assert all(column.description for column in contract.columns)


def test_a_format_of_times_gives_its_column_a_type_unless_the_document_or_the_entry_does(
    shop: Shop,
) -> None:
    formats = {"orderId": "epoch_seconds", "placedOn": "epoch_milliseconds", "total": "%H:%M"}
    hints = {"total": {"data_type": "timestamp"}}

    found = columns(shop(time_formats=formats, columns=hints))

    types = {name: found[name].data_type for name in formats}
    assert types == {"orderId": "timestamp", "placedOn": "date", "total": "timestamp"}


def test_a_field_without_a_contract_has_the_type_of_its_format(shop: Shop) -> None:
    contract = contract_of(shop(properties={}, time_formats={"day": "%Y%m%d"}), "orders")
    nested = Contract("orders", time_formats={"meta.createdAt": "epoch_seconds"})

    assert contract.hints()["day"]["data_type"] == "date"
    assert nested.hints() == {
        "meta__created_at": {"name": "meta__created_at", "data_type": "timestamp"}
    }


def test_a_time_within_an_object_that_stays_json_has_no_column(shop: Shop) -> None:
    contract = contract_of(shop(time_formats={"user.since": "epoch_seconds"}), "orders")

    assert contract.formats == {}
    assert contract.hints().keys() == {"order_id", "total", "placed_on", "user"}


def test_a_format_of_a_field_that_no_row_has_is_refused(shop: Shop) -> None:
    with pytest.raises(ConfigurationError, match=r"`time_formats` names the field `placed`, which"):
        contract_of(shop(time_formats={"placed": "%Y"}), "orders")
