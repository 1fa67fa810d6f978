"""Metadata of the table after a load."""

import pytest

from analytics_assets.config.api import Api
from analytics_assets.contract.resource import resource_of
from analytics_assets.orchestration.metadata.names import NEWEST_CHANGE, ROW_COUNT
from analytics_assets.orchestration.metadata.table import table_metadata
from analytics_assets.warehouse.warehouse import Warehouse


@pytest.mark.parametrize(("field", "column"), [("changedAt", "changed_at"), ("a.b", "a__b")])
def test_the_newest_change_is_that_of_a_field_or_of_a_nested_one(
    warehouse: Warehouse, field: str, column: str
) -> None:
    with warehouse.pipeline("writer").sql_client() as client:
        client.create_dataset()
        table = client.make_qualified_table_name("orders")
        client.execute_sql(f"CREATE TABLE {table} ({column} timestamp with time zone)")
        for day in ("2026-01-02", "2026-01-03"):
            client.execute_sql(f"INSERT INTO {table} VALUES ('{day}T00:00:00Z')")
    config = {"client": {"base_url": "https://shop.example.com"}, "resources": ["orders"]}
    policy = {"orders": {"newest": {"params": {}, "field": field}}}
    orders = resource_of(Api(name="shop", config=config, policies=policy), "orders")  # type: ignore[arg-type]

    with warehouse.open() as tables:
        metadata = table_metadata(tables, orders)
        assert table_metadata(tables, orders, 5) == {**metadata, ROW_COUNT: 5}  # known by the load

    assert metadata[ROW_COUNT] == 2
    assert metadata[NEWEST_CHANGE] == "2026-01-03T00:00:00+00:00"
