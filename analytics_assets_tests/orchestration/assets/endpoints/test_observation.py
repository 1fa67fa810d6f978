"""Observations of endpoints on demand in the Dagster UI."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import dagster as dg
import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.load import Partitioned
from analytics_assets.config.policy import PolicyEntry
from analytics_assets.defs.analytics.api import API
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets.orchestration.keys import endpoint_key
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import TODAY
from analytics_assets_tests.orchestration.assets.endpoints.observing import (
    checked,
    midnight,
    observe,
    observed,
)
from analytics_assets_tests.support.http.exchange import Request
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.loading import entry_of
from analytics_assets_tests.support.orders import orders_api
from analytics_assets_tests.support.sandbox import Sandbox

LINES = {"name": "lines", "endpoint": {"path": "/v1/orders/{resources.orders.id}"}}


def asked(sandbox: Sandbox) -> list[Request]:
    return [request for request in sandbox.requests if request.path != "/oauth/token"]


@pytest.fixture
def _warehouse(duckdb_warehouse: Warehouse) -> None:
    """A warehouse of the test's own, which definitions name."""


pytestmark = pytest.mark.usefixtures("_warehouse")


def test_an_endpoint_is_asked_for_its_newest_change_by_one_request_of_one_row(
    connected: Sandbox, instance: dg.DagsterInstance
) -> None:
    result = observe(instance)

    assert result.success
    for name, metadata in observed(result).items():
        assert metadata["reachable"] is True, name
        is_partitioned = isinstance(API.resources[name].policy.load, Partitioned)
        newest = "no rows in the newest partitions" if is_partitioned else midnight()
        assert metadata["newest change"] == newest, name
        assert metadata["HTTP status"] == "200"
        assert metadata["seconds to answer"] > 0
    assert [request.query["limit"] for request in asked(connected)] == ["1"] * len(API.resources)


def test_nothing_is_loaded_and_the_others_are_not_asked(
    connected: Sandbox, instance: dg.DagsterInstance
) -> None:
    result = observe(instance, "page_views")

    assert list(observed(result)) == ["page_views"]
    assert [request.path for request in asked(connected)] == ["/v1/page_views"]
    assert not result.get_asset_materialization_events()
    run = instance.get_run_by_id(result.run_id)
    assert run
    assert (run.tags["api"], run.tags["requested_by"]) == ("analytics", "Dagster")


def test_without_newest_a_page_of_one_row_is_asked_for(
    serve: Callable[[list[Any]], Sandbox], instance: dg.DagsterInstance
) -> None:
    sandbox = serve([{"id": number} for number in range(300)])

    result = observe(instance, api=orders_api())

    assert observed(result)["orders"]["rows on the first page"] == 1
    assert [request.query["limit"] for request in asked(sandbox)] == ["1"]


def test_a_child_is_asked_for_the_rows_of_one_parent(
    serve: Callable[[list[Any]], Sandbox], instance: dg.DagsterInstance
) -> None:
    sandbox = serve([{"id": number} for number in range(3)])
    sandbox.faults.add(Fault(path="/v1/orders/0", body='[{"id": "a"}, {"id": "b"}]'))

    result = observe(instance, "lines", api=with_lines())

    assert observed(result)["lines"]["rows on the first page"] == 2
    assert [request.path for request in asked(sandbox)] == ["/v1/orders", "/v1/orders/0"]


def test_a_child_whose_parent_has_no_row_is_not_asked(
    serve: Callable[[list[Any]], Sandbox], instance: dg.DagsterInstance
) -> None:
    serve([])

    result = observe(instance, "lines", api=with_lines())

    assert result.success
    assert observed(result)["lines"]["reachable"] == "unknown"
    assert "need a row of another resource" in observed(result)["lines"]["note"]


def test_the_newest_change_of_a_partitioned_resource_is_asked_for_in_its_newest_partitions(
    connected: Sandbox, instance: dg.DagsterInstance
) -> None:
    entry: PolicyEntry = {
        **API.default_policy,
        "load": Partitioned(start=TODAY - timedelta(days=9), lookback=2),
    }
    api = Api(name="analytics", config=API.config, default_policy=entry)

    observe(instance, "traffic_sources", api=api)

    [request] = asked(connected)
    assert {"start_date", "end_date", "sort"} <= request.query.keys()


