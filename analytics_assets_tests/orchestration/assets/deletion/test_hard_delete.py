"""Rows that mark others as deleted: the table is right, and the load's rows are accounted for."""

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from analytics_assets.config.api import Api
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.loading import check_of, load, table_rows
from analytics_assets_tests.support.orders import document_of
from analytics_assets_tests.support.paged_server import Answers, orders, paged, serving

DELETED: dict[str, Any] = {"deleted": {"hard_delete": True}}
SORTED = {"version": {"dedup_sort": "desc"}}
FIELDS = {
    "id": {"type": "integer"},
    "name": {"type": "string"},
    "version": {"type": "integer"},
    "deleted": {"type": "boolean"},
}
UNKNOWN = {"id": 99, "deleted": True}
BEFORE = [{"id": number, "name": f"row {number}", "version": 1} for number in range(1, 5)]
pytestmark = [pytest.mark.merge, pytest.mark.usefixtures("warehouse")]


def loaded(
    instance: dg.DagsterInstance,
    answers: Answers,
    columns: dict[str, Any],
    openapi: str | None = None,
) -> dg.ExecuteInProcessResult:
    with serving(answers) as server:
        entry = orders(
            {"write_disposition": "merge", "columns": columns},
            path="/v1/orders",
            paginator={"type": "offset", "limit": 2},
        )
        api = Api(
            name="shop",
            config={"client": {"base_url": server.base_url}, "resources": [entry]},
            policies={"orders": {"date_column": None}},
            openapi=openapi,
        )
        result = load(instance, "orders", api=api)
    assert result.success
    return result


def versions() -> list[tuple[Any, ...]]:
    rows = table_rows(Warehouse.from_settings("shop"), "orders")
    return [(row["id"], row["version"]) for row in rows]


def test_deleted_rows_leave_the_table_and_the_read_is_complete(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    openapi = document_of(tmp_path / "openapi.json", FIELDS, ["id", "name"])
    first = loaded(instance, paged([*BEFORE, UNKNOWN]), DELETED, openapi)
    changed = [{**BEFORE[0], "version": 2}, {"id": 2, "deleted": True}, BEFORE[3]]
    changed += [{**BEFORE[2], "deleted": True}, UNKNOWN, {**BEFORE[3], "deleted": False}]
    result = loaded(instance, paged(changed), DELETED, openapi)

    assert versions() == [(1, 2), (4, 1)]
    assert check_of(first, "complete_read").passed
    assert "3 of them are deletes" in str(check_of(result, "complete_read").description)
    assert check_of(result, "no_rejected_rows").passed


def test_the_newest_version_wins_be_it_a_delete_or_not(instance: dg.DagsterInstance) -> None:
    loaded(instance, paged(BEFORE), {**DELETED, **SORTED})
    changes = [
        {**BEFORE[0], "version": 3},
        {**BEFORE[0], "version": 2},
        {"id": 2, "version": 3, "deleted": True},
        {**BEFORE[1], "version": 2},
        {**BEFORE[2], "version": 3},
        {"id": 3, "version": 2, "deleted": True},
    ]
    result = loaded(instance, paged(changes), {**DELETED, **SORTED})

    assert versions() == [(1, 3), (3, 3), (4, 1)]
    check = check_of(result, "complete_read")
    assert check.passed
    assert "3 were superseded, by `dedup_sort`" in str(check.description)
