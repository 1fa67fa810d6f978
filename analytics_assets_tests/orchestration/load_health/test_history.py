"""Attempts of the runs in Dagster's history."""

from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from analytics_assets.orchestration.load_health import history
from analytics_assets.orchestration.load_health.history import (
    attempts_since,
    wait_for_loads,
)
from analytics_assets.orchestration.runs import run_events
from analytics_assets.orchestration.runs.tags import API, REQUESTED_BY
from analytics_assets_tests.orchestration.load_health.runs import STEPS, failing, run_steps


def outcomes(instance: dg.DagsterInstance, since: datetime) -> list[tuple[str, str]]:
    attempts = attempts_since(instance, "shop", STEPS, since)
    return [(run.run_id, each.outcome) for run, each in attempts]


def test_runs_that_changed_since_a_moment_are_read_page_by_page(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "RUNS", 2)
    monkeypatch.setattr(run_events, "PAGE", 2)
    begun = datetime.now(UTC)
    runs = [run_steps(instance, orders=lambda: {}).run_id for _ in range(4)]
    failed = run_steps(instance, orders=failing(ValueError("no")), items=lambda: {}).run_id
    later = datetime.now(UTC)

    expected = [*((run, "loaded") for run in runs), (failed, "failed"), (failed, "loaded")]
    assert outcomes(instance, begun - timedelta(seconds=1)) == expected
    assert outcomes(instance, later + timedelta(seconds=1)) == []


def test_events_of_runs_for_other_apis_are_not_read(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = datetime.now(UTC)
    tags = [{REQUESTED_BY: "a schedule", API: apis} for apis in ("shop", "bank, shop", "bank")]
    ours = [run_steps(instance, each, orders=lambda: {}).run_id for each in tags][:2]
    read: list[str] = []
    records = dg.DagsterInstance.get_records_for_run

    def recorded(instance: dg.DagsterInstance, run_id: str, *options: Any) -> Any:
        read.append(run_id)
        return records(instance, run_id, *options)

    monkeypatch.setattr(dg.DagsterInstance, "get_records_for_run", recorded)

    expected = [(run, "loaded") for run in ours]
    assert outcomes(instance, begun - timedelta(seconds=1)) == expected
    assert read == ours


def test_a_run_under_way_is_read_whenever_it_began_and_once(instance: dg.DagsterInstance) -> None:
    seen: list[tuple[str, str]] = []

    def look() -> dict[str, object]:
        seen.extend(outcomes(instance, datetime.now(UTC) + timedelta(hours=1)))
        seen.extend(outcomes(instance, datetime.now(UTC) - timedelta(hours=1)))
        return {}

    run = run_steps(instance, orders=lambda: {}, items=look).run_id

    assert seen == [(run, "loaded"), (run, "under way")] * 2


def test_loads_of_a_run_that_have_started_are_waited_for_until_patience_ends(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "POLL", 0.01)
    orders, items = {"shop__orders": "orders"}, {"shop__items": "items"}
    ended: list[bool] = []

    def look() -> dict[str, object]:
        [run] = instance.get_runs()
        for steps in (orders, items):  # the first has ended, the second is this one
            ended.append(wait_for_loads(instance, steps, run, timedelta(seconds=0.05)))
        return {}

    run_steps(instance, orders=lambda: {}, items=look)

    assert ended == [True, False]
