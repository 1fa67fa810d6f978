"""Partitions of a load: those that exist, are due or missing, and their ranges."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, get_args

import dagster as dg
import pytest

from analytics_assets.config.load import By, Partitioned
from analytics_assets.config.times.window import Window
from analytics_assets.orchestration.partitions.definition import (
    backfill_policy_of,
    due_partitions,
    expected_partitions,
    finished_partitions,
    missing_partitions,
    partitions_of,
    partitions_until,
    ranges,
    time_window_of,
)

NOW = datetime(2026, 3, 10, 0, 30, tzinfo=UTC)  # a Tuesday; in Chicago it is Monday still
CHICAGO = "America/Chicago"
IN_CHICAGO: dict[str, Any] = {"timezone": CHICAGO, "window": Window(timezone=CHICAGO)}
ASSET = dg.AssetKey("a")


def load_by(by: Any, start: date, **parts: Any) -> Partitioned:
    return Partitioned(by=by, start=start, **parts)


@pytest.mark.parametrize(
    ("load", "due"),
    [
        (load_by("day", date(2026, 3, 1), lookback=1), ["2026-03-08", "2026-03-09"]),
        (load_by("day", date(2026, 3, 9), lookback=3), ["2026-03-09"]),
        (load_by("day", date(2026, 3, 10)), []),
        (
            load_by("day", date(2026, 3, 1), lookback=1, include_unfinished=True),
            ["2026-03-09", "2026-03-10"],
        ),
        (load_by("day", date(2026, 3, 1), lookback=0, **IN_CHICAGO), ["2026-03-08"]),
        (load_by("week", date(2026, 1, 5), lookback=1), ["week-2026-02-23", "week-2026-03-02"]),
        (load_by("month", date(2026, 1, 1), lookback=0), ["2026-02"]),
    ],
)
def test_the_newest_partition_and_the_lookback_before_it_are_due(
    load: Partitioned, due: list[str]
) -> None:
    assert due_partitions(load, NOW) == due


@pytest.mark.parametrize("include", [True, False])
@pytest.mark.parametrize("by", get_args(By))
def test_the_partitions_at_any_moment_are_those_of_dagster(by: Any, include: bool) -> None:
    start = date(2026, 2, 2) if by == "week" else date(2026, 2, 1)
    load = load_by(by, start, include_unfinished=include, **IN_CHICAGO)
    # over the night of the change to summer time, there and back
    moments = [NOW + timedelta(hours=hours) for hours in (*range(-60, 24), 2000, -9000, 0)]
    for now in moments:
        with dg.partition_loading_context(now):
            keys = partitions_of(load).get_partition_keys()
        assert partitions_until(load, now) == keys


def test_a_freshness_of_all_time_expects_no_partition() -> None:
    assert expected_partitions(load_by("day", date(2026, 3, 1)), timedelta.max, NOW) == []


@pytest.mark.parametrize("by", ["day", "week", "month"])
def test_an_unfinished_partition_exists_but_has_not_ended(by: Any) -> None:
    start = {"day": date(2026, 3, 1), "week": date(2026, 2, 2), "month": date(2026, 1, 1)}[by]
    with_it, without = (
        load_by(by, start, include_unfinished=included) for included in (True, False)
    )
    assert finished_partitions(with_it, NOW) == finished_partitions(without, NOW)
    assert due_partitions(with_it, NOW)[-1] > due_partitions(without, NOW)[-1]


@pytest.mark.parametrize(
    ("load", "key", "params"),
    [
        (load_by("week", date(2026, 3, 2)), "week-2026-03-02", ("2026-03-02", "2026-03-08")),
        (load_by("month", date(2026, 2, 1)), "2026-02", ("2026-02-01", "2026-02-28")),
        (
            load_by("day", date(2026, 3, 8), **IN_CHICAGO),  # the day has 23 hours
            "2026-03-08",
            ("2026-03-08", "2026-03-08"),
        ),
    ],
)
def test_a_partition_is_requested_from_its_first_to_its_last_day(
    load: Partitioned, key: str, params: tuple[str, str]
) -> None:
    asked = time_window_of(load, [key]).params
    assert (asked["start_date"], asked["end_date"]) == params


def test_ranges_end_at_a_gap_and_at_the_longest_window() -> None:
    load = load_by("day", date(2026, 1, 1))
    keys = [f"2026-01-{day:02}" for day in (1, 2, 3, 4, 5, 7, 8)]
    assert list(ranges(load, keys, longest=3)) == [keys[:3], keys[3:5], keys[5:]]
    assert list(ranges(load, keys)) == [keys[:5], keys[5:]]
    assert list(ranges(load, [])) == []


def test_months_of_any_length_are_consecutive() -> None:
    load = load_by("month", date(2026, 1, 1))
    keys = ["2026-01", "2026-02", "2026-03"]
    assert list(ranges(load, keys)) == [keys]
    assert time_window_of(load, keys).params["end_date"] == "2026-03-31"


def test_equal_partitions_are_one_object_for_all_resources() -> None:
    loads = (load_by("day", date(2026, 1, 1), lookback=lookback) for lookback in (0, 7))
    assert len({id(partitions_of(load)) for load in loads}) == 1


def test_dagster_cuts_a_backfill_into_runs_of_the_longest_window() -> None:
    load = load_by("day", date(2026, 1, 1), longest_window=30)
    assert backfill_policy_of(load) == dg.BackfillPolicy.multi_run(30)


def loaded(instance: dg.DagsterInstance, key: str, began: datetime = NOW) -> None:
    """Record a load that began at some moment."""
    event = dg.AssetMaterialization(ASSET, partition=key, metadata={"load_id": began.timestamp()})
    instance.report_runless_asset_event(event)


def test_a_day_that_was_never_loaded_is_missing(instance: dg.DagsterInstance) -> None:
    load, keys = load_by("day", date(2026, 1, 1)), ["2026-01-01", "2026-01-02", "2026-01-03"]
    loaded(instance, "2026-01-02")
    assert missing_partitions(instance, ASSET, load, keys) == ["2026-01-01", "2026-01-03"]


def test_a_day_that_was_only_loaded_before_its_end_is_missing(instance: dg.DagsterInstance) -> None:
    load, keys = load_by("day", date(2026, 3, 1), include_unfinished=True), ["2026-03-08"]
    loaded(instance, "2026-03-08", datetime(2026, 3, 8, 23, 59, tzinfo=UTC))
    assert missing_partitions(instance, ASSET, load, keys) == keys
    loaded(instance, "2026-03-08", datetime(2026, 3, 9, tzinfo=UTC))
    assert missing_partitions(instance, ASSET, load, keys) == []


def test_a_loaded_day_or_week_does_not_count_as_a_week_or_month(
    instance: dg.DagsterInstance,
) -> None:
    first = date(2024, 1, 1)  # a Monday
    keys = {by: due_partitions(load_by(by, first, lookback=999), NOW)[:1] for by in get_args(By)}
    for by, first_keys in keys.items():
        load = load_by(by, first)
        assert missing_partitions(instance, ASSET, load, first_keys) == first_keys
        loaded(instance, *first_keys)
        assert missing_partitions(instance, ASSET, load, first_keys) == []


def test_loaded_days_leave_their_month_missing(
    instance: dg.DagsterInstance,
) -> None:
    loaded(instance, "2026-01-02")
    months = load_by("month", date(2026, 1, 1), include_unfinished=True)
    assert missing_partitions(instance, ASSET, months, ["2026-01"]) == ["2026-01"]
