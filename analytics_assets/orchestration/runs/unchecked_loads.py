"""The loads of an asset that its checks have not looked at yet, taken together."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import dagster as dg

from analytics_assets.extract.incremental.window_check import ROWS_OUTSIDE
from analytics_assets.orchestration.metadata import (
    ABSENT_FIELDS,
    COLUMN_SCHEMA,
    COMPLETE,
    LOAD_ID,
    NOT_SAID,
    ROWS_EXPECTED,
    ROWS_LOADED,
    ROWS_OF_LOAD,
    ROWS_RECEIVED,
    ROWS_REJECTED,
    ROWS_REPEATED,
    UNKNOWN_FIELDS,
)
from analytics_assets.orchestration.runs.materializations import newest_first

COUNTS = (
    ROWS_LOADED,
    ROWS_RECEIVED,
    ROWS_EXPECTED,
    ROWS_REPEATED,
    ROWS_REJECTED,
    ROWS_OF_LOAD,
    ROWS_OUTSIDE,
)


class UncheckedLoads(NamedTuple):
    """What the checks of an asset are about.

    Args:
        metadata: what the loads say; empty if there is none.
        partitions: the partitions that they have brought, the oldest first.
        columns_before: the table's columns after the load before that of this run.
    """

    metadata: Mapping[str, Any]
    partitions: Sequence[str]
    columns_before: dg.TableSchema | None


def unchecked_loads(
    instance: dg.DagsterInstance, asset: dg.AssetKey, run_id: str
) -> UncheckedLoads:
    """Find the loads of the last run, and of those before that ended without a check.

    A backfill that fails has loaded some windows, and its checks do not run. They are left to the
    run that carries it on: no rejected row is passed over.

    Args:
        instance: what remembers the loads.
        asset: the asset.
        run_id: the run of the checks.
    """
    events: list[dg.AssetMaterialization] = []
    runs: dict[str, bool] = {}
    before: dg.AssetMaterialization | None = None
    for run, event in newest_first(instance, asset):
        if run not in runs:
            runs[run] = not runs or not _has_checked(instance, asset, run)
        if not runs[run]:
            before = event
            break
        events.append(event)
    if runs and next(iter(runs)) != run_id:  # the checks are run by themselves
        before = events[0]
    columns = before.metadata.get(COLUMN_SCHEMA) if before else None
    schema = columns.value if columns else None
    return UncheckedLoads(
        combined([_plain(event) for event in events]),
        sorted({event.partition for event in events if event.partition}),
        schema if isinstance(schema, dg.TableSchema) else None,
    )


def combined(loads: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Take what several loads say together.

    Args:
        loads: the metadata of each, the newest first. Those of the partitions of one window say
            the same, and count once.

    Returns:
        Sums of the rows; of what cannot be added up, what the newest load says.
    """
    windows = list({load.get(LOAD_ID): load for load in reversed(loads)}.values())
    if len(windows) < 2:
        return loads[0] if loads else {}
    told = {**loads[0], LOAD_ID: ", ".join(str(window[LOAD_ID]) for window in windows)}
    told |= {
        name: _sum([window.get(name) for window in windows]) for name in COUNTS if name in told
    }
    told[COMPLETE] = all(window.get(COMPLETE) for window in windows)
    told[UNKNOWN_FIELDS] = {
        field: kind for window in windows for field, kind in window.get(UNKNOWN_FIELDS, {}).items()
    }
    absent = [set(each.get(ABSENT_FIELDS, ())) for each in windows if each.get(ROWS_RECEIVED)]
    told[ABSENT_FIELDS] = sorted(set.intersection(*absent)) if absent else []
    return told


def _sum(counts: Sequence[Any]) -> Any:
    return NOT_SAID if NOT_SAID in counts else sum(count or 0 for count in counts)


def _has_checked(instance: dg.DagsterInstance, asset: dg.AssetKey, run_id: str) -> bool:
    """Tell whether a run has checked the asset, which it has not if the load failed later on."""
    records = instance.get_records_for_run(
        run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION
    ).records
    events = [record.event_log_entry.dagster_event for record in records]
    return any(event.asset_check_evaluation_data.asset_key == asset for event in events if event)


def _plain(event: dg.AssetMaterialization) -> dict[str, Any]:
    return {name: value.value for name, value in event.metadata.items()}
