"""Resources as configured: defaults applied, parents included, dispositions read."""

import threading
from collections.abc import Iterator, Mapping
from typing import Any

import dlt
import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.errors import ConfigurationError
from analytics_assets.config.resource import refuse_shared_tables

CLIENT = {"base_url": "https://api.example.com"}


def api(*resources: Any, **parts: Any) -> Api:
    config = {"client": CLIENT, "resources": list(resources), **parts}
    return Api(name="shop", config=config)


def names_of(config: Mapping[str, Any]) -> list[str]:
    return [entry if isinstance(entry, str) else entry["name"] for entry in config["resources"]]


def test_endpoint_and_primary_key_come_from_the_defaults_unless_the_entry_says_otherwise() -> None:
    shop = api(
        {"name": "orders", "endpoint": {"path": "/v1/orders"}, "primary_key": ["id", "line"]},
        {"name": "customers", "endpoint": "/v2/customers"},
        "articles",
        resource_defaults={"primary_key": "id", "endpoint": {"data_selector": "data"}},
    )

    assert shop.resources["orders"].endpoint == {"path": "/v1/orders", "data_selector": "data"}
    assert shop.resources["customers"].endpoint == {
        "path": "/v2/customers",
        "data_selector": "data",
    }
    assert shop.resources["articles"].endpoint == {"path": "articles", "data_selector": "data"}
    assert shop.resources["orders"].primary_key == ("id", "line")
    assert shop.resources["articles"].primary_key == ("id",)


def test_parameters_and_body_of_the_defaults_are_merged_as_dlt_merges_them() -> None:
    entry = {"name": "orders", "endpoint": {"params": {"sort": "id"}, "json": {"b": 2}}}
    default = {"params": {"sort": "day", "size": 9}, "json": {"a": 1}}

    endpoint = api(entry, resource_defaults={"endpoint": default}).resources["orders"].endpoint

    assert endpoint["params"] == {"sort": "id", "size": 9}
    assert endpoint["json"] == {"a": 1, "b": 2}


BY_PATH = {"name": "items", "endpoint": {"path": "/v1/orders/{resources.orders.id}/items"}}
BY_PARAMS = {"name": "items", "endpoint": {"params": {"order": "{resources.orders.id}"}}}
BY_BODY = {"name": "items", "endpoint": {"json": {"ids": ["{resources.orders.id}"]}}}
BY_RESOLVE = {
    "name": "items",
    "endpoint": {
        "path": "/v1/orders/{order}/items",
        "params": {"order": {"type": "resolve", "resource": "orders", "field": "id"}},
    },
}


@pytest.mark.parametrize("items", [BY_PATH, BY_PARAMS, BY_BODY, BY_RESOLVE])
def test_the_configuration_of_one_resource_holds_the_parents_it_is_read_from(
    items: dict[str, Any],
) -> None:
    shop = api(items, "customers", {"name": "orders"}, resource_defaults={"primary_key": "id"})

    config = shop.resources["items"].config

    assert names_of(config) == ["items", "orders"]
    assert config["client"] == CLIENT
    assert config["resource_defaults"] == {"primary_key": "id"}
    assert names_of(shop.resources["orders"].config) == ["orders"]


def test_parents_of_parents_are_found() -> None:
    parts = {"name": "parts", "endpoint": "/v1/items/{resources.items.id}/parts"}
    shop = api({"name": "orders"}, BY_PATH, parts)

    assert names_of(shop.resources["parts"].config) == ["orders", "items", "parts"]


def test_resources_that_are_read_from_each_other_do_not_hang() -> None:
    entries: list[Any] = [
        {"name": "orders", "endpoint": "/v1/{resources.items.id}/orders"},
        BY_PATH,
        {"name": "selfish", "endpoint": "/v1/{resources.selfish.id}"},
    ]
    found: list[list[str]] = []

    def look() -> None:
        shop = api(*entries)
        found.extend(names_of(shop.resources[name].config) for name in ("items", "selfish"))

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    looking.join(timeout=120)

    assert found == [["orders", "items"], ["selfish"]]


