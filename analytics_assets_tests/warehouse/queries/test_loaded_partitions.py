"""Queries on the table `loaded_partitions`."""

from datetime import UTC, datetime, timedelta

import pytest
from dlt import Pipeline

from analytics_assets.config.api import Api
from analytics_assets.config.errors import ConfigurationError
from analytics_assets.warehouse.queries.loaded_partitions import AT_ONCE, LoadedPartition
from analytics_assets.warehouse.queries.tables import open_tables
from analytics_assets.warehouse.warehouse import Warehouse

START = datetime(2026, 1, 31, 12, 30, 0, 250, tzinfo=UTC)
HOUR = timedelta(hours=1)
CLIENT = {"base_url": "https://shop.example.com"}
API = Api(name="shop", config={"client": CLIENT, "resources": ["orders", "items"]})
ORDERS, ITEMS = API.resources["orders"], API.resources["items"]


def test_its_name_is_refused_for_the_table_of_a_resource() -> None:
    with pytest.raises(ConfigurationError, match="has the partitions that were loaded"):
        Api(name="shop", config={"client": CLIENT, "resources": ["loaded_partitions"]})


def partition(key: str, rows: int = 1, at: datetime = START) -> LoadedPartition:
    return LoadedPartition(key, "Europe/Berlin", at, "1769862600.5", rows)


def writer(warehouse: Warehouse) -> Pipeline:
    pipeline = warehouse.pipeline("writer")
    with pipeline.sql_client() as client:
        client.create_dataset()
    return pipeline


def test_partitions_are_kept_with_their_last_load(warehouse: Warehouse) -> None:
    whole = LoadedPartition("2026-01-03", "UTC", START, None, 0, 7, "2026-01-04T00:00:00+00:00")
    with open_tables(writer(warehouse)) as tables:
        orders, items = tables.loaded_partitions(ORDERS), tables.loaded_partitions(ITEMS)
        assert orders.is_empty()
        assert orders.all() == []
        orders.store([])
        assert orders.is_empty()
        orders.store([partition("2026-01-01"), partition("2026-01-02", 5)])
        items.store([partition("2026-01-02", 9)])
        orders.store([partition("2026-01-02", 6, START + HOUR), whole])
        assert not orders.is_empty()
    with warehouse.open() as tables:
        assert tables.loaded_partitions(ORDERS).all() == [
            partition("2026-01-01"),
            partition("2026-01-02", 6, START + HOUR),
            whole,
        ]
        assert tables.loaded_partitions(ITEMS).all() == [partition("2026-01-02", 9)]


def test_the_partitions_of_one_resource_are_forgotten(warehouse: Warehouse) -> None:
    with open_tables(writer(warehouse)) as tables:
        orders, items = tables.loaded_partitions(ORDERS), tables.loaded_partitions(ITEMS)
        orders.delete()
        orders.store([partition("2026-01-01"), partition("2026-01-02", at=START + HOUR)])
        items.store([partition("2026-01-01")])
        orders.delete()
        assert orders.is_empty()
    with warehouse.open() as tables:
        assert not tables.loaded_partitions(ITEMS).is_empty()


def test_years_of_days_are_stored_at_once(warehouse: Warehouse) -> None:
    many = [partition(f"{number:05}") for number in range(2 * AT_ONCE + 1)]
    with open_tables(writer(warehouse)) as tables:
        partitions = tables.loaded_partitions(ORDERS)
        partitions.store(many)
        partitions.store(many)
        assert partitions.all() == many


def test_two_loads_may_make_the_table_at_the_same_time(postgres_warehouse: Warehouse) -> None:
    pipeline = writer(postgres_warehouse)
    with open_tables(pipeline) as first, open_tables(pipeline) as second:
        orders, items = first.loaded_partitions(ORDERS), second.loaded_partitions(ITEMS)
        orders.store([partition("2026-01-01")])
        items.store([partition("2026-01-01")])
        assert (len(orders.all()), len(items.all())) == (1, 1)
