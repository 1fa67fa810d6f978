"""What is asked of a table that is loaded by partitions: what is missing, lost or has shrunk."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

import dagster as dg

from analytics_assets.config.api import Api
from analytics_assets.config.load import Partitioned
from analytics_assets.config.policy import Policy
from analytics_assets.extract.incremental.window_check import ROWS_OUTSIDE
from analytics_assets.orchestration.checks.result import Verdict
from analytics_assets.orchestration.metadata import ROWS_RECEIVED
from analytics_assets.orchestration.partitions.definition import (
    expected_partitions,
    finished_partitions,
    in_words,
    missing_partitions,
    partitions_until,
    ranges,
)
from analytics_assets.orchestration.partitions.lost import lost_partitions
from analytics_assets.orchestration.partitions.row_counts import rows_of_partitions
from analytics_assets.warehouse.tables import Tables

NAMED_AT_MOST = 10
STEP_BACK = {"day": 7, "week": 1, "month": 1}  # partitions: to the same weekday, or one before
BEFORE = {"day": "a week before", "week": "the week before", "month": "the month before"}


def check_rows_in_window(load: Mapping[str, Any]) -> Verdict:
    """Warn if the API gave rows of other days than it was asked for.

    Args:
        load: the metadata of the last loads.
    """
    outside, received = load.get(ROWS_OUTSIDE, 0), load.get(ROWS_RECEIVED, 0)
    numbers = {ROWS_OUTSIDE: outside}
    if not outside:
        return Verdict(True, "All rows are of the days that were asked for.", numbers=numbers)
    return Verdict(
        False,
        f"{outside} of {received} rows are of other days than the API was asked for. They are "
        "loaded. Is `timezone` or `end_is_inclusive` in `window` of the resource's policy right?",
        dg.AssetCheckSeverity.WARN,
        numbers,
    )


def check_missing_partitions(
    instance: dg.DagsterInstance, asset: dg.AssetKey, policy: Policy, now: datetime
) -> Verdict:
    """Warn if partitions that are over were never loaded, or only before they were over.

    Those that ended no longer ago than the policy's `freshness` are not late yet.

    Args:
        instance: what remembers the loads.
        asset: the asset.
        policy: says which partitions there are.
        now: the moment to compare with.
    """
    load = _partitioned(policy)
    due = finished_partitions(load, now - policy.freshness)
    missing = missing_partitions(instance, asset, load, due)
    numbers = {"missing_partitions": len(missing)}
    if not missing:
        return Verdict(True, f"All {len(due)} are loaded.", numbers=numbers)
    holes = [in_words(hole) for hole in ranges(load, missing)]
    return Verdict(
        False,
        f"{len(missing)} of {len(due)} were never loaded as a whole: {_named(holes)}. Load them by "
        "a backfill of the missing partitions, or set a later `start` in the resource's policy.",
        dg.AssetCheckSeverity.WARN,
        numbers,
    )


def check_newest_partition(
    instance: dg.DagsterInstance, asset: dg.AssetKey, policy: Policy, now: datetime
) -> Verdict:
    """Fail if the newest partition that a fresh table has was not loaded, whatever else was.

    Args:
        instance: what remembers the loads.
        asset: the asset.
        policy: says which partitions there are, and how long a table counts as fresh.
        now: the moment to compare with.
    """
    load = _partitioned(policy)
    due = expected_partitions(load, policy.freshness, now)
    if not due:
        return Verdict(True, "None is due yet.")
    keys = partitions_until(load, now)
    loaded = instance.get_materialized_partitions(asset)
    newest = next((key for key in reversed(keys) if key in loaded), None)
    told = f"The newest that was loaded is {newest or 'none'}; {due[-1]} is due."
    if newest is not None and keys.index(newest) >= len(due) - 1:
        return Verdict(True, told)
    return Verdict(False, f"{told} Is the schedule switched on, and did its last run succeed?")


def check_lost_partitions(
    instance: dg.DagsterInstance, tables: Tables, api: Api, resource: str, now: datetime
) -> Verdict:
    """Fail if the table no longer holds all rows of partitions that were loaded.

    Args:
        instance: what remembers the loads.
        tables: the open warehouse.
        api: the API.
        resource: the resource.
        now: the moment up to which partitions are over.
    """
    load = _partitioned(api.policy(resource))
    keys = finished_partitions(load, now)
    lost = lost_partitions(instance, tables, api, resource, keys)
    numbers = {"lost_partitions": len(lost)}
    if not lost:
        return Verdict(True, "The table has all rows that were loaded.", numbers=numbers)
    holes = [in_words(hole) for hole in ranges(load, lost)]
    return Verdict(
        False,
        f"The table has fewer rows of {len(lost)} than were loaded: {_named(holes)}. Is it another "
        "warehouse, or an older copy? Load them again by a backfill, or by `make materialize`. Or "
        "have rows of other days the same `primary_key`, and take the place of theirs?",
        numbers=numbers,
    )


def check_partition_rows(
    tables: Tables,
    api: Api,
    resource: str,
    loaded: Sequence[str],
    now: datetime,
) -> Verdict:
    """Warn if a partition has far fewer rows than the same weekday, or the partition, before.

    Args:
        tables: the open warehouse.
        api: the API.
        resource: the resource.
        loaded: the partitions of the last loads.
        now: the moment up to which partitions are over.
    """
    load = _partitioned(api.policy(resource))
    keys = finished_partitions(load, now)
    before = dict(zip(keys[STEP_BACK[load.by] :], keys, strict=False))
    pairs = [(before[key], key) for key in loaded if key in before]
    counted = sorted({key for pair in pairs for key in pair})
    rows = rows_of_partitions(tables, api, resource, counted)
    fallen = [
        f"{key} has {rows[key]} rows, {BEFORE[load.by]} there were {rows[earlier]}"
        for earlier, key in pairs
        if rows[key] < (1 - load.max_drop) * rows[earlier]
    ]
    numbers = {"partitions_with_fewer_rows": len(fallen)}
    if not fallen:
        return Verdict(True, f"{len(pairs)} were compared.", numbers=numbers)
    told = f"{_named(fallen)}. If that is how it is, raise `max_drop` in the resource's policy."
    if load.window.end_is_inclusive and any(not rows[key] for _, key in pairs):
        told += " Or is the API's end exclusive? Then set `end_is_inclusive=False` in `window`."
    return Verdict(
        False,
        told,
        dg.AssetCheckSeverity.WARN,
        numbers,
    )


def _partitioned(policy: Policy) -> Partitioned:
    assert isinstance(policy.load, Partitioned), "others do not have these checks"
    return policy.load


def _named(findings: Sequence[str]) -> str:
    """List the first findings, and say how many more there are."""
    shown = list(islice(findings, NAMED_AT_MOST))
    more = len(findings) - len(shown)
    return "; ".join([*shown, *([f"and {more} more"] if more else [])])
