"""Provenance: an entry that was changed makes its partitions stale, as it does other tables."""

import dataclasses

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver
from dagster._core.loader import LoadingContextForTest

from analytics_assets.config.api import Api
from analytics_assets.config.load import Full, Load, Partitioned
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.sandbox import Sandbox
from analytics_assets.sandbox.series import FIRST_DAY
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.partitioned import api_of, load_days

RESOURCE = "traffic_sources"
DAY = "2025-07-31"


def with_another_request(api: Api) -> Api:
    """The same API, its entry changed."""
    entry = api.entry(RESOURCE)
    endpoint = {**api.endpoint(RESOURCE), "params": {"market": "DE"}}
    changed = {**api.config, "resources": [{**entry, "endpoint": endpoint}]}
    return dataclasses.replace(api, config=changed)


def staleness(instance: dg.DagsterInstance, api: Api, day: str | None) -> tuple[str, list[str]]:
    """Return whether Dagster's UI calls the asset stale, and why."""
    graph = build_definitions(api).resolve_asset_graph()
    resolver = CachingStaleStatusResolver(instance, graph, LoadingContextForTest(instance))
    key = asset_key(api, RESOURCE)
    causes = resolver.get_stale_root_causes(key, day)
    return resolver.get_status(key, day).value, [cause.reason for cause in causes]


@pytest.mark.parametrize(("how", "day"), [(Full(), None), (Partitioned(start=FIRST_DAY), DAY)])
def test_a_changed_entry_makes_what_was_loaded_by_the_old_one_stale(
    how: Load,
    day: str | None,
    connected: Sandbox,
    warehouse: Warehouse,
    instance: dg.DagsterInstance,
) -> None:
    api = api_of(RESOURCE, how)
    assert load_days(instance, api, DAY).success
    assert staleness(instance, api, day) == ("FRESH", [])
    changed = with_another_request(api)
    assert staleness(instance, changed, day) == ("STALE", ["has a new code version"])


def test_a_partition_says_as_much_of_its_making_as_a_load_in_full(
    connected: Sandbox, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    tags = []
    for how in (Full(), Partitioned(start=FIRST_DAY)):
        api = api_of(RESOURCE, how)
        assert load_days(instance, api, DAY).success
        event = instance.get_latest_materialization_event(asset_key(api, RESOURCE))
        assert event
        assert event.asset_materialization
        tags.append(event.asset_materialization.tags or {})
    assert tags[0]
    assert tags[0].keys() == tags[1].keys()
    of_inputs = [name for name in tags[0] if "/input_" in name]
    assert [tags[0][name] for name in of_inputs] == [tags[1][name] for name in of_inputs]
