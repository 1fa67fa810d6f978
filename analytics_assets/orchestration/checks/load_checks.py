"""Checks of the last load: completeness, cursor and deleted rows."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from analytics_assets.config.load import Incremental
from analytics_assets.config.policy import Policy
from analytics_assets.config.text.quantities import count, number
from analytics_assets.orchestration.checks.context import CheckContext
from analytics_assets.orchestration.checks.result import CheckResult
from analytics_assets.orchestration.metadata.load import lacks_rows, rows_due
from analytics_assets.orchestration.metadata.names import (
    COMPLETE,
    CURSOR_AFTER,
    CURSOR_BEFORE,
    CURSOR_START,
    DROPPED,
    DROPPED_SINCE,
    FORMER_CONFIGURATION,
    PARENTS_WITHOUT_VALUE,
    ROWS_ALIKE_BEFORE_STEPS,
    ROWS_BEFORE_START,
    ROWS_EXPECTED,
    ROWS_MARKED_DELETED,
    ROWS_OF_LOAD,
    ROWS_PRUNED,
    ROWS_RECEIVED,
    ROWS_REJECTED,
    ROWS_REPEATED,
    ROWS_SUPERSEDED,
    ROWS_TO_PRUNE,
    ROWS_WITHOUT_CURSOR,
    ROWS_YET_TO_COME,
    TOMBSTONES_KEPT,
)
from analytics_assets.orchestration.partitions.former_configuration import (
    configurations,
    describe,
    former_configurations,
)

NO_LOAD = "The asset was never loaded."


def check_complete_read(load: Mapping[str, Any], requests_overlap: bool = False) -> CheckResult:
    """Fail if the last load may have missed rows.

    Args:
        load: the metadata of the last load.
        requests_overlap: True if a row of the moment between two of its requests comes in both.

    Returns:
        The result; a warning where the configuration itself limits the read, or where rows share
        their key.
    """
    received, expected = load.get(ROWS_RECEIVED), load.get(ROWS_EXPECTED)
    if received is None:
        return CheckResult(False, NO_LOAD, dg.AssetCheckSeverity.WARN)
    text = f"{count(received, 'row')} arrived; the API gives no total."
    if isinstance(expected, int):
        text = f"{number(received)} of {count(expected, 'row')} arrived."
    for field, parents in load.get(PARENTS_WITHOUT_VALUE, {}).items():
        without = f"{count(parents, 'parent row')} without a value in `{field}`"
        text += f" Nothing was requested for {without}."
    if CURSOR_START in load:
        text += f" Requested were changes since {load[CURSOR_START]}."
    if not load.get(COMPLETE):
        text += " The entry's `paginator` ends the read before the API's last row."
        return CheckResult(False, text, dg.AssetCheckSeverity.WARN)
    repeated, due = load.get(ROWS_REPEATED, 0), rows_due(load)
    superseded, deletes = load.get(ROWS_SUPERSEDED, 0), load.get(ROWS_MARKED_DELETED, 0)
    text += f" {count(deletes, 'of them is a delete', 'of them are deletes')}." if deletes else ""
    if load.get(TOMBSTONES_KEPT):
        text += f" {count(load[TOMBSTONES_KEPT], 'of them is', 'of them are')} deleted, and kept."
    if superseded:
        text += f" {count(superseded, 'was', 'were')} superseded, by `dedup_sort`."
    if lacks_rows(load, requests_overlap):
        return CheckResult(
            False,
            f"{text} Only {number(load[ROWS_OF_LOAD])} of {number(due)} are in the table: others "
            "had the same key there. Set `primary_key` to fields that identify a row, also among "
            "other parents.",
            numbers={ROWS_RECEIVED: received},
        )
    # those of several windows in one read; within a window, the read itself finds them
    repeated += max(0, due - load.get(ROWS_OF_LOAD, due))
    if repeated:
        text += (
            f" {count(repeated, 'of them has', 'of them have')} the key of another row, and the "
            "last one "
            "was kept: does "
            "`primary_key` identify a row?"
        )
        if requests_overlap:
            text += (
                " A row of the very moment at which one request ends and the next begins comes in "
                "both: set `resolution` of `Window`."
            )
    alike = load.get(ROWS_ALIKE_BEFORE_STEPS, 0)
    if alike:
        text += (
            f" {count(alike, 'of them has', 'of them have')} the key of another row before "
            "`processing_steps`; if that is so after them, too, the last one was kept. If the "
            "steps tell them apart, let them make a field of another name, and set `primary_key` "
            "to "
            "that."
        )
    passed = not repeated and not alike
    return CheckResult(passed, text, dg.AssetCheckSeverity.WARN, {ROWS_RECEIVED: received})


def check_cursor(load: Mapping[str, Any], policy: Policy) -> CheckResult:
    """Warn if the last load brought rows that no later load can request by their change.

    Args:
        load: the metadata of the last load.
        policy: the policy of the resource.
    """
    reads = policy.load
    assert isinstance(reads, Incremental), "no other load has a cursor"
    if CURSOR_AFTER not in load:
        return CheckResult(False, NO_LOAD, dg.AssetCheckSeverity.WARN)
    numbers = {name: load[name] for name in (ROWS_WITHOUT_CURSOR, ROWS_BEFORE_START)}
    numbers[ROWS_YET_TO_COME] = load[ROWS_YET_TO_COME]
    findings = {
        ROWS_WITHOUT_CURSOR: f"without a time of change in `{reads.field}`, so that no load "
        "can request changes in them. Name the field that has it, or load the resource in full.",
        ROWS_BEFORE_START: f"changed before {load[CURSOR_START]}, the start of the request. "
        f"Check that the API filters `{reads.field}` by `{reads.param}`.",
        ROWS_YET_TO_COME: "with a time of change in the future: loaded, but the cursor does not "
        "follow.",
    }
    found = [f"{count(rows, 'row')} {findings[name]}" for name, rows in numbers.items() if rows]
    text = " ".join(found) or _move(load[CURSOR_BEFORE], load[CURSOR_AFTER])
    return CheckResult(not found, text, dg.AssetCheckSeverity.WARN, numbers)


def _move(before: str, after: str) -> str:
    if before == after:
        return f"The cursor stays at {after}: there is no newer change."
    return f"The cursor moved from {before} to {after}."


def check_dropped(load: Mapping[str, Any]) -> CheckResult:
    """Warn while rows or values are missing, as a table or a column was dropped.

    Args:
        load: the metadata of the last load.
    """
    if DROPPED_SINCE not in load:
        return CheckResult(True, load.get(DROPPED) or "No row is missing.")
    return CheckResult(False, str(load[DROPPED]), dg.AssetCheckSeverity.WARN)


def check_former_configuration(context: CheckContext) -> CheckResult:
    """Warn while partitions or rows are those of another key, path or parameter than of today.

    Args:
        context: the inputs; without a load in this run, the configuration may be a later one.
    """
    found = context.load.metadata.get(FORMER_CONFIGURATION)
    if not context.has_loaded:
        resource, tables = context.resource, context.tables
        known = configurations(tables, resource, context.now)
        former = former_configurations(tables, resource, known)
        found = describe(resource, former) if former else None
    text = found or "All was read by the configuration of today."
    return CheckResult(not found, text, dg.AssetCheckSeverity.WARN)


def check_pruned(load: Mapping[str, Any], policy: Policy) -> CheckResult:
    """Fail if there were more rows to delete than the policy allows.

    Args:
        load: the metadata of the last load.
        policy: the policy, with the share of the table that may be deleted.
    """
    found, deleted = load.get(ROWS_TO_PRUNE, 0), load.get(ROWS_PRUNED, 0)
    numbers = {ROWS_PRUNED: deleted}
    if found == deleted:
        return CheckResult(
            True, f"{count(deleted, 'row was', 'rows were')} deleted.", numbers=numbers
        )
    text = f"The API no longer has {count(found, 'row')} of the table. None was deleted: "
    if not load.get(COMPLETE, True):
        text = f"{count(found, 'row of the table was', 'rows of the table were')} not read. None "
        text += "was deleted: the entry's `paginator` ends the read before the API's last row."
    elif load.get(ROWS_REJECTED):
        rejected = count(load[ROWS_REJECTED], "row was", "rows were")
        text += f"{rejected} rejected, which may be among them. Correct them, or the contract."
    else:
        text += f"that is more than {policy.max_pruned_share:.0%} of the table. To delete them, "
        text += "raise `max_pruned_share` in the resource's policy for one load."
    return CheckResult(False, text, numbers=numbers)
