"""The outcome of some runs: loads, checks and failures."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import dagster as dg

from analytics_assets.config.resource import ResourceConfig
from analytics_assets.config.text.quantities import duration, number
from analytics_assets.orchestration.checks.definitions import CHECKS
from analytics_assets.orchestration.keys import asset_key, op_name
from analytics_assets.orchestration.metadata.names import (
    LOAD_ID,
    NEWEST_DATA,
    ROW_COUNT,
    ROWS_LOADED,
)
from analytics_assets.orchestration.runs.materializations import plain_metadata
from analytics_assets.orchestration.runs.run_events import cause_of_failure

Results = Sequence[dg.ExecuteInProcessResult]


class AssetOutcome(NamedTuple):
    """The outcome of an asset over all runs, for display.

    Args:
        partitions: the number of loaded partitions.
        rows_loaded: rows that the loads have brought; or a word for the reason that there is none.
        rows: rows in the table.
        newest: the newest day in the table.
        seconds: the time that it took.
    """

    partitions: str = "-"
    rows_loaded: str = "-"
    rows: str = "-"
    newest: str = "-"
    seconds: str = "-"


FAILED, NONE_DUE = AssetOutcome(rows_loaded="failed"), AssetOutcome(rows_loaded="none due")
SKIPPED = AssetOutcome(rows_loaded="skipped")


def outcome_of(results: Results, resource: ResourceConfig) -> AssetOutcome:
    """Return the outcome of a resource."""
    key, step = asset_key(resource), op_name(resource)
    failed = any(
        event.node_name == step for result in results for event in result.get_step_failure_events()
    )
    loads = [
        event.step_materialization_data.materialization
        for result in results
        for event in result.get_asset_materialization_events()
        if event.asset_key == key
    ]
    if failed or not loads:
        due = any(key in (result.dagster_run.asset_selection or ()) for result in results)
        return FAILED if due else NONE_DUE
    metadata = [plain_metadata(load) for load in loads]
    newest: dict[str, Any] = metadata[-1]
    # the partitions of a window share one load
    rows = sum({each[LOAD_ID]: each[ROWS_LOADED] for each in metadata}.values())
    partitions = {load.partition for load in loads if load.partition}
    return AssetOutcome(
        number(len(partitions)) if partitions else "-",
        number(rows),
        _number(newest.get(ROW_COUNT)),
        str(newest.get(NEWEST_DATA, "-")),
        duration(_seconds(results, step)),
    )


def lost_assets(results: Results) -> set[dg.AssetKey]:
    """Return the assets that a run was to make, and has not."""
    lost = set[dg.AssetKey]()
    for result in results:
        made = {event.asset_key for event in result.get_asset_materialization_events()}
        lost |= {*(result.dagster_run.asset_selection or ())} - made
    return lost


def outcome_of_made(results: Results, key: dg.AssetKey) -> AssetOutcome:
    """Return the outcome of an asset that is made of tables."""
    made = [
        (event.step_materialization_data.materialization, event.node_name)
        for result in results
        for event in result.get_asset_materialization_events()
        if event.asset_key == key
    ]
    if not made:
        requested = any(key in (each.dagster_run.asset_selection or ()) for each in results)
        return FAILED if requested else SKIPPED
    asset, step = made[-1]
    metadata = plain_metadata(asset)
    return AssetOutcome(
        rows=_number(metadata.get(ROW_COUNT)),
        newest=str(metadata.get(NEWEST_DATA, "-")),
        seconds=duration(_seconds(results, str(step))),
    )


def _number(value: Any) -> str:
    return number(value) if isinstance(value, int) else "-"


def _seconds(results: Results, step: str) -> float:
    return sum(
        event.step_success_data.duration_ms / 1000
        for result in results
        for event in result.get_step_success_events()
        if event.node_name == step
    )


def all_loaded(results: Results) -> bool:
    """Return True if all runs succeeded, and no check of a load failed with severity ERROR."""
    return all(result.success for result in results) and not any(
        _proves_load(each) and not each.passed and each.severity is dg.AssetCheckSeverity.ERROR
        for result in results
        for each in result.get_asset_check_evaluations()
    )


def _proves_load(evaluation: dg.AssetCheckEvaluation) -> bool:
    check = CHECKS.get(evaluation.check_name)  # a mart has checks of its own
    return check is not None and check.proves_load


def final_evaluations(results: Results) -> list[dg.AssetCheckEvaluation]:
    """Return the evaluations of all runs, but of checks of the table only the last one each.

    While older partitions are loaded, the newest are still missing.
    """
    evaluations: dict[tuple[dg.AssetCheckKey, int], dg.AssetCheckEvaluation] = {}
    for run, result in enumerate(results):
        for evaluation in result.get_asset_check_evaluations():
            check = CHECKS.get(evaluation.check_name)
            per_load = check is not None and check.per_load
            evaluations[evaluation.asset_check_key, run if per_load else 0] = evaluation
    return list(evaluations.values())


def failures(result: dg.ExecuteInProcessResult) -> Iterator[str]:
    """Yield a sentence for each failed step of a run."""
    for event in result.get_step_failure_events():
        described = event.step_failure_data.user_failure_data
        cause = cause_of_failure(event)
        if cause:
            yield cause if described and described.description else f"{event.node_name}: {cause}"
