"""The assets: what a load leaves in the table and in Dagster."""

import json
from datetime import date, timedelta
from typing import Any

import dagster as dg
import pytest

from analytics_assets.config.api import Api
from analytics_assets.defs.analytics.api import API
from analytics_assets.orchestration.keys import asset_key, endpoint_key
from analytics_assets.sandbox import sandbox_rows
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import TODAY, point_at
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.loading import (
    api_rows,
    api_with,
    failures_of,
    load,
    metadata_of,
    table_rows,
)
from analytics_assets_tests.support.sandbox import Sandbox


def test_every_table_holds_exactly_the_rows_that_the_api_serves(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    assert load(instance).success
    for resource in API.resources:
        assert table_rows(warehouse, resource) == api_rows(sandbox_rows(resource, TODAY))


def test_the_embedded_api_is_read_when_no_base_url_is_set(
    warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    result = load(instance, "page_views")
    assert metadata_of(result, "page_views")["api"] == "embedded API"
    assert table_rows(warehouse, "page_views") == api_rows(sandbox_rows("page_views", TODAY))


def test_a_second_load_changes_nothing(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    load(instance)
    before = {resource: table_rows(warehouse, resource) for resource in API.resources}
    assert load(instance).success
    assert {resource: table_rows(warehouse, resource) for resource in API.resources} == before


def test_each_resource_stores_columns_of_its_own_as_loads_at_once_would_store_over_each_other(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    load(instance, "page_views", "website_overview")
    load(instance, "page_views", "website_overview")
    with warehouse.pipeline("reader").sql_client() as client:
        name = client.make_qualified_table_name("_dlt_version")
        stored = client.execute_sql(f"SELECT schema_name, schema FROM {name}")
    tables = {
        str(schema_name): {table for table in json.loads(schema)["tables"] if table[0] != "_"}
        for schema_name, schema in stored or ()
    }
    assert tables == {
        "analytics_page_views": {"page_views"},
        "analytics_website_overview": {"website_overview"},
    }


def test_the_day_after_changes_the_restated_rows_and_adds_the_new_ones_and_nothing_else(
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


def test_a_materialization_says_what_happened(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    connected.faults.add(Fault(path="/v1/traffic_sources", status=503, retry_after="1"))
    metadata = metadata_of(load(instance, "traffic_sources"), "traffic_sources")
    rows = len(sandbox_rows("traffic_sources", TODAY))
    pages = -(-rows // 100)
    sent = [record for record in connected.requests if record.path == "/v1/traffic_sources"]
    assert metadata["rows_extracted"] == metadata["rows_loaded"] == rows
    assert metadata["dagster/row_count"] == rows
    assert metadata["requests"] == len(sent) >= pages + 1
    assert metadata["retries"] == 1
    assert metadata["seconds_waiting_for_api"] >= 1
    assert metadata["newest_data"] == (TODAY - timedelta(days=1)).isoformat()
    assert metadata["newest_updated_at"] == f"{TODAY}T00:00:00+00:00"
    assert metadata["dagster/table_name"] == f"{warehouse.dataset}.traffic_sources"
    assert metadata["load_id"]
    assert {"seconds_extract", "seconds_normalize", "seconds_load"} <= metadata.keys()


def test_the_column_schema_is_the_tables_own(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    schema = metadata_of(load(instance, "website_overview"), "website_overview")[
        "dagster/column_schema"
    ]
    columns = {column.name: column for column in schema.columns}
    assert columns.keys() == sandbox_rows("website_overview", TODAY)[0].keys()
    assert not columns["id"].constraints.nullable
    types = {name: column.type for name, column in columns.items()}
    assert (types["date"], types["updated_at"]) == ("date", "timestamp")
    assert (types["sessions"], types["bounce_rate"]) == ("bigint", "double")


def test_dlts_progress_shows_in_the_log_of_the_run(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    result = load(instance, "page_views")
    messages = [entry.message for entry in instance.all_logs(result.run_id)]
    assert any("Extract analytics" in message for message in messages)
    assert any("Load analytics" in message for message in messages)


def test_a_resource_without_rows_materializes(
    monkeypatch: pytest.MonkeyPatch, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    with Sandbox(extra_rows={"orders": []}) as sandbox:
        point_at(sandbox, monkeypatch)
        result = load(instance, api=api_with("orders"))
    metadata = metadata_of(result, "orders", api_with("orders"))
    assert (metadata["rows_loaded"], metadata["dagster/row_count"]) == (0, 0)


def test_rows_that_are_all_gone_from_the_api_stay_in_the_table(
    monkeypatch: pytest.MonkeyPatch, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    rows = [{"id": "a", "value": 1}]
    for served in (rows, []):
        with Sandbox(extra_rows={"orders": served}) as sandbox:
            point_at(sandbox, monkeypatch)
            result = load(instance, api=api_with("orders"))
    assert metadata_of(result, "orders", api_with("orders"))["dagster/row_count"] == 1
    assert table_rows(warehouse, "orders") == rows


def test_a_subset_runs_only_what_was_chosen(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    load(instance, "page_views")
    asked = {record.path for record in connected.requests}
    assert asked == {"/oauth/token", "/v1/page_views", "/openapi.json"}


def test_when_one_resource_fails_the_others_load_and_the_run_says_which_and_why(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
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
        assert table_rows(warehouse, resource) == api_rows(sandbox_rows(resource, TODAY))


def test_a_load_that_failed_half_way_leaves_the_table_as_it_was_and_the_next_one_completes_it(
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


def test_one_token_serves_all_resources_of_a_run(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    load(instance)
    assert connected.tokens.issued == 1


def test_a_missing_secret_fails_the_run_with_one_sentence_that_names_it(
    connected: Sandbox,
    warehouse: Warehouse,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CLIENT_SECRET")
    reason = failures_of(load(instance, "page_views"))["analytics__page_views"]
    assert reason == (
        "page_views was not loaded. The analytics API needs the setting `client_secret`, which is "
        'missing: set the environment variable CLIENT_SECRET or write client_secret = "..." into '
        ".dlt/secrets.toml."
    )


def test_an_endpoint_is_upstream_of_its_table_and_links_to_it(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    result = load(instance, "page_views")
    graph = result.job_def.asset_layer.asset_graph
    assert graph.get(asset_key(API.resources["page_views"])).parent_keys == {
        endpoint_key(API.resources["page_views"])
    }
    seen = instance.fetch_observations(endpoint_key(API.resources["page_views"]), limit=1).records[
        0
    ]
    assert seen.asset_observation is not None
    assert seen.asset_observation.metadata["url"].value == f"{connected.base_url}/v1/page_views"


def test_working_files_are_gone_after_a_load(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    load(instance, "page_views")
    connected.faults.add(Fault(path="/v1/page_views", times=None, status=404))
    load(instance, "page_views")
    folder = warehouse.pipelines_dir
    assert [path.name for path in folder.iterdir() if path.is_dir()] == []


def test_a_table_may_be_called_otherwise_than_its_resource(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    entry = {**API.resources["page_views"].entry, "table_name": "views"}
    api = Api(name=API.name, config={**API.config, "resources": [entry]})
    metadata = metadata_of(load(instance, api=api), "page_views", api)
    rows = api_rows(sandbox_rows("page_views", TODAY))
    assert table_rows(warehouse, "views") == rows
    assert metadata["dagster/table_name"] == f"{warehouse.dataset}.views"
    assert metadata["rows_extracted"] == metadata["rows_loaded"] == len(rows)
    assert metadata["dagster/row_count"] == len(rows)


def test_letters_quotes_and_line_ends_survive(
    monkeypatch: pytest.MonkeyPatch, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    rows: list[dict[str, Any]] = [
        {"id": 1, "title": 'Смерть "quoted", 東京 \\ \'; --', "day": str(date(2025, 1, 1))},
        {"id": 2, "title": "line\nbreak\ttab", "day": None},
    ]
    with Sandbox(extra_rows={"orders": rows}) as sandbox:
        point_at(sandbox, monkeypatch)
        assert load(instance, api=api_with("orders")).success
    assert table_rows(warehouse, "orders") == rows


def test_a_list_in_a_row_becomes_a_child_table_that_follows_the_row(
    monkeypatch: pytest.MonkeyPatch, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    for tags in (["new", "paid"], ["paid"]):
        with Sandbox(extra_rows={"orders": [{"id": 1, "tags": tags}]}) as sandbox:
            point_at(sandbox, monkeypatch)
            assert load(instance, api=api_with("orders")).success
        with warehouse.open() as tables:
            assert tables.row_count("orders__tags") == len(tags)
