"""The history that the sensor looks at: the last loads of tables, and its own runs."""

import json
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg
import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.load import Partitioned
from analytics_assets.config.policy import PolicyEntry
from analytics_assets.contract.resource import Resource, resources_of
from analytics_assets.orchestration.assets.observation import CHECK
from analytics_assets.orchestration.automation.new_data import reachable_checks
from analytics_assets.orchestration.automation.new_data.loaded_changes import LoadedChanges
from analytics_assets.orchestration.automation.new_data.reachable_checks import ReachableChecks
from analytics_assets.orchestration.automation.new_data.requested_runs import (
    NEWEST_TAG,
    RequestedRuns,
)
from analytics_assets.orchestration.keys import asset_key, endpoint_key
from analytics_assets.orchestration.metadata.names import NEWEST_CHANGE
from analytics_assets.orchestration.runs import materializations
from analytics_assets.orchestration.runs.tags import API, REQUESTED_BY
from analytics_assets_tests.orchestration.automation.new_data.ticker import job

DAYS = ("2026-01-01", "2026-01-02")
NAMES = ("orders", "visits", "clicks")
FIRST, SECOND = "2026-01-02T10:00:00+00:00", "2026-01-03T10:00:00+00:00"


@pytest.fixture
def resources() -> list[Resource]:
    config: Any = {
        "client": {"base_url": "http://shop.test"},
        "resources": [{"name": name, "primary_key": "id"} for name in NAMES],
    }
    by_day = PolicyEntry(load=Partitioned(start=date(2026, 1, 1)))
    api = Api(name="shop", config=config, policies={"clicks": by_day})
    return list(resources_of(api).values())


def record(
    instance: dg.DagsterInstance, resource: Resource, moment: str, partition: str | None = None
) -> None:
    event = dg.AssetMaterialization(
        asset_key(resource), partition=partition, metadata={NEWEST_CHANGE: moment}
    )
    instance.report_runless_asset_event(event)


def test_the_newest_change_of_a_table_is_that_of_its_last_load(
    instance: dg.DagsterInstance, resources: list[Resource], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(materializations, "PAGE", 1)
    windows, loaded = [(resource, ()) for resource in resources[:2]], LoadedChanges()
    assert loaded.newest(instance, windows) == {}
    record(instance, resources[0], FIRST)
    record(instance, resources[1], FIRST)
    record(instance, resources[1], SECOND)
    found = {"orders": FIRST, "visits": SECOND}
    assert loaded.newest(instance, windows) == {
        name: datetime.fromisoformat(moment) for name, moment in found.items()
    }


def test_the_newest_change_of_partitions_is_that_after_the_oldest_of_their_last_loads(
    instance: dg.DagsterInstance, resources: list[Resource]
) -> None:
    clicks, loaded = resources[2], LoadedChanges()

    def newest() -> list[datetime]:
        return list(loaded.newest(instance, [(clicks, DAYS)]).values())

    record(instance, clicks, SECOND, DAYS[0])
    assert newest() == []  # as a day was never loaded
    record(instance, clicks, FIRST, DAYS[1])
    assert newest() == newest() == [datetime.fromisoformat(FIRST)]
    record(instance, clicks, SECOND, DAYS[1])
    assert newest() == [datetime.fromisoformat(SECOND)]


class Shop:
    """The runs that the sensor of an API has requested."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._instance = instance
        self.runs = RequestedRuns("shop_new_data", "shop")

    def request(self, status: dg.DagsterRunStatus, *names: str) -> dg.DagsterRun:
        tags = {
            REQUESTED_BY: "shop_new_data",
            API: "shop",
            NEWEST_TAG: json.dumps(dict.fromkeys(names, FIRST)),
        }
        return self._instance.create_run_for_job(job, tags=tags, status=status)

    def cursor(self) -> dict[str, str]:
        self.runs.update(self._instance)
        return self.runs.cursor(NAMES, {})


def test_runs_count_once_they_have_ended(
    instance: dg.DagsterInstance, resources: list[Resource]
) -> None:
    shop = Shop(instance)
    run = shop.request(dg.DagsterRunStatus.STARTED, "orders", "visits")
    assert shop.cursor() == {}
    assert shop.runs.in_progress(resources[0]) == run.run_id
    assert shop.runs.in_progress(resources[2]) is None
    instance.report_run_failed(run)
    assert shop.cursor() == {}
    assert shop.runs.in_progress(resources[0]) is None
    [failed] = shop.runs.failures("orders", datetime.fromisoformat(FIRST))
    assert failed.run_id == run.run_id
    assert datetime.now(UTC).timestamp() - failed.ended < 600
    shop.request(dg.DagsterRunStatus.SUCCESS, "visits")
    assert shop.cursor() == {"visits": FIRST}


def test_a_run_that_was_deleted_is_forgotten(instance: dg.DagsterInstance) -> None:
    shop = Shop(instance)
    run = shop.request(dg.DagsterRunStatus.SUCCESS, "orders")
    assert shop.cursor() == {"orders": FIRST}
    instance.delete_run(run.run_id)
    assert shop.cursor() == {}


class Endpoint:
    """The check `reachable` of an endpoint, and what reports its results."""

    def __init__(self, instance: dg.DagsterInstance, resource: Resource) -> None:
        self._instance, self._resource = instance, resource
        self._checks = ReachableChecks()

    def tick(self, refusal: str | None = None) -> None:
        self._checks.update(self._instance)
        self._checks.report(self._instance, self._resource, refusal)

    def observe(self, passed: bool) -> None:
        """Report a result as *Observe* does."""
        asset = endpoint_key(self._resource)
        self._instance.report_runless_asset_event(dg.AssetObservation(asset))
        self._report(passed)

    def _report(self, passed: bool) -> None:
        asset = endpoint_key(self._resource)
        self._instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(asset_key=asset, check_name=CHECK, passed=passed)
        )

    @property
    def results(self) -> list[bool]:
        """All results, the oldest first."""
        check = dg.AssetCheckKey(endpoint_key(self._resource), CHECK)
        records = self._instance.event_log_storage.get_asset_check_execution_history(check, 50)
        return [each.evaluation.passed for each in reversed(records) if each.evaluation]


def test_a_result_is_reported_once_it_differs_from_the_last_one(
    instance: dg.DagsterInstance, resources: list[Resource]
) -> None:
    endpoint = Endpoint(instance, resources[0])
    for refusal in (None, None, "It answered 404.", "It answered 404.", None):
        endpoint.tick(refusal)
    assert endpoint.results == [True, False, True]


@pytest.mark.parametrize("most", [1, 1000])
def test_a_result_is_reported_again_after_somebody_else_has_reported_another_one(
    instance: dg.DagsterInstance,
    resources: list[Resource],
    monkeypatch: pytest.MonkeyPatch,
    most: int,
) -> None:
    monkeypatch.setattr(reachable_checks, "MOST_OBSERVED", most)
    endpoint = Endpoint(instance, resources[0])
    endpoint.tick()
    endpoint.observe(passed=False)
    endpoint.tick()
    endpoint.observe(passed=True)
    endpoint.tick("It answered 404.")
    assert endpoint.results == [True, False, True, True, False]


def test_a_result_that_follows_its_observation_after_a_tick_is_seen_by_the_next_one(
    instance: dg.DagsterInstance, resources: list[Resource]
) -> None:
    endpoint = Endpoint(instance, resources[0])
    endpoint.tick()
    instance.report_runless_asset_event(dg.AssetObservation(endpoint_key(resources[0])))
    endpoint.tick()
    endpoint._report(passed=False)
    endpoint.tick()
    assert endpoint.results == [True, False, True]
