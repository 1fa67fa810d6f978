"""The checks that apply: of a column that a contract knows, and of an API with rows."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.load import Partitioned
from analytics_assets.contract.resource import resource_of
from analytics_assets.orchestration.checks.applicability import (
    has_date_column,
    is_without_rows_yet,
)
from analytics_assets.orchestration.checks.table_checks import check_newest_data
from analytics_assets.orchestration.metadata.names import (
    ROW_COUNT,
    ROWS_EXPECTED,
    ROWS_LOADED,
    ROWS_RECEIVED,
    UNKNOWN,
)
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.orders import document_of, orders_api
from analytics_assets_tests.support.tables import opened_with

ASSET = dg.AssetKey(["shop", "orders"])
NOW = datetime(2026, 1, 12, 6, tzinfo=UTC)
ID = {"id": {"type": "integer"}}
DAY = {"date": {"type": "string", "format": "date"}}
NONE = {ROWS_RECEIVED: 0, ROWS_LOADED: 0, ROWS_EXPECTED: 0, ROW_COUNT: 0}


def shop(openapi: str | None = None, entry: dict[str, Any] | None = None, **policy: Any) -> Api:
    """The API `shop` with the default `date_column`, unless `policy` names one."""
    plain = orders_api(openapi)
    [known] = plain.config["resources"]
    config = {**plain.config, "resources": [{**known, **(entry or {})}]}
    return Api(name="shop", config=config, policies={"orders": policy}, openapi=openapi)  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("fields", "entry", "policy", "applies"),
    [
        (ID, {}, {}, False),
        (ID | DAY, {}, {}, True),
        (None, {}, {}, True),
        (ID, {}, {"date_column": "day"}, True),
        (ID | DAY, {}, {"date_column": None}, False),
        (ID | {"day": DAY["date"]}, {}, {"rename": {"day": "date"}}, True),
        (ID, {"processing_steps": [{"map": lambda row: row}]}, {}, True),
        (ID, {"columns": {"date": {"data_type": "date"}}}, {}, True),
        (ID, {"columns": [{"name": "date", "data_type": "date"}]}, {}, True),
        (ID, {}, {"load": Partitioned(start=date(2026, 1, 1))}, True),
    ],
)
def test_the_newest_day_is_checked_where_a_table_may_have_days(
    fields: Any, entry: dict[str, Any], policy: Any, applies: bool, tmp_path: Path
) -> None:
    openapi = document_of(tmp_path / "kept.json", fields, ["id"]) if fields else None

    assert has_date_column(resource_of(shop(openapi, entry, **policy), "orders")) is applies


@pytest.mark.parametrize(
    ("columns", "row", "text"),
    [
        ("id bigint", "(1)", "Does not apply: the table has no column `date`. Name the column"),
        ("id bigint, date date", "(1, NULL)", "Does not apply: no row has a value in `date`, the"),
        ("id bigint, date varchar", "(1, 'x')", "No row has a date or a time in `date`."),
    ],
)
def test_a_guessed_column_of_days_that_is_not_there_is_no_failure(
    columns: str, row: str, text: str, duckdb_warehouse: Warehouse
) -> None:
    resource = shop().resources["orders"]
    with opened_with(duckdb_warehouse, orders=(columns, row)) as tables:
        result = check_newest_data(tables, resource, NOW)

    assert result.text.startswith(text)
    assert result.passed is ("Does not apply" in text)


def test_a_partitioned_table_needs_its_column_of_days(duckdb_warehouse: Warehouse) -> None:
    resource = shop(load=Partitioned(start=date(2026, 1, 1))).resources["orders"]
    with opened_with(duckdb_warehouse, orders=("id bigint", "(1)")) as tables:
        assert not check_newest_data(tables, resource, NOW).passed


def materialized(instance: dg.DagsterInstance, *row_counts: int) -> None:
    for count in row_counts:
        metadata = {ROW_COUNT: count}
        instance.report_runless_asset_event(dg.AssetMaterialization(ASSET, metadata=metadata))


@pytest.mark.parametrize("total", [0, UNKNOWN, None])
def test_an_api_that_never_gave_a_row_has_none_yet(
    total: Any, instance: dg.DagsterInstance
) -> None:
    materialized(instance, 0, 0)

    assert is_without_rows_yet(instance, ASSET, {**NONE, ROWS_EXPECTED: total})


def test_a_table_that_had_rows_once_is_not_without_rows_yet(
    instance: dg.DagsterInstance,
) -> None:
    materialized(instance, 0, 5, 0)

    assert not is_without_rows_yet(instance, ASSET, NONE)


@pytest.mark.parametrize(
    "load",
    [
        {},
        {**NONE, ROWS_RECEIVED: 1},
        {**NONE, ROWS_LOADED: 1},
        {**NONE, ROWS_EXPECTED: 1},
        {**NONE, ROW_COUNT: 1},
    ],
)
def test_a_load_with_rows_and_none_at_all_are_not_without_rows_yet(
    load: dict[str, Any], instance: dg.DagsterInstance
) -> None:
    assert not is_without_rows_yet(instance, ASSET, load)
