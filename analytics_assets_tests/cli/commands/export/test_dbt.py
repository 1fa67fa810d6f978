"""dbt's sources: values that dbt, and dagster-dbt, read."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from analytics_assets.cli.commands.export.dbt import RESERVED, dbt_sources
from analytics_assets.config.load import Partitioned
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.cli.commands.export.described import described, orders_api
from analytics_assets_tests.support.tables import opened_with


def source(place: Path, **policy: Any) -> dict[str, Any]:
    [found] = dbt_sources(list(described(orders_api(place, **policy)).values()))["sources"]
    return dict(found)


def orders(place: Path, **policy: Any) -> dict[str, Any]:
    return dict(source(place, **policy)["tables"][0])


def column(table: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in table["columns"] if each["name"] == name)


def test_a_source_is_the_dataset_of_an_api_in_its_warehouse(
    duckdb_warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATASET_NAME")
    found = source(tmp_path)
    assert (found["name"], found["schema"], found["database"]) == ("shop", "shop", "warehouse")
    monkeypatch.setenv("SOURCES__SHOP__DATASET_NAME", "sales")
    monkeypatch.setenv("DESTINATION_TYPE", "snowflake")
    tables = described(orders_api(tmp_path), contract_only=True)
    [found] = dbt_sources(list(tables.values()))["sources"]
    assert (found["schema"], "database" in found) == ("sales", False)


def test_a_table_has_its_asset_key_its_owners_and_its_tags(tmp_path: Path) -> None:
    config = orders(tmp_path, owners=["team:sales"], tags={"domain": "money", "pii": ""})["config"]
    assert config["meta"] == {
        "dagster": {"asset_key": ["shop", "orders"]},
        "owners": ["team:sales"],
    }
    assert config["tags"] == ["domain:money", "pii"]


@pytest.mark.parametrize(
    ("policy", "limit"),
    [
        ({"freshness": timedelta(hours=36)}, {"count": 36, "period": "hour"}),
        ({"freshness": timedelta(days=2)}, {"count": 2, "period": "day"}),
        ({"freshness": timedelta(seconds=90)}, {"count": 2, "period": "minute"}),
        # the partition of a day may be loaded at its end, and the next one a day and 6 hours later
        (
            {
                "load": Partitioned(by="day", start=date(2025, 1, 1)),
                "freshness": timedelta(hours=6),
            },
            {"count": 30, "period": "hour"},
        ),
    ],
)
def test_freshness_is_the_longest_age_of_the_last_load(
    tmp_path: Path, policy: dict[str, Any], limit: dict[str, Any]
) -> None:
    assert orders(tmp_path, **policy)["config"]["freshness"] == {"error_after": limit}


@pytest.mark.parametrize(
    ("destination", "expression"),
    [
        ("duckdb", "TO_TIMESTAMP(CAST(_dlt_load_id AS DOUBLE))"),
        ("postgres", "TO_TIMESTAMP(CAST(_dlt_load_id AS DOUBLE PRECISION))"),
    ],
)
def test_the_time_of_a_load_is_in_the_dialect_of_the_warehouse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, destination: str, expression: str
) -> None:
    monkeypatch.setenv("DESTINATION_TYPE", destination)
    [found] = dbt_sources([described(orders_api(tmp_path), contract_only=True)["orders"]])[
        "sources"
    ]
    assert found["tables"][0]["config"]["loaded_at_field"] == expression


def test_columns_have_types_descriptions_and_tests(tmp_path: Path) -> None:
    table = orders(tmp_path)
    assert column(table, "day") == {"name": "day", "data_type": "DATE", "data_tests": ["not_null"]}
    assert column(table, "note") == {"name": "note", "data_type": "VARCHAR"}
    [not_null, accepted] = column(table, "state")["data_tests"]
    assert not_null == "not_null"
    assert accepted["accepted_values"]["arguments"] == {"values": ["new", "paid"]}
    assert accepted["accepted_values"]["config"] == {"severity": "warn"}
    [_, accepted] = column(table, "rank")["data_tests"]
    assert accepted["accepted_values"]["arguments"] == {"values": ["1", "2"], "quote": False}


def test_a_key_of_one_column_is_unique_in_it_and_a_longer_one_in_the_table(
    tmp_path: Path,
) -> None:
    table = orders(tmp_path, key=["number"])
    assert column(table, "number")["data_tests"] == ["unique", "not_null"]
    assert "data_tests" not in table
    table = orders(tmp_path)
    assert column(table, "number")["data_tests"] == ["not_null"]
    [test] = table["data_tests"]
    key = test["unique"]["arguments"]["column_name"]
    assert key == 'CAST("shop" AS TEXT) || \'|\' || CAST("number" AS TEXT)'


def test_a_column_that_is_a_word_of_sql_is_quoted(
    duckdb_warehouse: Warehouse, tmp_path: Path
) -> None:
    events = ('"order" bigint, kind varchar', "")
    with opened_with(duckdb_warehouse, events=events):
        pass
    table = source(tmp_path)["tables"][1]
    assert column(table, "order") == {"name": "order", "data_type": "BIGINT", "quote": True}
    assert column(table, "kind") == {"name": "kind", "data_type": "VARCHAR"}
    with duckdb.connect() as connection:
        words = connection.sql(
            "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category = 'reserved'"
        ).fetchall()
    assert {word for (word,) in words} <= RESERVED


def test_a_description_with_marks_of_jinja_is_shown_as_it_is(tmp_path: Path) -> None:
    table = orders(tmp_path)
    shown = column(table, "number")["description"]
    assert shown == "{% raw %}Counts {{ from }} 1.{% endraw %}"


def test_a_table_without_a_contract_has_columns_once_it_is_loaded(
    duckdb_warehouse: Warehouse, tmp_path: Path
) -> None:
    assert "columns" not in source(tmp_path)["tables"][1]
    events = ("kind varchar, _dlt_id varchar", "")
    items = ("size bigint, _dlt_parent_id varchar", "")
    with opened_with(duckdb_warehouse, events=events, events__items=items):
        pass
    _, events_table, items_table = source(tmp_path)["tables"]
    assert events_table["columns"] == [{"name": "kind", "data_type": "VARCHAR"}]
    assert items_table["name"] == "events__items"
    assert [each["name"] for each in items_table["columns"]] == ["size", "_dlt_parent_id"]
    assert "config" not in items_table
