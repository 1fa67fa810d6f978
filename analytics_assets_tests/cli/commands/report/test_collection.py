"""The state of tables, collected from a warehouse and a history."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from analytics_assets.cli.commands.report.collection import REASONS, collect
from analytics_assets.cli.commands.report.table_report import Status, TableReport
from analytics_assets.config.api import Api
from analytics_assets.contract.resource import resources_of
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets.redaction.redactor import redact
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.orders import orders_api
from analytics_assets_tests.support.tables import opened_with

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
ROW = {"id": 7, "email": "ada@example.com", "total": "many"}
COLUMNS = (
    'resource varchar, rejected_at timestamptz, "offset" bigint, reason varchar, "row" varchar, '
    "_dlt_load_id varchar, _dlt_id varchar, api varchar"
)


def state(api: Api, instance: dg.DagsterInstance) -> TableReport:
    resources = list(resources_of(api).values())
    [table] = collect(resources, instance, build_definitions(api), NOW).tables
    return table


def reject(warehouse: Warehouse, *reasons: str) -> None:
    values = [
        f"('orders', '2026-01-30 01:00:00Z', {number}, '{reason}', '{json.dumps(ROW)}', '1', "
        f"'{number}', 'shop')"
        for number, reason in enumerate(reasons)
    ]
    with opened_with(warehouse, rejected_rows=(COLUMNS, ", ".join(values))):
        pass


@pytest.mark.parametrize(
    ("policy", "base_url", "shown"),
    [
        ({}, "https://shop.example.com", None),
        ({"preview": 1}, "https://shop.example.com", ROW),
        ({"preview": 0}, "", None),
        ({}, "", ROW),  # of the embedded API
        ({"sensitive": ["email"]}, "", {"id": 7, "total": "many"}),
    ],
)
def test_an_example_of_rejected_rows_is_shown_as_the_policy_allows(
    duckdb_warehouse: Warehouse,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
    policy: dict[str, Any],
    base_url: str,
    shown: dict[str, Any] | None,
) -> None:
    monkeypatch.setenv("BASE_URL", base_url)
    reject(duckdb_warehouse, "no", "no")

    [rejected] = state(orders_api(**policy), instance).rejected

    assert (rejected.reason, rejected.rows) == ("no", 2)
    assert rejected.oldest == datetime(2026, 1, 30, 1, tzinfo=UTC)
    assert (json.loads(rejected.example) if rejected.example else None) == shown


def test_the_most_frequent_reasons_are_shown_and_the_others_counted(
    warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    redact.add("hunter2-hunter2")
    reject(warehouse, *(f"reason {number:02}" for number in range(REASONS)), "x", "hunter2-hunter2")

    rejected = state(orders_api(), instance).rejected

    assert len(rejected) == REASONS + 1
    assert (rejected[-1].reason, rejected[-1].rows) == ("2 other reasons", 2)
    assert "hunter2" not in str(rejected)


def test_rows_are_counted_by_the_day_of_the_policy(
    warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    with opened_with(
        warehouse,
        orders=("id bigint, day date", "(1, '2026-01-30'), (2, '2026-01-30'), (3, '2020-01-01')"),
    ):
        pass

    table = state(orders_api(date_column="day"), instance)

    assert (table.rows, table.day_column) == ({NOW.date() - timedelta(days=1): 2}, "day")
    assert table.status is Status.never_loaded
    assert state(orders_api(), instance).rows == {}


def test_a_schedule_is_on_off_or_unknown(
    duckdb_warehouse: Warehouse, instance: dg.DagsterInstance, clean_place: Any
) -> None:
    def switches(of: dg.DagsterInstance, automation: str) -> list[tuple[str, bool | None]]:
        schedules = state(orders_api(automation=automation), of).schedules
        return [(schedule.name, schedule.is_on) for schedule in schedules]

    with dg.DagsterInstance.local_temp(str(clean_place)) as stored:
        assert switches(stored, "on") == [("shop_daily", True)]
        assert switches(stored, "off") == [("shop_daily", False)]
    assert switches(instance, "on") == [("shop_daily", None)]
