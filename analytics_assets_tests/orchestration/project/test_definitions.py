"""Definitions of an API: one entry brings all of a resource, and needs no settings."""

import hashlib
import json
from typing import Any

import dagster as dg
import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.errors import ConfigurationError
from analytics_assets.config.times.window import Window
from analytics_assets.defs.analytics.api import API
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets.orchestration.keys import asset_key, endpoint_key
from analytics_assets.orchestration.metadata.names import (
    ROWS_LOADED,
)
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import TODAY, point_at
from analytics_assets_tests.support.loading import (
    api_rows,
    entry_of,
    load,
    metadata_of,
    table_rows,
)
from analytics_assets_tests.support.partitioned import api_by_day
from analytics_assets_tests.support.sandbox import Sandbox

CHECKS = {
    "complete_read",
    "former_configuration",
    "no_rejected_rows",
    "rows_present",
    "primary_key",
    "newest_data",
    "columns_unchanged",
}


def with_entry(name: str) -> Api:
    """The shipped API with one more entry, as a user would add it."""
    return Api(
        name=API.name,
        config={**API.config, "resources": [*API.config["resources"], entry_of(name)]},
        default_policy=API.default_policy,
        policies=API.policies,
        file=API.file,
    )


def test_one_entry_brings_asset_endpoint_schedule_sensor_freshness_and_checks() -> None:
    definitions = build_definitions(with_entry("conversions"))
    graph = definitions.resolve_asset_graph()
    key = dg.AssetKey(["analytics", "conversions"])
    node = graph.get(key)
    assert node.parent_keys == {dg.AssetKey(["web_api", "analytics", "conversions"])}
    assert node.freshness_policy is not None
    assert node.owners == ["team:analytics"]
    assert node.code_version
    assert {check.name for check in graph.asset_check_keys if check.asset_key == key} == CHECKS
    job = definitions.resolve_job_def("analytics_daily")
    assert key in job.asset_layer.selected_asset_keys


@pytest.mark.parametrize(
    "policy", [{"tags": {"no tag!": "x"}}, {"group": "no group!"}, {"owners": ["nobody"]}]
)
def test_a_policy_that_dagster_refuses_names_its_resource(policy: Any) -> None:
    api = Api(name=API.name, config=API.config, policies={"traffic_sources": policy})
    with pytest.raises(ConfigurationError, match=r"^policy of `traffic_sources`: Dagster ref"):
        build_definitions(api)


