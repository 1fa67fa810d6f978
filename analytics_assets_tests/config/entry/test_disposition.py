"""Entries that name no write disposition: a second load does not double the table."""

from typing import Any

import dagster as dg
import pytest

from analytics_assets.config.api import Api
from analytics_assets.extract.source import rest_api_source
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.loading import api_with, load

CURSOR = {"cursor_path": "updated_at", "start_param": "since", "initial_value": "2026-01-01"}


def api(entry: Any, **parts: Any) -> Api:
    client = {"base_url": "https://shop.example.com"}
    return Api(name="shop", config={"client": client, "resources": [entry], **parts})


@pytest.mark.parametrize(
    ("entry", "disposition"),
    [
        ({"name": "orders", "primary_key": "id"}, "merge"),
        ({"name": "orders", "primary_key": ["shop", "id"]}, "merge"),
        ({"name": "orders", "merge_key": "day"}, "merge"),
        ({"name": "orders"}, "replace"),
        ("orders", "replace"),
        ({"name": "orders", "primary_key": "id", "write_disposition": "append"}, "append"),
        ({"name": "orders", "endpoint": {"incremental": CURSOR}}, "append"),
    ],
    ids=["key", "two keys", "merge key", "no key", "text", "stated", "cursor of dlt"],
)
def test_rows_with_a_key_are_merged_and_others_replaced_unless_the_entry_has_a_disposition(
    entry: Any, disposition: str
) -> None:
    assert api(entry).resources["orders"].write_disposition["disposition"] == disposition


@pytest.mark.parametrize("entry", ["orders", {"name": "orders"}], ids=["text", "entry"])
def test_a_disposition_or_a_key_of_resource_defaults_counts(entry: Any) -> None:
    of_defaults = {
        name: api(entry, resource_defaults=defaults)
        .resources["orders"]
        .write_disposition["disposition"]
        for name, defaults in {
            "key": {"primary_key": "id"},
            "stated": {"primary_key": "id", "write_disposition": "append"},
        }.items()
    }
    assert of_defaults == {"key": "merge", "stated": "append"}


def test_dlt_gets_the_disposition_with_the_entry() -> None:
    resource = api({"name": "orders", "primary_key": "id"}).resources["orders"]
    source = rest_api_source(resource.config)
    assert source.resources["orders"].write_disposition == "merge"


@pytest.mark.parametrize("key", [{}, {"primary_key": "id"}], ids=["no key", "key"])
def test_a_second_load_leaves_each_row_once(
    serve: Any, duckdb_warehouse: Warehouse, instance: dg.DagsterInstance, key: dict[str, str]
) -> None:
    plain = api_with("orders").config
    entries = [{**each, **key} for each in plain["resources"]]
    config = {"client": plain["client"], "resources": entries}
    for rows in ([{"id": 1}, {"id": 2}], [{"id": 1}, {"id": 2}, {"id": 3}]):
        serve(rows)
        assert load(instance, api=Api(name="shop", config=config)).success

    with duckdb_warehouse.open() as tables:
        assert tables.row_count("orders") == 3
