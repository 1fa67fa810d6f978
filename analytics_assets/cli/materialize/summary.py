"""The outcome of some runs as a table, and their problems as sentences."""

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg
from rich import box
from rich.table import Table

from analytics_assets.config.resource import ResourceConfig
from analytics_assets.orchestration.checks.definitions import CHECKS
from analytics_assets.orchestration.keys import asset_key, op_name
from analytics_assets.orchestration.metadata.names import (
    LOAD_ID,
    NEWEST_DATA,
    ROW_COUNT,
    ROWS_LOADED,
)
from analytics_assets.orchestration.runs.materializations import plain_metadata

OWN_ERRORS = ("WarehouseError", "WarehouseLockedError")  # name cause and remedy
NARROWEST = 100  # characters that the table needs
HEADINGS = ("asset", "partitions", "rows loaded", "rows in table", "newest data", "seconds")
Results = Sequence[dg.ExecuteInProcessResult]


def summary(
    results: Results, resources: Sequence[ResourceConfig], made: Sequence[dg.AssetKey] = ()
) -> Table:
    """Return a table with the outcome of each resource over all runs.

    Args:
        results: the runs.
        resources: the resources that were to be loaded.
        made: other assets that were to be made.
    """
    table = Table(box=box.SIMPLE_HEAD)
    for heading in HEADINGS:
        table.add_column(heading, justify="left" if heading == "asset" else "right", no_wrap=True)
    for resource in resources:
        table.add_row(resource.full_name, *_outcome(results, resource))
    for key in made:
        table.add_row(key.to_user_string(), *_outcome_of_made(results, key))
    return table


def _outcome(results: Results, resource: ResourceConfig) -> Sequence[str]:
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
        return ("-", "failed" if due else "none due", "-", "-", "-")
    metadata = [plain_metadata(load) for load in loads]
    newest: dict[str, Any] = metadata[-1]
    # the partitions of a window share one load
    rows = sum({each[LOAD_ID]: each[ROWS_LOADED] for each in metadata}.values())
    return (
        str(len({load.partition for load in loads})) if loads[0].partition else "-",
        str(rows),
        str(newest.get(ROW_COUNT, "-")),
        str(newest.get(NEWEST_DATA, "-")),
        f"{_seconds(results, step):.1f}",
    )


def _outcome_of_made(results: Results, key: dg.AssetKey) -> Sequence[str]:
    made = [
        (event.step_materialization_data.materialization, event.node_name)
        for result in results
        for event in result.get_asset_materialization_events()
        if event.asset_key == key
    ]
    if not made:
        return ("-", "failed", "-", "-", "-")
    asset, step = made[-1]
    count = plain_metadata(asset).get(ROW_COUNT, "-")
    return ("-", "-", str(count), "-", f"{_seconds(results, str(step)):.1f}")


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


def problems(results: Results) -> Iterator[str]:
    """Yield a sentence per failed check and per failed step."""
    for evaluation in _final_evaluations(results):
        if not evaluation.passed:
            yield (
                f"Check failed ({evaluation.severity.value}): {evaluation.check_name} of "
                f"{evaluation.asset_key.to_user_string()}: "
                f"{evaluation.description}"
            )
    for result in results:
        yield from _failures(result)


def _final_evaluations(results: Results) -> list[dg.AssetCheckEvaluation]:
    """Return the evaluations of all runs, but of checks of the table only the last one each.

    While older partitions are loaded, the newest are still missing.
    """
    evaluations: dict[tuple[dg.AssetCheckKey, int], dg.AssetCheckEvaluation] = {}
    for number, result in enumerate(results):
        for evaluation in result.get_asset_check_evaluations():
            check = CHECKS.get(evaluation.check_name)
            per_load = check is not None and check.per_load
            evaluations[evaluation.asset_check_key, number if per_load else 0] = evaluation
    return list(evaluations.values())


def _failures(result: dg.ExecuteInProcessResult) -> Iterator[str]:
    for event in result.get_step_failure_events():
        data = event.step_failure_data
        if data.user_failure_data and data.user_failure_data.description:
            yield data.user_failure_data.description
        elif data.error:
            error = data.error
            while error.cause and error.cls_name not in OWN_ERRORS:
                error = error.cause
            yield f"{event.node_name}: {error.message.strip()}"
