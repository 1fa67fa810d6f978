"""The sensor for the whole project: its steps, and those that fail."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.load import Partitioned
from analytics_assets.orchestration.automation import housekeeping
from analytics_assets.orchestration.automation.freshness import changed_freshness
from analytics_assets.orchestration.automation.housekeeping import (
    FRESHNESS_INTERVAL,
    INTERVAL,
    NOTHING_TO_DO,
    HousekeepingError,
    build_housekeeping_sensor,
)
from analytics_assets.orchestration.checks.names import NEWEST_PARTITION
from analytics_assets.orchestration.project import project_sensors

START = datetime(2026, 11, 5, 6, tzinfo=UTC)


def api_of(name: str, *resources: str) -> Api:
    """An API whose resources are partitioned by day."""
    return Api(
        name=name,
        config={
            "client": {"base_url": "https://shop.example.com"},
            "resource_defaults": {"primary_key": "id", "write_disposition": "merge"},
            "resources": list(resources),
        },
        default_policy={"load": Partitioned(start=date(2026, 10, 1))},
    )


def loaded(instance: dg.DagsterInstance, *names: str) -> None:
    for name in names:
        event = dg.AssetMaterialization(name.split("/"), partition="2026-11-01")
        instance.report_runless_asset_event(event)


class Ticks:
    """Evaluates a sensor every 30 seconds, from cursor to cursor."""

    def __init__(self, instance: dg.DagsterInstance, *apis: Api) -> None:
        self._sensor = build_housekeeping_sensor(apis, lambda: self.now)
        self._instance = instance
        self._cursor: str | None = None
        self.now = START

    def tick(self) -> str:
        context = dg.build_sensor_context(instance=self._instance, cursor=self._cursor)
        try:
            data = self._sensor.evaluate_tick(context)
        finally:
            self.now += INTERVAL
        self._cursor = data.cursor
        return data.skip_message or ""


def evaluations(instance: dg.DagsterInstance, name: str) -> list[bool]:
    key = dg.AssetCheckKey(dg.AssetKey(name.split("/")), NEWEST_PARTITION)
    record = instance.get_latest_asset_check_evaluation_record(key)
    return [record.evaluation.passed] if record and record.evaluation else []


def test_a_project_has_one_sensor_for_all_apis_and_it_is_on() -> None:
    sensors = {sensor.name: sensor for sensor in project_sensors([api_of("shop", "orders")])}
    assert sensors["housekeeping"].default_status is dg.DefaultSensorStatus.RUNNING


def test_a_late_table_fails_its_check_and_is_named_once(instance: dg.DagsterInstance) -> None:
    loaded(instance, "shop/orders")
    ticks = Ticks(instance, api_of("shop", "orders"))
    assert ticks.tick() == "shop/orders is late."
    assert evaluations(instance, "shop/orders") == [False]
    ticks.now += FRESHNESS_INTERVAL
    assert ticks.tick() == NOTHING_TO_DO


def test_a_step_that_fails_stops_no_other_and_fails_the_tick(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded(instance, "shop/orders", "support/tickets")

    def broken(instance: dg.DagsterInstance, resource: Any, now: datetime) -> Any:
        if resource.api_name == "shop":
            raise KeyError("no such partition")
        return changed_freshness(instance, resource, now)

    monkeypatch.setattr(housekeeping, "changed_freshness", broken)
    monkeypatch.setattr(housekeeping, "end_dead_runs", lambda *_: 1 / 0)
    ticks = Ticks(instance, api_of("shop", "orders"), api_of("support", "tickets"))

    with pytest.raises(HousekeepingError) as failed:
        ticks.tick()
    assert str(failed.value).splitlines() == [
        "Dead runs: ZeroDivisionError: division by zero",
        "Freshness of shop/orders: KeyError: 'no such partition'",
    ]
    with pytest.raises(HousekeepingError, match="Dead runs"):
        ticks.tick()
    assert evaluations(instance, "support/tickets") == [False]


def test_the_tables_of_a_large_project_are_looked_at_in_turn(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    monkeypatch.setattr(
        housekeeping,
        "changed_freshness",
        lambda _instance, resource, _now: looked.append(resource.full_name),
    )
    names = [f"table_{number}" for number in range(95)]
    ticks = Ticks(instance, api_of("shop", *names))
    rounds = FRESHNESS_INTERVAL // INTERVAL
    sizes = []
    for _ in range(2 * rounds):
        before = len(looked)
        ticks.tick()
        sizes.append(len(looked) - before)

    assert max(sizes) == 10
    assert looked == 2 * [f"shop/{name}" for name in names]


def test_the_pools_of_a_large_project_are_looked_at_in_turn(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    pools = [f"pool_{number:03}" for number in range(120)]
    looked: list[list[str]] = []
    monkeypatch.setattr(housekeeping, "pools_of", lambda _: pools)

    def look(_instance: dg.DagsterInstance, some: list[str]) -> list[str]:
        looked.append(some)
        return []

    monkeypatch.setattr(housekeeping, "assign_free_slots", look)
    ticks = Ticks(instance, api_of("shop", "orders"))
    for _ in range(3):
        ticks.tick()

    assert [len(some) for some in looked] == [50, 50, 50]
    assert [*looked[0], *looked[1], *looked[2]] == [*pools, *pools[:30]]


def test_more_failed_runs_than_a_tick_looks_at_are_left_to_the_next(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []

    def keep(_instance: dg.DagsterInstance, run_id: str, *_: object) -> bool:
        looked.append(run_id)
        return True

    monkeypatch.setattr(housekeeping, "keep_results_of_failed_run", keep)
    monkeypatch.setattr(housekeeping, "MOST_RUNS", 2)
    monkeypatch.setattr(housekeeping, "CLOCK_DIFFERENCE", timedelta(0))
    failed = [
        instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED) for _ in range(3)
    ]
    ticks = Ticks(instance, api_of("shop", "orders"))
    ticks.now = datetime.now(UTC)
    for run in failed:
        instance.report_run_failed(run)
    ticks.tick()
    assert looked == [run.run_id for run in failed[:2]]
    ticks.tick()
    assert looked[-1] == failed[2].run_id


def test_a_failed_run_with_results_that_a_tick_had_no_time_for_is_left_to_the_next(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked, kept = list[str](), iter([True, False, True, True, True])

    def keep(_instance: dg.DagsterInstance, run_id: str, *_: object) -> bool:
        looked.append(run_id)
        return next(kept)

    monkeypatch.setattr(housekeeping, "keep_results_of_failed_run", keep)
    monkeypatch.setattr(housekeeping, "CLOCK_DIFFERENCE", timedelta(milliseconds=1))
    runs = [instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED) for _ in range(3)]
    for run in runs:
        instance.report_run_failed(run)
    first, second, third = [run.run_id for run in runs]
    ticks = Ticks(instance, api_of("shop", "orders"))
    ticks.now = datetime.now(UTC)
    ticks.tick()
    assert looked == [first, second]
    ticks.tick()
    assert looked[2:] == [second, third]
    ticks.tick()
    assert looked[4:] == []


@dg.job
def job() -> None:
    """A job whose runs are recorded, but not executed."""