def test_one_entry_is_watched_by_the_sensor_and_loads_a_table(
    monkeypatch: pytest.MonkeyPatch, duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    rows = [
        {"id": f"c{n}", "date": "2025-07-31", "updated_at": "2025-08-01T00:00:00Z", "count": n}
        for n in range(250)
    ]
    api = with_entry("conversions")
    definitions = build_definitions(api)
    sensor = definitions.resolve_sensor_def("analytics_new_data")
    with Sandbox(today=TODAY, extra_rows={"conversions": rows}) as sandbox:
        point_at(sandbox, monkeypatch)
        tick = sensor.evaluate_tick(
            dg.build_sensor_context(instance=instance, definitions=definitions)
        )
        requested = [request.asset_selection for request in tick.run_requests or []]
        result = load(instance, "conversions", api=api)
    assert any(asset_key(api.resources["conversions"]) in (keys or ()) for keys in requested)
    assert metadata_of(result, "conversions", api)[ROWS_LOADED] == 250
    assert table_rows(duckdb_warehouse, "conversions") == api_rows(rows)


def test_a_changed_entry_shows_as_changed_code() -> None:
    def versions(api: Api) -> dict[str, str | None]:
        graph = build_definitions(api).resolve_asset_graph()
        return {
            name: graph.get(asset_key(api.resources[name])).code_version for name in api.resources
        }

    before = versions(API)
    assert versions(API) == before
    first, *others = API.config["resources"]
    changed = {**first, "endpoint": {**first["endpoint"], "path": "/v2/website_overview"}}
    config = {**API.config, "resources": [changed, *others]}
    after = versions(Api(name="analytics", config=config, policies=API.policies))
    assert {name for name in before if before[name] != after[name]} == {"website_overview"}


def test_partitions_stay_fresh_when_only_how_many_are_loaded_at_once_changes() -> None:
    def version(**parts: Any) -> str | None:
        api = api_by_day("page_views", **parts)
        return (
            build_definitions(api)
            .resolve_asset_graph()
            .get(asset_key(api.resources["page_views"]))
            .code_version
        )

    assert version() == version(lookback=7, longest_window=1)
    assert version() != version(window=Window(start_param="from"))
    assert version() != version(window=Window(as_text=True))
    # fields that windows have got since then are in no version unless they are used
    config = api_by_day("page_views").resources["page_views"].config
    parts = {key: part for key, part in config.items() if key != "client"}
    parts["load"] = (
        "day UTC Window(start_param='start_date', end_param='end_date', format='%Y-%m-%d', "
        "end_is_inclusive=True, timezone='UTC')"
    )
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    assert version() == digest[:12]


def test_each_table_has_one_op_and_one_pool_and_all_endpoints_have_one_op() -> None:
    definitions = build_definitions(API)
    assets = [asset for asset in definitions.assets or [] if isinstance(asset, dg.AssetsDefinition)]
    tables = [asset for asset in assets if asset.is_materializable]
    assert [asset.op.name for asset in tables] == [
        f"analytics__{name}" for name in [*API.resources, "load_health"]
    ]
    assert {asset.op.pool for asset in tables} == {"duckdb"}
    [endpoints] = [asset for asset in assets if asset not in tables]
    assert (endpoints.op.name, endpoints.op.pool) == ("observe_analytics", None)


def test_ops_and_the_resource_have_a_description() -> None:
    definitions = build_definitions(API)
    repository = definitions.get_repository_def()
    ops = {
        node.name: node.definition.description
        for node in repository.get_implicit_global_asset_job_def().nodes
    }
    assert ops["analytics__page_views"] == (
        "Reads /v1/page_views, and loads the rows into analytics.page_views."
    )
    assert all(ops.values()), ops
    resource = repository.get_top_level_resources()["dlt"]
    assert str(resource.description).startswith("Runs the dlt pipelines that load the tables.")


def test_a_second_api_is_a_second_call(
    connected: Sandbox,
    duckdb_warehouse: Warehouse,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = Api(name="shop", config=API.resources["page_views"].config)
    with Sandbox(today=TODAY, client_id="shop-client", client_secret="shop-secret") as second:
        monkeypatch.setenv("SOURCES__SHOP__BASE_URL", second.base_url)
        monkeypatch.setenv("SOURCES__SHOP__TOKEN_URL", second.token_url)
        monkeypatch.setenv("SOURCES__SHOP__CLIENT_ID", second.client_id)
        monkeypatch.setenv("SOURCES__SHOP__CLIENT_SECRET", second.client_secret)
        both = dg.Definitions.merge(build_definitions(API), build_definitions(other))
        result = both.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=instance,
            asset_selection=[
                asset_key(API.resources["daily_active_users"]),
                asset_key(other.resources["page_views"]),
            ],
        )
        assert result.success
        asked = [{record.path for record in api.requests} for api in (connected, second)]
    users, views = {"/oauth/token", "/v1/daily_active_users"}, {"/oauth/token", "/v1/page_views"}
    assert [paths - {"/openapi.json"} for paths in asked] == [users, views]


def test_the_code_location_loads_with_a_base_url_and_no_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BASE_URL", "https://api.example.com")
    graph = build_definitions(API).resolve_asset_graph()
    endpoint = graph.get(endpoint_key(API.resources["page_views"]))
    assert endpoint.metadata["url"].value == "https://api.example.com/v1/page_views"
