"""Freshness of assets by partitions: of their newest partition, and as time passes."""

from datetime import UTC, date, datetime, timedelta

import dagster as dg

from analytics_assets.config.load import Partitioned
from analytics_assets.orchestration.automation.freshness import (
    LONGEST_WAIT,
    changed_freshness,
)
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets.orchestration.keys import asset_key
from analytics_assets_tests.support.partitioned import api_of

RESOURCE = "page_views"
DAYS = api_of(RESOURCE, Partitioned(start=date(2026, 10, 1)), freshness=timedelta(hours=36))
KEY = asset_key(DAYS.resources[RESOURCE])
MORNING = datetime(2026, 11, 5, 6, tzinfo=UTC)  # when the third is due, and the fourth at noon


def loaded(instance: dg.DagsterInstance, *days: int) -> None:
    for day in days:
        event = dg.AssetMaterialization(KEY, partition=f"2026-11-{day:02}")
        instance.report_runless_asset_event(event)


def changed(instance: dg.DagsterInstance, now: datetime = MORNING) -> tuple[bool, str] | None:
    """Return a changed result, and record it as Dagster's daemon does."""
    change = changed_freshness(instance, DAYS.resources[RESOURCE], now)
    if change is None:
        return None
    instance.report_runless_asset_event(change)
    return change.passed, str(change.description).split(" Is ")[0]


def test_a_stale_table_is_reported_once(instance: dg.DagsterInstance) -> None:
    loaded(instance, 1)
    stale = "The newest that is loaded is 2026-11-01; 2026-11-03 is due."
    assert changed(instance) == (False, stale)
    assert changed(instance) is None


def test_a_table_becomes_stale_as_time_passes(instance: dg.DagsterInstance) -> None:
    loaded(instance, 3)
    assert changed(instance, datetime(2026, 11, 5, 11, 59, tzinfo=UTC)) == (
        True,
        "The newest that is loaded is 2026-11-03; 2026-11-03 is due.",
    )
    assert changed(instance, datetime(2026, 11, 5, 12, tzinfo=UTC)) == (
        False,
        "The newest that is loaded is 2026-11-03; 2026-11-04 is due.",
    )


def test_a_backfill_of_old_days_does_not_make_it_fresh(instance: dg.DagsterInstance) -> None:
    loaded(instance, 2)
    assert changed(instance)
    loaded(instance, 1)
    assert changed(instance) is None


def test_the_newest_day_that_is_due_makes_it_fresh(instance: dg.DagsterInstance) -> None:
    loaded(instance, 2)
    assert changed(instance)
    loaded(instance, 3)
    assert changed(instance) == (
        True,
        "The newest that is loaded is 2026-11-03; 2026-11-03 is due.",
    )


def test_a_newer_day_than_is_due_makes_it_fresh(instance: dg.DagsterInstance) -> None:
    loaded(instance, 4)
    assert changed(instance) == (
        True,
        "The newest that is loaded is 2026-11-04; 2026-11-03 is due.",
    )


def test_a_table_that_was_never_loaded_is_not_stale(instance: dg.DagsterInstance) -> None:
    assert changed(instance) is None


def test_a_run_that_will_evaluate_the_check_goes_first(instance: dg.DagsterInstance) -> None:
    loaded(instance, 1)
    job = build_definitions(DAYS).resolve_implicit_global_asset_job_def()
    run = instance.create_run_for_job(job, asset_selection=frozenset([KEY]))
    now = datetime.now(UTC)
    assert changed(instance, now) is None
    instance.report_run_failed(run)
    assert changed(instance, now)


def test_a_run_that_does_not_end_delays_the_result_for_an_hour(
    instance: dg.DagsterInstance,
) -> None:
    loaded(instance, 1)
    job = build_definitions(DAYS).resolve_implicit_global_asset_job_def()
    instance.create_run_for_job(job, asset_selection=frozenset([KEY]))
    later = datetime.now(UTC) + LONGEST_WAIT
    assert changed(instance, later - timedelta(minutes=5)) is None
    assert changed(instance, later)
    assert changed(instance, later) is None
