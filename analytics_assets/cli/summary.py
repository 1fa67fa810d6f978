"""What some runs have done, as a table and in sentences."""

from collections.abc import Iterator, Sequence

import dagster as dg
from rich import box
from rich.table import Table

from analytics_assets.config.api import Api
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.orchestration.metadata import NEWEST_DATA, ROW_COUNT, ROWS_LOADED
from analytics_assets.orchestration.runs.unchecked_loads import combined

NARROWEST = 100  # characters that the table needs
HEADINGS = ("asset", "partitions", "rows loaded", "rows in table", "newest data", "seconds")
Results = Sequence[dg.ExecuteInProcessResult]


def summary(api: Api, results: Results, resources: Sequence[str]) -> Table:
    """Say what came of each resource, taking its runs together.

    Args:
        api: the API.
        results: the runs.
        resources: the resources that were to be loaded.
    """
    table = Table(box=box.SIMPLE_HEAD)
    for heading in HEADINGS:
        table.add_column(heading, justify="left" if heading == "asset" else "right", no_wrap=True)
    failed = {event.node_name for result in results for event in result.get_step_failure_events()}
    due = {key for result in results for key in result.dagster_run.asset_selection or ()}
    for resource in resources:
        key, step = asset_key(api, resource), f"{api.name}__{resource}"
        loads = [
            event.step_materialization_data.materialization
            for result in results
            for event in result.get_asset_materialization_events()
            if event.asset_key == key
        ]
        if step in failed or not loads:
            outcome = "failed" if key in due else "none due"
            table.add_row(key.to_user_string(), "-", outcome, "-", "-", "-")
            continue
        told = combined(
            [{name: value.value for name, value in load.metadata.items()} for load in loads[::-1]]
        )
        table.add_row(
            key.to_user_string(),
            str(len({load.partition for load in loads})) if loads[0].partition else "-",
            *(str(told.get(name, "-")) for name in (ROWS_LOADED, ROW_COUNT, NEWEST_DATA)),
            f"{_seconds(results, step):.1f}",
        )
    return table


def _seconds(results: Results, step: str) -> float:
    return sum(
        event.step_success_data.duration_ms / 1000
        for result in results
        for event in result.get_step_success_events()
        if event.node_name == step
    )


def complaints(results: Results) -> Iterator[str]:
    """Say which checks failed, and why steps did."""
    for result in results:
        yield from _failed_checks(result)
        yield from _failures(result)


def _failed_checks(result: dg.ExecuteInProcessResult) -> Iterator[str]:
    for evaluation in result.get_asset_check_evaluations():
        if not evaluation.passed:
            yield (
                f"Check failed ({evaluation.severity.value}): {evaluation.check_name} of "
                f"{evaluation.asset_key.to_user_string()}: "
                f"{evaluation.description}"
            )


def _failures(result: dg.ExecuteInProcessResult) -> Iterator[str]:
    for event in result.get_step_failure_events():
        data = event.step_failure_data
        if data.user_failure_data and data.user_failure_data.description:
            yield data.user_failure_data.description
        elif data.error:
            error = data.error
            while error.cause:
                error = error.cause
            yield f"{event.node_name}: {error.message.strip()}"