def test_an_endpoint_that_fails_is_a_failed_check_with_cause_and_remedy(
    connected: Sandbox, instance: dg.DagsterInstance
) -> None:
    connected.faults.add(Fault(path="/v1/page_views", times=None, status=404))

    result = observe(instance)

    assert result.success
    found, checks = observed(result), checked(result)
    assert found["page_views"]["reachable"] is False
    assert found["page_views"]["HTTP status"] == "404"
    assert "check `path` in the entry" in found["page_views"]["cause"]
    assert [name for name, each in checks.items() if not each.passed] == ["page_views"]
    finding, remedy = str(checks["page_views"].description).split("\n\n")
    assert finding == found["page_views"]["cause"]
    assert "a load of its table" in remedy
    assert checks["traffic_sources"].description == "It answered with status 200."


@pytest.mark.parametrize(
    "fault",
    [Fault(path="*", times=None, drop=True), Fault(path="/oauth/token", times=None, status=503)],
    ids=["no answer", "no token"],
)
def test_an_api_that_does_not_answer_is_asked_once(
    connected: Sandbox, instance: dg.DagsterInstance, fault: Fault
) -> None:
    connected.faults.add(fault)

    result = observe(instance)

    found = observed(result)
    assert {each["reachable"] for each in found.values()} == {False}
    assert sum("Not asked" in each.get("note", "") for each in found.values()) == 3
    assert not any(each.passed for each in checked(result).values())
    assert len({each["cause"] for each in found.values()}) == 1


def test_a_missing_setting_is_the_cause(
    monkeypatch: pytest.MonkeyPatch, connected: Sandbox, instance: dg.DagsterInstance
) -> None:
    monkeypatch.delenv("CLIENT_SECRET")

    check = checked(observe(instance, "page_views"))["page_views"]

    assert "needs the setting `client_secret`, which is missing" in str(check.description)


def test_the_check_of_an_endpoint_runs_alone(
    connected: Sandbox, instance: dg.DagsterInstance
) -> None:
    job = build_definitions(API).resolve_implicit_global_asset_job_def()
    key = dg.AssetCheckKey(endpoint_key(API.resources["page_views"]), "reachable")

    result = job.get_subset(asset_selection=set(), asset_check_selection={key}).execute_in_process(
        instance=instance
    )

    assert [each.passed for each in checked(result).values()] == [True]
    assert observed(result) == {}


def test_a_step_that_fails_leaves_the_other_endpoints_their_observations(
    connected: Sandbox, instance: dg.DagsterInstance
) -> None:
    def fail(row: Any) -> Any:
        raise ValueError("no such currency")

    entries = [
        {**entry, "processing_steps": [{"map": fail}]} if entry["name"] == "page_views" else entry
        for entry in API.config["resources"]
    ]
    api = replace(API, config={**API.config, "resources": entries}, default_policy={}, policies={})
    result = observe(instance, api=api)

    assert result.success
    results = checked(result)
    assert "raised ValueError for a row that fits the contract, in `fail`" in str(
        results.pop("page_views").description
    )
    assert all(each.passed for each in results.values())
    assert len(results) == len(API.resources) - 1


def test_endpoints_are_no_part_of_jobs_and_of_materializations() -> None:
    definitions = build_definitions(API)
    endpoints = {endpoint_key(resource) for resource in API.resources.values()}
    graph = definitions.resolve_asset_graph()

    assert endpoints <= graph.observable_asset_keys
    assert not endpoints & graph.materializable_asset_keys
    jobs = [job for job in definitions.resolve_all_job_defs() if not job.name.startswith("__")]
    assert jobs
    assert not any(endpoints & job.asset_layer.selected_asset_keys for job in jobs)


def with_lines() -> Api:
    """The API `shop` with `lines`, which are read from the rows of `orders`."""
    config = {**API.config, "resources": [entry_of("orders"), LINES]}
    return Api(name="shop", config=config, default_policy={"date_column": None})
