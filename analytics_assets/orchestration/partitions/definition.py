"""Days, weeks or months of a resource as Dagster partitions."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import cache, lru_cache
from itertools import pairwise
from sys import intern
from typing import Any

import dagster as dg

from analytics_assets.config.entry.answer_quality import SAMPLED
from analytics_assets.config.load import Partitioned
from analytics_assets.config.resource import ResourceConfig
from analytics_assets.config.times.timestamps import earlier
from analytics_assets.config.times.window import TimeWindow
from analytics_assets.extract.paging.window_parts import WindowParts
from analytics_assets.orchestration.runs.materializations import last_loads

MONDAY = 1
# keys of weeks and months look unlike days, or a loaded day would count as its whole month
KEYS = {"day": "%Y-%m-%d", "week": "week-%Y-%m-%d", "month": "%Y-%m"}
DAY = timedelta(days=1)


def partitioned(resource: ResourceConfig) -> Partitioned:
    """Return the load of a resource with a `Partitioned` load."""
    load = resource.policy.load
    assert isinstance(load, Partitioned), "other loads have no partitions"
    return load


def partitions_of(load: Partitioned) -> dg.TimeWindowPartitionsDefinition:
    """Return the partitions of a load; equal loads share one object."""
    end_offset = int(load.include_unfinished)
    return _partitions(load.by, load.start.strftime(KEYS[load.by]), load.timezone, end_offset)


@cache
def _partitions(
    by: str, start: str, timezone: str, end_offset: int
) -> dg.TimeWindowPartitionsDefinition:
    options: Any = {"timezone": timezone, "end_offset": end_offset, "fmt": KEYS[by]}
    if by == "day":
        return dg.DailyPartitionsDefinition(start, **options)
    if by == "week":
        return dg.WeeklyPartitionsDefinition(start, day_offset=MONDAY, **options)
    return dg.MonthlyPartitionsDefinition(start, **options)


def backfill_policy_of(load: Partitioned) -> dg.BackfillPolicy:
    """Return the policy by which Dagster cuts a backfill: a run per longest window."""
    return dg.BackfillPolicy.multi_run(load.longest_window)


def partitions_until(load: Partitioned, now: datetime) -> Sequence[str]:
    """Return the partitions that exist at a moment, oldest first."""
    partitions = partitions_of(load)
    with dg.partition_loading_context(now):
        last = partitions.get_last_partition_key()
    return [*_keys_until(partitions, last)] if last else []


@lru_cache(512)
def _keys_until(partitions: dg.TimeWindowPartitionsDefinition, last: str) -> Sequence[str]:
    """Return the partitions up to the last one; Dagster 1.13 takes 5 ms for a thousand of them."""
    with dg.partition_loading_context(partitions.time_window_for_partition_key(last).end):
        # where a partition begins before its time, there is one more
        keys = partitions.get_partition_keys()
    # partitions with another start share the texts
    return tuple(map(intern, keys[: keys.index(last) + 1]))


def finished_partitions(load: Partitioned, now: datetime) -> Sequence[str]:
    """Return the partitions that have ended at a moment, oldest first."""
    keys = partitions_until(load, now)
    return keys[:-1] if load.include_unfinished else keys


def due_partitions(load: Partitioned, now: datetime) -> Sequence[str]:
    """Return the newest partition at a moment, and `lookback` partitions before it."""
    return partitions_until(load, now)[-(load.lookback + 1) :]


def expected_partitions(load: Partitioned, freshness: timedelta, now: datetime) -> Sequence[str]:
    """Return the partitions that a fresh table has at a moment, oldest first.

    Args:
        load: the load.
        freshness: age at which the newest day of a table is no longer fresh; the day after it
            has then ended a day later.
        now: the moment.
    """
    return finished_partitions(load, earlier(now, max(freshness - DAY, timedelta(0))))


def missing_partitions(
    instance: dg.DagsterInstance, asset: dg.AssetKey, load: Partitioned, keys: Sequence[str]
) -> list[str]:
    """Return the partitions that were never loaded as a whole.

    Args:
        instance: holds the event log.
        asset: the asset.
        load: the load. With `include_unfinished`, a partition whose last load began before its
            end is not loaded as a whole.
        keys: the partitions to look up.
    """
    if load.include_unfinished:
        windows = partitions_of(load).time_window_for_partition_key
        loads = last_loads(instance, asset, keys)
        loaded = {key for key, last in loads.items() if last.began >= windows(key).end}
    else:
        loaded = instance.get_materialized_partitions(asset)
    return [key for key in keys if key not in loaded]


def ranges(
    load: Partitioned, keys: Iterable[str], longest: int | None = None
) -> Iterator[list[str]]:
    """Group partitions into ranges of consecutive ones.

    Args:
        load: the load.
        keys: the partitions, oldest first.
        longest: the most partitions of a range.

    Yields:
        Partitions without a gap between them.

    Example:
        >>> from datetime import date
        >>> load = Partitioned(start=date(2026, 1, 1))
        >>> list(ranges(load, ["2026-01-01", "2026-01-02", "2026-01-04"]))
        [['2026-01-01', '2026-01-02'], ['2026-01-04']]
    """
    partitions = partitions_of(load)
    windows = [(key, partitions.time_window_for_partition_key(key)) for key in keys]
    group = [key for key, _ in windows[:1]]
    for (_, before), (key, window) in pairwise(windows):
        if window.start != before.end or len(group) == longest:
            yield group
            group = []
        group.append(key)
    if group:
        yield group


def due_windows(load: Partitioned, now: datetime) -> list[list[str]]:
    """Return the partitions that are due, in the ranges that a run may load."""
    return list(ranges(load, due_partitions(load, now), load.longest_window))


def time_window_of(load: Partitioned, keys: Sequence[str]) -> TimeWindow:
    """Return the time window of consecutive partitions."""
    partitions = partitions_of(load)
    first, last = (partitions.time_window_for_partition_key(key) for key in (keys[0], keys[-1]))
    return TimeWindow(first.start, last.end, load.window)


def window_parts(resource: ResourceConfig, keys: Sequence[str]) -> WindowParts | None:
    """Return the window of consecutive partitions, to be read in pieces or in halves.

    Args:
        resource: a partitioned resource.
        keys: the partitions.

    Returns:
        The window; None if one request asks for all of it, whatever the answer says.
    """
    load, named = partitioned(resource), resource.merged_entry.get("answer_quality") or {}
    is_halved = resource.policy.sampled_window == "halve" and SAMPLED in named
    if not is_halved and (load.longest_request is None or load.longest_request >= len(keys)):
        return None
    parts = [time_window_of(load, [key]) for key in keys]
    return WindowParts(parts, load.longest_request, is_halved)
