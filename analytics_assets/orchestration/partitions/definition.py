"""The days, weeks or months of a resource as Dagster partitions: which there are, which are due."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Any

import dagster as dg

from analytics_assets.config.load import Partitioned
from analytics_assets.extract.incremental.time_window import TimeWindow
from analytics_assets.orchestration.runs.materializations import last_loads

# by which Dagster 1.13 takes a run for one over a range of partitions
RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
MONDAY = 1
# that of a week, or a month, is none of a day, or a day that was loaded would pass for all of it
KEYS = {"day": "%Y-%m-%d", "week": "week-%Y-%m-%d", "month": "%Y-%m"}
DAY = timedelta(days=1)


def partitions_of(load: Partitioned) -> dg.TimeWindowPartitionsDefinition:
    """Return the partitions of a load; those of equal loads are one object."""
    end_offset = int(load.include_unfinished)
    return _partitions(load.by, load.start.strftime(KEYS[load.by]), load.timezone, end_offset)


@cache
def _partitions(
    by: str, start: str, timezone: str, end_offset: int
) -> dg.TimeWindowPartitionsDefinition:
    how: Any = {"timezone": timezone, "end_offset": end_offset, "fmt": KEYS[by]}
    if by == "day":
        return dg.DailyPartitionsDefinition(start, **how)
    if by == "week":
        return dg.WeeklyPartitionsDefinition(start, day_offset=MONDAY, **how)
    return dg.MonthlyPartitionsDefinition(start, **how)


def backfill_policy_of(load: Partitioned) -> dg.BackfillPolicy:
    """Return into how many runs a backfill is cut: one, if the policy does not say otherwise."""
    if load.partitions_per_run is None:
        return dg.BackfillPolicy.single_run()
    return dg.BackfillPolicy.multi_run(load.partitions_per_run)


def partitions_until(load: Partitioned, now: datetime) -> Sequence[str]:
    """Return the partitions that there are at a moment, the oldest first."""
    with dg.partition_loading_context(now):
        return partitions_of(load).get_partition_keys()


def finished_partitions(load: Partitioned, now: datetime) -> Sequence[str]:
    """Return the partitions that are over at a moment, the oldest first."""
    keys = partitions_until(load, now)
    return keys[:-1] if load.include_unfinished else keys


def due_partitions(load: Partitioned, now: datetime) -> Sequence[str]:
    """Return the newest partition at a moment, and as many before it as are to be taken again."""
    return partitions_until(load, now)[-(load.lookback + 1) :]


def expected_partitions(load: Partitioned, freshness: timedelta, now: datetime) -> Sequence[str]:
    """Return the partitions that a fresh table has at a moment, the oldest first.

    Args:
        load: whose partitions they are.
        freshness: how long after the end of its newest day a table counts as fresh. The day that
            follows on it has then been over for a day less.
        now: the moment.
    """
    return finished_partitions(load, now - max(freshness - DAY, timedelta(0)))


def missing_partitions(
    instance: dg.DagsterInstance, asset: dg.AssetKey, load: Partitioned, keys: Sequence[str]
) -> list[str]:
    """Return the partitions that were never loaded as a whole.

    Args:
        instance: what remembers the loads.
        asset: the asset.
        load: whose partitions they are. Where those that are not over count, one that was loaded
            last before its end lacks what came after that.
        keys: the partitions in question.
    """
    if load.include_unfinished:
        windows = partitions_of(load).time_window_for_partition_key
        loads = last_loads(instance, asset, keys)
        whole = {key for key, last in loads.items() if last.began >= windows(key).end}
    else:
        whole = instance.get_materialized_partitions(asset)
    return [key for key in keys if key not in whole]


def ranges(
    load: Partitioned, keys: Iterable[str], longest: int | None = None
) -> Iterator[list[str]]:
    """Put partitions that follow on each other together.

    Args:
        load: whose partitions they are.
        keys: the partitions, the oldest first.
        longest: how many to put together at most.

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
    together = [key for key, _ in windows[:1]]
    for (_, before), (key, window) in pairwise(windows):
        if window.start != before.end or len(together) == longest:
            yield together
            together = []
        together.append(key)
    if together:
        yield together


def time_window_of(load: Partitioned, keys: Sequence[str]) -> TimeWindow:
    """Return the span of time of partitions that follow on each other."""
    partitions = partitions_of(load)
    first, last = (partitions.time_window_for_partition_key(key) for key in (keys[0], keys[-1]))
    return TimeWindow(first.start, last.end, load.window)


def range_tags(keys: Sequence[str]) -> Mapping[str, str]:
    """Return the tags of a run over partitions that follow on each other."""
    return {RANGE_START: keys[0], RANGE_END: keys[-1]}


def in_words(keys: Sequence[str]) -> str:
    """Name partitions that follow on each other.

    Example:
        >>> in_words(["2026-01-01", "2026-01-02"])
        '2026-01-01 to 2026-01-02'
    """
    return keys[0] if len(keys) == 1 else f"{keys[0]} to {keys[-1]}"
