"""Rows that the API marks as deleted: removed or kept, by the policy `tombstone`."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.load import Full, Incremental, Partitioned
from analytics_assets.contract.contract import DELETED
from analytics_assets.contract.resource import resource_of
from analytics_assets.orchestration.assets.rejections import Retry, retry_rejected_rows
from analytics_assets.orchestration.metadata.names import (
    COLUMN_SCHEMA,
    DELETED_KEYS,
    PAGES_BY_DLT,
    PAGES_TYPED,
    ROWS_MARKED_DELETED,
    TOMBSTONES_KEPT,
)
from analytics_assets.orchestration.metadata.table_schema import contract_schema
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.loading import (
    check_of,
    failures_of,
    load,
    metadata_of,
    table_rows,
)
from analytics_assets_tests.support.orders import document_of
from analytics_assets_tests.support.paged_server import orders, paged, serving
from analytics_assets_tests.support.partitioned import load_days

FIELDS = {
    "id": {"type": "integer"},
    "name": {"type": "string"},
    "day": {"type": "string", "format": "date"},
    "updated_at": {"type": "string", "format": "date-time"},
    "deleted": {"type": "boolean"},
}
DAY, AT = "2025-07-10", "2025-07-10T12:00:00Z"
BEFORE = [
    {"id": number, "name": f"row {number}", "day": DAY, "updated_at": AT} for number in range(1, 7)
]
DELETE = {"field": "deleted", "rows": "delete"}
KEEP = {"field": "deleted", "rows": "keep"}
LOADS = {
    "full": Full(),
    "incremental": Incremental(initial_value="2025-07-01T00:00:00Z"),
    "partitioned": Partitioned(start=date(2025, 7, 10)),
}


def loaded(
    instance: dg.DagsterInstance,
    rows: Sequence[Any],
    tombstone: Any = None,
    how: str = "full",
    openapi: str | None = None,
    steps: Sequence[Any] = (),
    **policy: Any,
) -> dg.ExecuteInProcessResult:
    with serving(paged(list(rows))) as server:
        api = api_at(server.base_url, tombstone or DELETE, how, openapi, steps, **policy)
        if how == "partitioned":
            return load_days(instance, api, DAY)
        return load(instance, "orders", api=api)


def api_at(
    url: str,
    tombstone: Any,
    how: str = "full",
    openapi: str | None = None,
    steps: Sequence[Any] = (),
    **policy: Any,
) -> Api:
    entry = orders(
        {"write_disposition": "merge", "processing_steps": [*steps]},
        path="/v1/orders",
        paginator={"type": "offset", "limit": 2},
    )
    return Api(
        name="shop",
        config={"client": {"base_url": url}, "resources": [entry]},
        policies={
            "orders": {
                "date_column": "day",
                "load": LOADS[how],
                "tombstone": tombstone,
                **policy,  # type: ignore[typeddict-item]
            }
        },
        openapi=openapi,
    )


def in_table(*fields: str) -> list[Any]:
    rows = table_rows(Warehouse.from_settings("shop"), "orders")
    return [tuple(row.get(field) for field in fields) for row in rows]


def details_of(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    return metadata_of(result, "orders", api_at("http://any", DELETE))


@pytest.mark.merge
@pytest.mark.usefixtures("warehouse")
@pytest.mark.parametrize(
    ("how", "described"),
    [("full", True), ("full", False), ("incremental", False), ("partitioned", True)],
)
def test_tombstones_remove_the_rows_of_their_keys(
    instance: dg.DagsterInstance, tmp_path: Path, how: str, described: bool
) -> None:
    openapi = None
    if described:
        openapi = document_of(tmp_path / "openapi.json", FIELDS, ["id", "name", "day"])
    assert loaded(instance, BEFORE, how=how, openapi=openapi).success
    changes = [
        {**BEFORE[0], "name": "changed"},
        {"id": 2, "deleted": True},
        {**BEFORE[2], "deleted": True},
        {**BEFORE[3], "deleted": False},
        {**BEFORE[4], "deleted": None},
        {"id": 99, "deleted": True},
    ]
    result = loaded(instance, changes, how=how, openapi=openapi)

    assert result.success, failures_of(result)
    names = [(1, "changed"), (4, "row 4"), (5, "row 5"), (6, "row 6")]
    assert in_table("id", "name") == names
    details = details_of(result)
    assert details[ROWS_MARKED_DELETED] == 3
    assert DELETED_KEYS not in details
    found = [each for each in result.get_asset_check_evaluations() if not each.passed]
    # July is over, the server has no document, and `deleted` is new where no contract has it
    expected = {"newest_data", "newest_partition", "missing_partitions", "contract_drift"}
    assert {each.check_name for each in found} <= {*expected, "columns_unchanged"}
    assert "3 of them are deletes" in str(check_of(result, "complete_read").description)


@pytest.mark.usefixtures("duckdb_warehouse")
def test_pages_without_tombstones_stay_columns(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    openapi = document_of(tmp_path / "openapi.json", FIELDS, ["id", "name"])
    rows = [*BEFORE[:4], {"id": 5, "deleted": True}, BEFORE[5]]
    details = details_of(loaded(instance, rows, openapi=openapi))

    assert (details[PAGES_TYPED], details[PAGES_BY_DLT]) == (2, 1)
    assert in_table("id") == [(1,), (2,), (3,), (4,), (6,)]


@pytest.mark.usefixtures("duckdb_warehouse")
def test_a_mark_within_an_object_may_be_a_time(
    instance: dg.DagsterInstance,
) -> None:
    tombstone = {"field": "meta.gone", "rows": "delete"}
    loaded(instance, BEFORE[:3], tombstone)
    gone, there = {"gone": "2025-07-11T01:00:00Z"}, {"gone": None}
    rows = [{**BEFORE[0], "meta": gone}, {"id": 3, "meta": gone}, {**BEFORE[1], "meta": there}]
    loaded(instance, rows, tombstone)

    assert in_table("id", "name") == [(2, "row 2")]


@pytest.mark.usefixtures("duckdb_warehouse")
def test_a_value_that_says_neither_fails_the_load_with_the_remedy(
    instance: dg.DagsterInstance,
) -> None:
    loaded(instance, BEFORE)
    result = loaded(instance, [{**BEFORE[0], "deleted": "archived"}, {"id": 2, "deleted": True}])

    [reason] = failures_of(result).values()
    assert "`deleted`, the field of `tombstone` in the policy, has a text that is neither" in reason
    assert "archived" not in reason
    assert len(in_table("id")) == 6


@pytest.mark.usefixtures("duckdb_warehouse")
def test_a_kept_tombstone_is_a_row_with_its_column_and_counted(
    instance: dg.DagsterInstance,
) -> None:
    loaded(instance, BEFORE[:2], KEEP)
    result = loaded(instance, [{**BEFORE[0], "deleted": True}, BEFORE[1]], KEEP)

    assert in_table("id", "name", "deleted") == [(1, "row 1", True), (2, "row 2", None)]
    assert details_of(result)[TOMBSTONES_KEPT] == 1
    check = check_of(result, "complete_read")
    assert check.passed
    assert "1 of them is deleted, and kept." in str(check.description)


@pytest.mark.usefixtures("duckdb_warehouse")
@pytest.mark.parametrize("others", [BEFORE[1:2], []])
def test_a_kept_tombstone_that_would_empty_the_columns_of_its_row_is_rejected(
    instance: dg.DagsterInstance, others: list[Any]
) -> None:
    loaded(instance, BEFORE[:2], KEEP)
    result = loaded(instance, [{"id": 1, "deleted": True}, *others], KEEP, max_rejected_share=1.0)

    assert result.success, failures_of(result)
    assert in_table("id", "name") == [(1, "row 1"), (2, "row 2")]
    check = str(check_of(result, "no_rejected_rows").description)
    assert "which would empty the columns of the row that is kept" in check


@pytest.mark.merge
@pytest.mark.usefixtures("warehouse")
def test_the_policy_may_change_from_one_to_the_other_and_be_taken_out(
    instance: dg.DagsterInstance,
) -> None:
    mark = [{**BEFORE[0], "deleted": True}, *BEFORE[1:3]]
    loaded(instance, mark, KEEP)
    assert in_table("id", "deleted")[0] == (1, True)
    loaded(instance, mark, DELETE)
    assert in_table("id") == [(2,), (3,)]
    loaded(instance, mark, KEEP)
    assert in_table("id", "deleted")[0] == (1, True)


@pytest.mark.merge
@pytest.mark.usefixtures("warehouse")
def test_a_row_whose_tombstone_follows_in_the_same_read_is_deleted_and_can_come_back(
    instance: dg.DagsterInstance,
) -> None:
    loaded(instance, BEFORE[:3])
    gone = {"id": 1, "deleted": True}
    loaded(instance, [{**BEFORE[0], "name": "new"}, BEFORE[1], gone, BEFORE[2]])
    assert in_table("id") == [(2,), (3,)]
    loaded(instance, [{"id": 2, "deleted": True}, BEFORE[0], BEFORE[1], BEFORE[2]])
    assert in_table("id") == [(1,), (2,), (3,)]


@pytest.mark.usefixtures("duckdb_warehouse")
def test_the_mark_of_a_load_is_a_described_column_that_is_null_in_the_table(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    openapi = document_of(tmp_path / "openapi.json", FIELDS, ["id", "name"])
    before = contract_schema(resource_of(api_at("http://any", DELETE, openapi=openapi), "orders"))
    result = loaded(instance, [BEFORE[0], {"id": 2, "deleted": True}], openapi=openapi)

    assert metadata_of(result, "orders", api_at("http://any", DELETE))[COLUMN_SCHEMA] == before
    assert [each.name for each in before.columns if each.constraints.nullable][-1] == DELETED
    with Warehouse.from_settings("shop").pipeline("test_reader").sql_client() as client:
        table = client.make_qualified_table_name("orders")
        assert client.execute_sql(f"SELECT {DELETED} FROM {table}") == [(None,)]


@pytest.mark.usefixtures("duckdb_warehouse")
def test_a_tombstone_settles_the_rejected_row_of_its_key_which_no_retry_brings_back(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    openapi = document_of(tmp_path / "openapi.json", FIELDS, ["id", "name"])
    broken = {**BEFORE[0], "name": 7}
    loaded(instance, [broken, BEFORE[1]], openapi=openapi, max_rejected_share=1.0)
    result = loaded(instance, [{"id": 1, "deleted": True}, BEFORE[1]], openapi=openapi)

    assert check_of(result, "no_rejected_rows").description == "No row is rejected."
    api = api_at("http://any", DELETE, openapi=openapi)
    warehouse = Warehouse.from_settings("shop")
    assert retry_rejected_rows(resource_of(api, "orders"), warehouse) == Retry()
    assert in_table("id") == [(2,)]


@pytest.mark.usefixtures("duckdb_warehouse")
def test_steps_may_make_the_mark_of_a_row(instance: dg.DagsterInstance) -> None:
    loaded(instance, BEFORE[:2])
    steps = [{"map": lambda row: {**row, "deleted": row.get("deleted") == "archived"}}]
    changes = [{**BEFORE[0], "deleted": "archived"}, {**BEFORE[1], "deleted": "live"}]
    result = loaded(instance, changes, steps=steps)

    assert result.success, failures_of(result)
    assert in_table("id") == [(2,)]
    assert details_of(result)[ROWS_MARKED_DELETED] == 1


@pytest.mark.usefixtures("duckdb_warehouse")
def test_no_retry_loads_a_kept_tombstone_that_would_empty_columns(
    instance: dg.DagsterInstance,
) -> None:
    bare = {"id": 1, "deleted": True, "updated_at": AT}
    loaded(instance, BEFORE[:2], KEEP)
    loaded(instance, [bare, BEFORE[1]], KEEP, max_rejected_share=1.0)
    warehouse = Warehouse.from_settings("shop")

    kept = retry_rejected_rows(resource_of(api_at("http://any", KEEP), "orders"), warehouse)
    assert (kept.loaded, sum(kept.rejected.values())) == (0, 1)
    assert in_table("id", "name") == [(1, "row 1"), (2, "row 2")]
    removed = retry_rejected_rows(resource_of(api_at("http://any", DELETE), "orders"), warehouse)
    assert removed.loaded == 1
    assert in_table("id") == [(2,)]
