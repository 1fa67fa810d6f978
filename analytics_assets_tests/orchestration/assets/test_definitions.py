"""Assets: rows in the table and metadata in Dagster after a load."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from analytics_assets.config.api import Api
from analytics_assets.defs.analytics.api import API
from analytics_assets.orchestration.metadata.names import (
    COMPLETE,
    LOAD_ID,
    NEWEST_CHANGE,
    NEWEST_DATA,
    PASSES,
    REQUESTS,
    RETRIES,
    ROW_COUNT,
    ROWS_EXPECTED,
    ROWS_LOADED,
    ROWS_PRUNED,
    ROWS_RECEIVED,
    ROWS_REJECTED,
    ROWS_REPEATED,
    SECONDS_EXTRACT,
    SECONDS_LOAD,
    SECONDS_NORMALIZE,
    SECONDS_WAITING,
)
from analytics_assets.sandbox import sandbox_rows
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import TODAY, point_at
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.loading import (
    api_rows,
    api_with,
    check_of,
    failures_of,
    load,
    metadata_of,
    table_rows,
)
from analytics_assets_tests.support.orders import document_of, orders_api
from analytics_assets_tests.support.sandbox import Sandbox


def test_the_embedded_api_is_read_when_no_base_url_is_set(
    duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    result = load(instance, "page_views")
    assert metadata_of(result, "page_views")["api"] == "embedded API"
    assert table_rows(duckdb_warehouse, "page_views") == api_rows(sandbox_rows("page_views", TODAY))


def test_tables_hold_exactly_the_rows_of_the_api_after_one_load_and_after_two(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    for _ in range(2):
        assert load(instance).success
        for resource in API.resources:
            assert table_rows(warehouse, resource) == api_rows(sandbox_rows(resource, TODAY))
    assert connected.tokens.issued == 1
    # concurrent loads would overwrite each other's columns in a schema of all resources
    with warehouse.pipeline("reader").sql_client() as client:
        name = client.make_qualified_table_name("_dlt_version")
        stored = client.execute_sql(f"SELECT schema_name, schema FROM {name}")
    tables = {
        str(schema_name): {table for table in json.loads(schema)["tables"] if table[0] != "_"}
        for schema_name, schema in stored or ()
    }
    assert tables == {f"analytics_{resource}": {resource} for resource in API.resources}


def test_a_day_later_restated_rows_change_new_ones_are_added_and_others_stay(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    load(instance, "traffic_sources")
    before = {row["id"]: row for row in table_rows(warehouse, "traffic_sources")}
    connected.today = TODAY + timedelta(days=1)
    load(instance, "traffic_sources")
    after = {row["id"]: row for row in table_rows(warehouse, "traffic_sources")}
    changed = {row["date"] for key, row in before.items() if after[key] != row}
    added = {row["date"] for key, row in after.items() if key not in before}
    assert changed == {(TODAY - timedelta(days=age)).isoformat() for age in (1, 2, 3)}
    assert added == {TODAY.isoformat()}
    assert list(after.values()) == api_rows(sandbox_rows("traffic_sources", connected.today))


def test_a_materialization_has_metadata_of_the_load_and_of_the_table(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    connected.faults.add(Fault(path="/v1/traffic_sources", status=503, retry_after="1"))
    result = load(instance, "traffic_sources")
    metadata = metadata_of(result, "traffic_sources")
    rows = len(sandbox_rows("traffic_sources", TODAY))
    pages = -(-rows // 100)
    sent = [record for record in connected.requests if record.path == "/v1/traffic_sources"]
    assert metadata[ROWS_LOADED] == rows
    assert metadata[ROW_COUNT] == rows
    assert metadata[REQUESTS] == len(sent) >= pages + 1
    assert metadata[RETRIES] == 1
    assert metadata[SECONDS_WAITING] >= 1
    assert metadata[NEWEST_DATA] == (TODAY - timedelta(days=1)).isoformat()
    assert metadata[NEWEST_CHANGE] == f"{TODAY}T00:00:00+00:00"
    assert metadata[LOAD_ID]
    assert {SECONDS_EXTRACT, SECONDS_NORMALIZE, SECONDS_LOAD} <= metadata.keys()
    assert (metadata[COMPLETE], metadata[PASSES]) == (True, 1)
    assert metadata[ROWS_RECEIVED] == metadata[ROWS_EXPECTED] == rows
    assert (metadata[ROWS_REJECTED], metadata[ROWS_REPEATED]) == (0, 0)
    assert not [name for name in metadata if name.startswith("cursor")]
    columns = {column.name: column for column in metadata["dagster/column_schema"].columns}
    fields = sandbox_rows("traffic_sources", TODAY)[0]
    assert list(columns) == [*fields, "_dlt_load_id", "_dlt_id"]
    assert not columns["id"].constraints.nullable
    types = {name: column.type for name, column in columns.items()}
    assert (types["date"], types["updated_at"]) == ("date", "timestamp")
    assert types["sessions"] == "bigint"


def test_a_resource_without_rows_materializes(
    monkeypatch: pytest.MonkeyPatch, duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    with Sandbox(extra_rows={"orders": []}) as sandbox:
        point_at(sandbox, monkeypatch)
        result = load(instance, api=api_with("orders"))
    metadata = metadata_of(result, "orders", api_with("orders"))
    assert (metadata[ROWS_LOADED], metadata[ROW_COUNT]) == (0, 0)


def test_rows_that_are_all_gone_from_the_api_stay_in_the_table(
    monkeypatch: pytest.MonkeyPatch, duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    rows = [{"id": "a", "value": 1}]
    for served in (rows, []):
        with Sandbox(extra_rows={"orders": served}) as sandbox:
            point_at(sandbox, monkeypatch)
            result = load(instance, api=api_with("orders"))
    assert metadata_of(result, "orders", api_with("orders"))[ROW_COUNT] == 1
    assert table_rows(duckdb_warehouse, "orders") == rows


def test_a_run_of_one_asset_requests_one_resource(
    connected: Sandbox, duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    load(instance, "page_views")
    asked = {record.path for record in connected.requests}
    assert asked == {"/oauth/token", "/v1/page_views", "/openapi.json"}


def test_a_failed_resource_has_its_reason_and_the_others_load(
    connected: Sandbox, duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    connected.faults.add(Fault(path="/v1/traffic_sources", times=None, status=403))
    result = load(instance)
    assert not result.success
    failures = failures_of(result)
    assert failures.keys() == {"analytics__traffic_sources"}
    reason = failures["analytics__traffic_sources"]
    when = "2025-07-02 to 2025-08-07"
    assert reason.startswith(f"traffic_sources was not loaded for {when}. GET {connected.base_url}")
    assert "answered 403" in reason
    for resource in set(API.resources) - {"traffic_sources"}:
        assert table_rows(duckdb_warehouse, resource) == api_rows(sandbox_rows(resource, TODAY))


def test_a_failed_load_leaves_the_table_unchanged_and_the_next_one_completes_it(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    load(instance, "traffic_sources")
    before = table_rows(warehouse, "traffic_sources")
    connected.today = TODAY + timedelta(days=1)
    connected.faults.add(Fault(path="/v1/traffic_sources", after=2, times=None, status=404))
    assert not load(instance, "traffic_sources").success
    assert table_rows(warehouse, "traffic_sources") == before
    connected.faults.clear()
    assert load(instance, "traffic_sources").success
    assert table_rows(warehouse, "traffic_sources") == api_rows(
        sandbox_rows("traffic_sources", connected.today)
    )


def test_working_files_are_gone_after_a_load(
    connected: Sandbox, duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    load(instance, "page_views")
    connected.faults.add(Fault(path="/v1/page_views", times=None, status=404))
    load(instance, "page_views")
    folder = duckdb_warehouse.pipelines_dir
    assert [path.name for path in folder.iterdir() if path.is_dir()] == []


def test_a_table_may_have_another_name_than_its_resource(
    connected: Sandbox, duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    entry = {**API.resources["page_views"].entry, "table_name": "views"}
    api = Api(name=API.name, config={**API.config, "resources": [entry]})
    metadata = metadata_of(load(instance, api=api), "page_views", api)
    rows = api_rows(sandbox_rows("page_views", TODAY))
    assert table_rows(duckdb_warehouse, "views") == rows
    assert metadata[ROWS_LOADED] == len(rows)
    assert metadata[ROW_COUNT] == len(rows)


def test_letters_quotes_and_line_ends_survive(
    monkeypatch: pytest.MonkeyPatch, duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    rows: list[dict[str, Any]] = [
        {"id": 1, "title": 'Смерть "quoted", 東京 \\ \'; --', "day": str(date(2025, 1, 1))},
        {"id": 2, "title": "line\nbreak\ttab", "day": None},
    ]
    with Sandbox(extra_rows={"orders": rows}) as sandbox:
        point_at(sandbox, monkeypatch)
        assert load(instance, api=api_with("orders")).success
    assert table_rows(duckdb_warehouse, "orders") == rows


def test_a_list_in_a_row_becomes_a_child_table_that_follows_the_row(
    monkeypatch: pytest.MonkeyPatch, duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    for tags in (["new", "paid"], ["paid"]):
        with Sandbox(extra_rows={"orders": [{"id": 1, "tags": tags}]}) as sandbox:
            point_at(sandbox, monkeypatch)
            assert load(instance, api=api_with("orders")).success
        with duckdb_warehouse.open() as tables:
            assert tables.row_count("orders__tags") == len(tags)


def test_pruning_follows_lists_within_rows_and_objects_into_their_tables(
    serve: Any, duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    api = orders_api(prune=True)
    lists = [{"items": [1, 2]}, [{"items": [1]}]] * 10
    rows = [{"id": n, "lines": [{"tags": [1]}], "info": info} for n, info in enumerate(lists)]
    for served in (rows, rows[1:]):
        serve(served)
        result = load(instance, api=api)

    assert metadata_of(result, "orders", api)[ROWS_PRUNED] == 1
    assert check_of(result, "pruned").passed
    with duckdb_warehouse.open() as tables:
        counts = {
            table: tables.row_count(table)
            for table in ("orders", "orders__lines", "orders__lines__tags", "orders__info__items")
        }
    assert list(counts.values()) == [19, 19, 19, 28]


def test_rows_with_a_renamed_key_are_merged_checked_and_traced_to_its_field(
    serve: Any, duckdb_warehouse: Warehouse, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    fields = {"id": {"type": "integer"}, "article": {"type": "string"}}
    api = orders_api(document_of(tmp_path / "kept.json", fields, ["id"]), rename={"id": "order_id"})
    for article in ("pen", "ink"):
        serve([{"id": number, "article": article} for number in range(3)])
        result = load(instance, api=api)

    with duckdb_warehouse.open() as tables:
        assert tables.row_count("orders") == 3
        assert {"order_id", "article"} <= set(tables.columns("orders"))
        assert "id" not in tables.columns("orders")
    assert check_of(result, "primary_key").passed
    lineage = metadata_of(result, "orders", api)["dagster/column_lineage"]
    [source] = lineage.deps_by_column["order_id"]
    assert (source.asset_key.to_user_string(), source.column_name) == ("web_api/shop/orders", "id")


def test_rejected_rows_go_to_a_table_of_their_own(
    serve: Any, duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    serve([{"id": 1, "article": "pen"}, {"article": "without a key"}])

    result = load(instance, api=orders_api())

    assert result.success
    assert table_rows(duckdb_warehouse, "orders") == [{"id": 1, "article": "pen"}]
    with duckdb_warehouse.open() as tables:
        assert tables.row_count("rejected_rows") == 1
    assert "`$.id`: missing primary key (1 time)" in str(
        check_of(result, "no_rejected_rows").description
    )
