"""Rows outside the days asked for: counted, and an API that ignores its dates is found out."""

from datetime import UTC, datetime
from typing import Any

import dagster as dg
import dlt
import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.load import Partitioned
from analytics_assets.config.window import Window
from analytics_assets.contract import Contract
from analytics_assets.contract.column import Column, DataType
from analytics_assets.extract.incremental.time_window import TimeWindow
from analytics_assets.extract.incremental.window_check import watch_window
from analytics_assets.sandbox.series import FIRST_DAY
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import point_at
from analytics_assets_tests.support.loading import failures_of, table_rows
from analytics_assets_tests.support.paged_server import orders, paged, serving, source_of
from analytics_assets_tests.support.partitioned import api_by_day, load_days, told_of
from analytics_assets_tests.support.sandbox import Sandbox

IGNORED = Window(start_param="from", end_param="until")  # the API passes over unknown parameters
DAYS = ("2025-07-04", "2025-07-05")


def rows_on(*days: Any, field: str = "day") -> list[dict[str, Any]]:
    return [{"id": number, field: day} for number, day in enumerate(days)]


def orders_by_day(date_column: str = "day", window: Window = IGNORED, **columns: Any) -> Api:
    entry = {
        "name": "orders",
        "primary_key": "id",
        "write_disposition": "merge",
        "columns": columns,
        "endpoint": {"path": "/v1/orders", "data_selector": "data"},
    }
    config = {"client": api_by_day("page_views").config["client"], "resources": [entry]}
    how = Partitioned(start=FIRST_DAY, window=window)
    return Api(
        name="shop",
        config=config,
        policies={"orders": {"load": how, "date_column": date_column}},
    )


def load_orders(
    rows: list[dict[str, Any]],
    api: Api,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> dg.ExecuteInProcessResult:
    with Sandbox(extra_rows={"orders": rows}) as sandbox:
        point_at(sandbox, monkeypatch)
        return load_days(instance, api, *DAYS)


def test_an_api_that_ignores_its_dates_fails_on_the_first_window_before_anything_is_loaded(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    api = api_by_day("traffic_sources", window=IGNORED, longest_window=4)
    result = load_days(instance, api)
    [said] = failures_of(result).values()
    assert said.startswith(
        "traffic_sources was not loaded for 2025-07-02 to 2025-07-05. 390 of the 450 rows for "
        "from=2025-07-02, until=2025-07-05 lie outside of that by their `date`; the API "
        "seems to ignore `from` and `until`."
    )
    with warehouse.open() as tables:
        assert tables.columns("traffic_sources") == {}
    assert told_of(instance, api) == {}


def test_rows_outside_the_window_are_loaded_and_counted(
    warehouse: Warehouse, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = rows_on("2025-07-03", "2025-07-04", "2025-07-05T12:00:00Z", "2025-07-05", "2025-07-06")
    api = orders_by_day()
    assert load_orders(rows, api, instance, monkeypatch).success
    told = told_of(instance, api)
    assert {day: each["rows_outside_window"] for day, each in told.items()} == dict.fromkeys(
        DAYS, 2
    )
    assert len(table_rows(warehouse, "orders")) == len(rows)


@pytest.mark.parametrize("date_column", ["day", "about__day", "when"])
def test_the_day_of_a_row_is_found_where_its_column_comes_from(
    date_column: str,
    warehouse: Warehouse,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [
        {"id": number, "day": day, "about": {"day": day}, "When": f"{day}T23:00:00Z"}
        for number, day in enumerate(("2025-07-05", "2025-07-05", "2025-07-06"))
    ]
    api = orders_by_day(date_column)
    assert load_orders(rows, api, instance, monkeypatch).success
    assert told_of(instance, api)[DAYS[1]]["rows_outside_window"] == 1
    assert told_of(instance, api)[DAYS[1]]["dagster/partition_row_count"] == 2


def test_a_date_column_that_no_row_has_is_named_before_anything_is_loaded(
    warehouse: Warehouse, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = load_orders(rows_on("2025-07-05"), orders_by_day("date"), instance, monkeypatch)
    [said] = failures_of(result).values()
    assert "none of the 1 rows" in said
    assert "has a value in `date`" in said
    assert "`date_column`" in said


def test_a_window_without_rows_is_loaded(
    warehouse: Warehouse, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = orders_by_day()
    assert load_orders([], api, instance, monkeypatch).success
    told = told_of(instance, api)
    assert {day: each["dagster/partition_row_count"] for day, each in told.items()} == (
        dict.fromkeys(DAYS, 0)
    )


def rows_outside(contract: Contract, rows: list[dict[str, Any]], how: Window | None = None) -> int:
    """Read rows of two days, and return how many are said to lie outside."""
    start, end = (datetime(2025, 7, day, tzinfo=UTC) for day in (4, 6))
    pipeline = dlt.pipeline("test", destination="duckdb", dataset_name="shop")
    with serving(paged(rows)) as server:
        source = source_of(server, orders({"write_disposition": "merge"}), contract=contract)
        watch_window(source.resources["orders"], "day", TimeWindow(start, end, how or Window()))
        extracted = pipeline.extract(source, loader_file_format="parquet")
    [packages] = extracted.metrics.values()
    [metrics] = [
        package["resource_metrics"]["orders"].custom_metrics
        for package in packages
        if "orders" in package["resource_metrics"]
    ]
    return int(metrics["rows_outside_window"])


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("date", ["2025-07-04", "2025-07-05", "2025-07-05", "2025-07-06"]),
        (
            "timestamp",
            ["2025-07-03T23:59:59.999999Z", "2025-07-04T00:00:00Z", "2025-07-06T01:00:00+02:00"],
        ),
        ("text", ["20250703", "2025-07-05", "2025-07-05T23:00:00Z", "20250704"]),
    ],
)
def test_arrow_tables_are_counted_like_rows(
    kind: DataType, written: list[Any], arrow_tables: list[Any]
) -> None:
    rows = rows_on(*written, None)
    columns = (Column("id", "id", "bigint", nullable=False), Column("day", "day", kind, True))
    typed, untyped = Contract("orders", columns, ("id",)), Contract("orders", primary_key=("id",))
    assert rows_outside(untyped, rows) == 2
    assert arrow_tables == []
    assert rows_outside(typed, rows) == 2
    assert arrow_tables != []


@pytest.mark.parametrize(
    ("form", "kind", "written"),
    [
        ("%Y-%m-%dT%H:%M:%SZ", "date", ["2025-07-06", "2025-07-07"]),
        ("%Y-%m-%dT%H:%M:%SZ", "timestamp", ["2025-07-06T00:00:00.9Z", "2025-07-06T00:00:01Z"]),
        ("%Y-%m-%dT%HZ", "timestamp", ["2025-07-06T00:59:59Z", "2025-07-06T01:00:00Z"]),
        ("%Y-%m-%dT%HZ", "text", ["2025-07-06", "2025-07-06T01:00:00Z"]),
    ],
)
def test_rows_of_the_moment_that_is_sent_as_an_inclusive_end_do_not_lie_outside(
    form: str, kind: DataType, written: list[str]
) -> None:
    columns = (Column("id", "id", "bigint", nullable=False), Column("day", "day", kind, True))
    typed, untyped = Contract("orders", columns, ("id",)), Contract("orders", primary_key=("id",))
    rows = rows_on(*["2025-07-05" if kind == "date" else "2025-07-05T00:00:00Z"] * 2, *written)
    for contract in (typed, untyped):
        assert rows_outside(contract, rows, Window(format=form)) == 1
        assert rows_outside(contract, rows, Window(format=form, end_is_inclusive=False)) == 2
