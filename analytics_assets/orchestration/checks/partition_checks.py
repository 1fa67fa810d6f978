"""Checks of partitions: missing, lost and shrunken ones."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import dagster as dg

from analytics_assets.config.resource import ResourceConfig
from analytics_assets.config.text.quantities import count, number
from analytics_assets.config.times.timestamps import earlier
from analytics_assets.orchestration.checks.result import CheckResult
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.orchestration.metadata.names import (
    ROWS_ELSEWHERE,
    ROWS_MARKED_DELETED,
    ROWS_OUTSIDE,
    ROWS_RECEIVED,
)
from analytics_assets.orchestration.partitions.definition import (
    expected_partitions,
    finished_partitions,
    missing_partitions,
    partitioned,
    partitions_until,
    ranges,
)
from analytics_assets.orchestration.partitions.lost import lost_partitions
from analytics_assets.orchestration.partitions.row_counts import row_counts
from analytics_assets.orchestration.runs.tags import range_name
from analytics_assets.warehouse.queries.tables import Tables

NAMED_AT_MOST = 10
STEP_BACK = {"day": 7, "week": 1, "month": 1}  # in partitions
BEFORE = {"day": "a week before", "week": "the week before", "month": "the month before"}


def check_rows_in_window(load: Mapping[str, Any]) -> CheckResult:
    """Warn if the API gave rows of other days than the request.

    Args:
        load: the metadata of the last loads.
    """
    outside, received = load.get(ROWS_OUTSIDE, 0), load.get(ROWS_RECEIVED, 0)
    numbers = {ROWS_OUTSIDE: outside}
    if not outside:
        return CheckResult(True, "All rows belong to the requested days.", numbers=numbers)
    return CheckResult(
        False,
        f"{number(outside)} of {count(received, 'row')} "
        f"{'belongs' if outside == 1 else 'belong'} to other days than the request, and "
        f"{'is' if outside == 1 else 'are'} loaded. Is `timezone` or "
        "`end_is_inclusive` in `window` of the resource's policy right?",
        dg.AssetCheckSeverity.WARN,
        numbers,
    )


def check_missing_partitions(
    instance: dg.DagsterInstance, resource: ResourceConfig, now: datetime
) -> CheckResult:
    """Warn if partitions that have ended were never loaded, or only before their end.

    Those that ended no longer ago than the policy's `freshness` are not late yet.

    Args:
        instance: holds the event log.
        resource: a partitioned resource.
        now: the moment to compare with.
    """
    load = partitioned(resource)
    due = finished_partitions(load, earlier(now, resource.policy.freshness))
    missing = missing_partitions(instance, asset_key(resource), load, due)
    numbers = {"missing partitions": len(missing)}
    if not missing:
        text = f"All {count(len(due), 'partition')} are loaded."
        return CheckResult(True, text if due else "None has ended yet.", numbers=numbers)
    holes = [range_name(hole) for hole in ranges(load, missing)]
    return CheckResult(
        False,
        f"{number(len(missing))} of {count(len(due), 'partition')} "
        f"{'was' if len(missing) == 1 else 'were'} never loaded as a whole: {_named(holes)}. Load "
        "them by a backfill of the missing partitions, or set a later `start` in the resource's "
        "policy.",
        dg.AssetCheckSeverity.WARN,
        numbers,
    )


def check_newest_partition(
    instance: dg.DagsterInstance, resource: ResourceConfig, now: datetime
) -> CheckResult:
    """Fail if the newest partition of a fresh table is not loaded, whatever else is.

    Args:
        instance: holds the event log.
        resource: a partitioned resource.
        now: the moment to compare with.
    """
    load = partitioned(resource)
    due = expected_partitions(load, resource.policy.freshness, now)
    if not due:
        return CheckResult(True, "None is due yet.")
    keys = partitions_until(load, now)
    loaded = instance.get_materialized_partitions(asset_key(resource))
    newest = next((key for key in reversed(keys) if key in loaded), None)
    text = f"The newest that is loaded is {newest or 'none'}; {due[-1]} is due."
    if newest is not None and keys.index(newest) >= len(due) - 1:
        return CheckResult(True, text)
    return CheckResult(False, f"{text} Is the schedule switched on, and did its last run succeed?")


def check_lost_partitions(
    instance: dg.DagsterInstance, tables: Tables, resource: ResourceConfig, now: datetime
) -> CheckResult:
    """Fail if the table no longer holds all rows of loaded partitions.

    Args:
        instance: holds the event log.
        tables: the open warehouse.
        resource: a partitioned resource.
        now: the moment up to which partitions have ended.
    """
    load = partitioned(resource)
    keys = finished_partitions(load, now)
    lost = lost_partitions(instance, tables, resource, keys)
    numbers = {"lost partitions": len(lost)}
    if not lost:
        return CheckResult(True, "The table has all rows that were loaded.", numbers=numbers)
    holes = [range_name(hole) for hole in ranges(load, lost)]
    return CheckResult(
        False,
        f"The table has fewer rows of {count(len(lost), 'partition')} than were loaded: "
        f"{_named(holes)}. If this is another warehouse or an older copy, load them again by a "
        "backfill or `make materialize`. Otherwise check `primary_key`: rows of other days may "
        "have replaced them.",
        numbers=numbers,
    )


def check_rows_elsewhere(load: Mapping[str, Any]) -> CheckResult | None:
    """Pass if the last load has left the rows of all other partitions where they were.

    Args:
        load: the metadata of the last load.

    Returns:
        The result; None if other partitions may have lost rows, or if their number is not known.
    """
    change = load.get(ROWS_ELSEWHERE)
    # where rows of other days came, they may hide others that are gone
    if change is None or load.get(ROWS_OUTSIDE) or change > 0:
        return None
    if -change > load.get(ROWS_MARKED_DELETED, 0):
        return None
    text = "The last load has taken no row from the partitions that it has not read."
    return CheckResult(True, text, numbers={"lost partitions": 0})


def check_partition_rows(
    tables: Tables,
    resource: ResourceConfig,
    loaded: Sequence[str],
    now: datetime,
) -> CheckResult:
    """Warn if a partition has far fewer rows than the same weekday, or the partition, before.

    Args:
        tables: the open warehouse.
        resource: a partitioned resource.
        loaded: the partitions of the last load.
        now: the moment up to which partitions have ended.
    """
    load = partitioned(resource)
    keys = finished_partitions(load, now)
    before = dict(zip(keys[STEP_BACK[load.by] :], keys, strict=False))
    pairs = [(before[key], key) for key in loaded if key in before]
    counted = sorted({key for pair in pairs for key in pair})
    rows = row_counts(tables, resource, counted)
    fallen = [
        f"{key} has {count(rows[key], 'row')}, {BEFORE[load.by]} there were {number(rows[earlier])}"
        for earlier, key in pairs
        if rows[key] < (1 - load.max_drop) * rows[earlier]
    ]
    numbers = {"partitions with fewer rows": len(fallen)}
    if not fallen:
        text = f"{count(len(pairs), 'partition was', 'partitions were')} compared."
        return CheckResult(True, text, numbers=numbers)
    text = f"{_named(fallen)}. If that is correct, raise `max_drop` in the resource's policy."
    if load.window.end_is_inclusive and any(not rows[key] for _, key in pairs):
        text += " Or is the API's end exclusive? Then set `end_is_inclusive=False` in `window`."
    return CheckResult(False, text, dg.AssetCheckSeverity.WARN, numbers)


def _named(findings: Sequence[str]) -> str:
    """Return the first findings, and the number of the others."""
    shown = list(findings[:NAMED_AT_MOST])
    more = len(findings) - len(shown)
    return "; ".join([*shown, *([f"and {more} more"] if more else [])])