def test_a_parent_that_is_not_there_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(ConfigurationError) as refusal:
        api(BY_PATH, {"name": "order"})

    assert "resource `items` is read from the rows of `orders`" in str(refusal.value)
    assert "did you mean `order`?" in str(refusal.value)


@pytest.mark.parametrize(
    ("entry", "leaves_other_rows"),
    [
        ({"write_disposition": "append"}, True),
        ({"write_disposition": "merge"}, True),
        ({"write_disposition": {"disposition": "merge", "strategy": "upsert"}}, True),
        ({"write_disposition": {"disposition": "merge", "strategy": "scd2"}}, False),
        ({"write_disposition": "merge", "merge_key": "day"}, False),
        ({"write_disposition": "replace"}, False),
    ],
)
def test_a_load_of_some_rows_leaves_the_others_unless_it_replaces_them(
    entry: Any, leaves_other_rows: bool
) -> None:
    resource = api({"name": "orders", "primary_key": "id", **entry}).resources["orders"]
    assert resource.leaves_other_rows is leaves_other_rows


@pytest.mark.parametrize(
    ("disposition", "is_merged", "rewrites_rows", "has_unique_keys"),
    [
        ("append", False, True, False),
        ("replace", False, True, True),
        ("merge", True, True, True),
        ({"disposition": "merge", "strategy": "upsert"}, True, True, True),
        ({"disposition": "merge", "strategy": "scd2"}, False, False, False),
    ],
)
def test_the_write_disposition_decides_what_a_load_proves(
    disposition: Any, is_merged: bool, rewrites_rows: bool, has_unique_keys: bool
) -> None:
    entry = {"name": "orders", "primary_key": "id", "write_disposition": disposition}
    resource = api(entry).resources["orders"]
    assert resource.is_merged is is_merged
    assert resource.rewrites_rows is rewrites_rows
    assert resource.has_unique_keys is has_unique_keys


def test_processing_steps_may_drop_rows_so_that_a_row_read_is_no_row_of_the_table() -> None:
    entry = {"name": "orders", "primary_key": "id", "write_disposition": "merge"}
    assert api(entry).resources["orders"].loads_every_row
    steps = {**entry, "processing_steps": [{"filter": bool}]}
    assert not api(steps).resources["orders"].loads_every_row


def test_the_table_is_that_of_the_entry_or_of_the_defaults_or_of_the_function() -> None:
    @dlt.resource(name="visits", table_name="visited")
    def visits() -> Iterator[dict[str, int]]:
        yield {"id": 1}

    shop = api("orders", visits())
    assert [each.table for each in shop.resources.values()] == ["orders", "visited"]
    shop = api("orders", resource_defaults={"table_name": "sales"})
    assert shop.resources["orders"].table == "sales"


def test_two_resources_of_an_api_with_one_table_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="`shop/orders` and `shop/sales` have the same"):
        api("orders", {"name": "sales", "table_name": "orders"})


@pytest.mark.parametrize(
    ("tables", "reason"),
    [
        (
            {"shop/orders": "all.orders", "web/orders": "all.orders"},
            "`shop/orders` and `web/orders` have the same table, all.orders; give one of them",
        ),
        (
            {"shop/web_orders": "all.a", "shop_web/orders": "all.b"},
            "`shop/web_orders` and `shop_web/orders` have the same dlt pipeline",
        ),
        (
            {"shop/orders": "shop.orders", "shop_staging/orders": "shop_staging.orders"},
            "`shop_staging/orders` is loaded into the dataset shop_staging, in which dlt stages",
        ),
    ],
)
def test_a_resource_that_overwrites_what_another_stores_is_refused(
    tables: dict[str, str], reason: str
) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        refuse_shared_tables(tables.items())


def test_resources_in_datasets_of_their_own_may_have_the_same_names() -> None:
    refuse_shared_tables({"shop/orders": "shop.orders", "web/orders": "web.orders"}.items())
    refuse_shared_tables({"shop/web_orders": "a.orders", "shop_web/orders": "b.orders"}.items())
