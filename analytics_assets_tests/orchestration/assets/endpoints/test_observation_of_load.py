"""Observations of endpoints by loads, and by the new-data sensor."""

from contextlib import suppress

import dagster as dg
import pytest

from analytics_assets.config.errors import AnalyticsAssetsError
from analytics_assets.defs.analytics.api import API
from analytics_assets.orchestration.keys import endpoint_key
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.orchestration.assets.endpoints.observing import (
    midnight,
    observe,
    observed,
    results_of,
)
from analytics_assets_tests.orchestration.automation.new_data.ticker import Ticker
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.loading import load
from analytics_assets_tests.support.sandbox import Sandbox


@pytest.fixture
def _warehouse(duckdb_warehouse: Warehouse) -> None:
    """A warehouse of the test's own, which definitions name."""


pytestmark = pytest.mark.usefixtures("_warehouse")


def test_a_load_that_reads_the_endpoint_ends_its_failure(
    connected: Sandbox, instance: dg.DagsterInstance
) -> None:
    connected.faults.add(Fault(path="/v1/page_views", times=1, status=404))
    observe(instance, "page_views")

    for _ in range(2):
        load(instance, "page_views")

    passed, failed = results_of(instance, endpoint_key(API.resources["page_views"]))
    assert (passed.passed, passed.description) == (True, "A load has read it.")
    assert not failed.passed


def test_the_new_data_sensor_reports_an_endpoint_that_refuses_and_one_that_answers_again(
    connected: Sandbox, instance: dg.DagsterInstance
) -> None:
    ticker, key = Ticker(instance, connected), endpoint_key(API.resources["page_views"])
    connected.faults.add(Fault(path="/v1/page_views", times=4, status=404))

    for _ in range(4):
        with suppress(dg.DagsterError, AnalyticsAssetsError):
            ticker.tick()
    refused = results_of(instance, key)
    ticker.tick()

    assert [each.passed for each in refused] == [False]
    assert "check `path` in the entry" in str(refused[0].description)
    assert [each.passed for each in results_of(instance, key)] == [True, False]
    others = results_of(instance, endpoint_key(API.resources["traffic_sources"]))
    assert [each.passed for each in others] == [True]


def test_a_load_observes_its_endpoint(connected: Sandbox, instance: dg.DagsterInstance) -> None:
    found = observed(load(instance, "page_views"))["page_views"]

    assert found["reachable"] is True
    assert found["url"] == f"{connected.base_url}/v1/page_views"
    assert found["rows extracted"] > 0
    assert found["newest change"] == midnight()


def test_a_load_that_the_api_ends_observes_its_endpoint(
    connected: Sandbox, instance: dg.DagsterInstance
) -> None:
    connected.faults.add(Fault(path="/v1/page_views", times=None, status=403))

    load(instance, "page_views")

    [seen] = instance.fetch_observations(endpoint_key(API.resources["page_views"]), 1).records
    assert seen.asset_observation
    found = {name: value.value for name, value in seen.asset_observation.metadata.items()}
    assert (found["reachable"], found["HTTP status"]) == (False, "403")
    assert "check its permissions" in str(found["cause"])
