"""The time window of a run is checked: rows outside are counted, and ignored dates fail the run."""

from typing import Any

import dagster as dg
import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.load import Partitioned
from analytics_assets.config.times.window import Window
from analytics_assets.orchestration.metadata.names import (
    ROWS_OUTSIDE,
)
from analytics_assets.sandbox.series import FIRST_DAY
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import point_at
from analytics_assets_tests.support.loading import failures_of, table_rows
from analytics_assets_tests.support.partitioned import api_by_day, load_days, metadata_by_day
from analytics_assets_tests.support.sandbox import Sandbox

IGNORED = Window(start_param="from", end_param="until")  # parameters that the API ignores
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
    connected: Sandbox, duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    api = api_by_day("traffic_sources", window=IGNORED, longest_window=4)
    result = load_days(instance, api)
    [reason] = failures_of(result).values()
    assert reason.startswith(
        "traffic_sources was not loaded for 2025-07-02 to 2025-07-05. 390 of the 450 rows for "
        "from=2025-07-02, until=2025-07-05 have a `date` outside of it; the API "
        "seems to ignore `from` and `until`."
    )
    with duckdb_warehouse.open() as tables:
        assert tables.columns("traffic_sources") == {}
    assert metadata_by_day(instance, api) == {}


def test_rows_outside_the_window_are_loaded_and_counted(
    duckdb_warehouse: Warehouse, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = rows_on("2025-07-03", "2025-07-04", "2025-07-05T12:00:00Z", "2025-07-05", "2025-07-06")
    api = orders_by_day()
    assert load_orders(rows, api, instance, monkeypatch).success
    metadata = metadata_by_day(instance, api)
    assert metadata[DAYS[-1]][ROWS_OUTSIDE] == 2
    assert len(table_rows(duckdb_warehouse, "orders")) == len(rows)
