"""The command line: load without the UI, and see whether an API can be reached."""

import os
import socket
import sys
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager

import click
import dagster as dg
import psutil
from rich import box
from rich.console import Console
from rich.table import Table

from analytics_assets.api import API
from analytics_assets.assets import ROW_COUNT, asset_key
from analytics_assets.definitions import definitions
from analytics_assets.errors import AnalyticsAssetsError, find_cause
from analytics_assets.extract.connection import connect
from analytics_assets.extract.source import rest_api_source
from analytics_assets.settings import configured_base_url
from analytics_assets.warehouse import Warehouse

NARROWEST = 100  # characters that the summary needs
PROCESS_TAG = "analytics_assets/process"


@click.group(help=__doc__)
def main() -> None:
    """Hold the commands together."""


@main.command()
@click.argument("resources", nargs=-1)
@click.option("--verbose", is_flag=True, help="Show the log of the run.")
def materialize(resources: tuple[str, ...], verbose: bool) -> None:
    """Load RESOURCES, or all of them, run their checks, and say what happened."""
    unknown = set(resources) - set(API.resources)
    if unknown:
        raise click.BadParameter(
            f"no resource {', '.join(sorted(unknown))}; there are {', '.join(API.resources)}."
        )
    wanted = resources or API.resources
    console = Console(width=max(Console().width, NARROWEST))
    source = configured_base_url(API.config["client"], API.name) or "the embedded API"
    console.print(f"Loading {', '.join(wanted)} from {source} ...", markup=False)
    with _instance() as instance:
        _end_dead_runs(instance)
        result = definitions.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=instance,
            asset_selection=[asset_key(API, resource) for resource in wanted],
            raise_on_error=False,
            run_config={
                "loggers": {"console": {"config": {"log_level": "INFO" if verbose else "ERROR"}}}
            },
            tags={PROCESS_TAG: _this_process()},
        )
    console.print(_summary(result, wanted))
    for line in [*_failed_checks(result), *_failures(result)]:
        console.print(line, style="red", markup=False)
    warehouse = Warehouse.from_settings()
    where = warehouse.duckdb_file or warehouse.destination_type
    console.print(f"Warehouse: {where}, dataset {warehouse.dataset}", markup=False, soft_wrap=True)
    sys.exit(0 if result.success else 1)


@main.command()
def check() -> None:
    """Sign in to the API and read one page of each resource; loads nothing."""
    console, failed = Console(), False
    for resource in API.resources:
        try:
            connection = connect(API.config["client"], API.name)
            source = rest_api_source(API.config_of(resource), API.name, connection)
            rows = source.with_resources(resource).resources[resource].add_limit(1)
            console.print(f"{resource}: {len(list(rows))} rows on the first page", markup=False)
        except Exception as error:
            cause = find_cause(error, AnalyticsAssetsError)
            if cause is None:
                raise
            failed = True
            console.print(f"{resource}: {cause}", style="red", markup=False)
    sys.exit(1 if failed else 0)


def _instance() -> AbstractContextManager[dg.DagsterInstance]:
    """Open the instance whose history the UI shows; without DAGSTER_HOME, one that is forgotten."""
    if os.environ.get("DAGSTER_HOME"):
        return dg.DagsterInstance.get()
    return dg.DagsterInstance.ephemeral()


def _this_process() -> str:
    return f"{socket.gethostname()}/{os.getpid()}/{psutil.Process().create_time():.0f}"


def _end_dead_runs(instance: dg.DagsterInstance) -> None:
    """Mark the runs of killed commands as failed, and free the places they hold in the pools."""
    records = instance.get_runs(
        dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING])
    )
    for run in records:
        process = run.tags.get(PROCESS_TAG)
        if process and _is_dead(process):
            instance.report_run_failed(run, f"Its process {process} is gone.")
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)


def _is_dead(process: str) -> bool:
    host, pid, created = process.split("/")
    if host != socket.gethostname():
        return False
    try:
        return f"{psutil.Process(int(pid)).create_time():.0f}" != created
    except psutil.NoSuchProcess:
        return True


def _summary(result: dg.ExecuteInProcessResult, resources: Sequence[str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("asset", "rows loaded", "rows in table", "newest data", "seconds"):
        table.add_column(heading, justify="left" if heading == "asset" else "right", no_wrap=True)
    loads = {
        event.asset_key: event.step_materialization_data.materialization.metadata
        for event in result.get_asset_materialization_events()
    }
    seconds = {
        event.node_name: event.step_success_data.duration_ms / 1000
        for event in result.get_step_success_events()
    }
    for resource in resources:
        key = asset_key(API, resource)
        metadata = {name: str(value.value) for name, value in loads.get(key, {}).items()}
        table.add_row(
            key.to_user_string(),
            metadata.get("rows_loaded", "failed"),
            metadata.get(ROW_COUNT, "-"),
            metadata.get("newest_data", "-"),
            f"{seconds.get(f'{API.name}__{resource}', 0):.1f}" if metadata else "-",
        )
    return table


def _failed_checks(result: dg.ExecuteInProcessResult) -> Iterable[str]:
    for evaluation in result.get_asset_check_evaluations():
        if not evaluation.passed:
            yield (
                f"Check {evaluation.check_name} of {evaluation.asset_key.to_user_string()}: "
                f"{evaluation.description}"
            )


def _failures(result: dg.ExecuteInProcessResult) -> Iterable[str]:
    for event in result.get_step_failure_events():
        data = event.step_failure_data
        if data.user_failure_data and data.user_failure_data.description:
            yield data.user_failure_data.description
        elif data.error:
            error = data.error
            while error.cause:
                error = error.cause
            yield f"{event.node_name}: {error.message.strip()}"


if __name__ == "__main__":
    main()
