"""The command `materialize`: load what is due, run the checks, and print the outcome."""

import logging
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial

import click
import dagster as dg
from rich.console import Console

from analytics_assets.cli.alert import alerts_sent
from analytics_assets.cli.instance import open_instance, wait_for_pools
from analytics_assets.cli.materialize.downstream import downstream_assets, names_of
from analytics_assets.cli.materialize.summary import (
    NARROWEST,
    Results,
    all_loaded,
    problems,
    summary,
)
from analytics_assets.cli.project import load_apis, select_resources
from analytics_assets.cli.terminal import echo, errors_as_messages, location
from analytics_assets.config.resource import LOAD_HEALTH, ResourceConfig
from analytics_assets.orchestration.compat import history_kept_open
from analytics_assets.orchestration.keys import asset_key, load_health_key
from analytics_assets.orchestration.partitions.due import DueRun, due_runs
from analytics_assets.orchestration.project import COMMAND_LINE_JOB
from analytics_assets.orchestration.runs.dead_runs import MACHINE_TAG, end_dead_runs
from analytics_assets.orchestration.runs.machine import this_machine
from analytics_assets.orchestration.runs.pools import free_slots_assigned
from analytics_assets.orchestration.runs.tags import command_line_tags, range_name
from analytics_assets.warehouse.warehouse import Warehouse

INTERRUPTED = 130  # the exit code of a command that Ctrl-C has ended


@click.command()
@click.argument("resources", nargs=-1)
@click.option("--verbose", is_flag=True, help="Show the log of the runs.")
def materialize(resources: tuple[str, ...], verbose: bool) -> None:
    """Load RESOURCES, or all of them, run their checks, and print the outcome.

    RESOURCES are names of resources, APIs, or `api/resource`. Of a partitioned resource, the
    partitions that were never loaded or have lost rows are loaded, and the newest ones, which the
    API may have restated. Without RESOURCES, the assets that are made of tables, such as those of
    a mart, are made as well.

    The exit code is 0 if all were loaded; 1 if one was not, or if a check of a load fails with
    severity ERROR: rows are missing, rejected above `max_rejected_share`, or not deleted. Other
    failed checks, such as one of old data, are printed and leave the exit code as it is. It is 2
    for a resource that does not exist, and 130 after Ctrl-C.
    """
    with errors_as_messages():
        apis = load_apis()
        from analytics_assets.definitions import definitions

        project = definitions()
    selected = select_resources(apis, resources)
    if not verbose:
        logging.getLogger("dlt").setLevel(logging.ERROR)
    for name in _api_names(selected):
        names = ", ".join(each.name for each in selected if each.api_name == name)
        echo(f"Loading {names} from {location(apis[name])} ...")
    made = [] if resources else downstream_assets(project, selected)
    results = _interruptible(partial(_run, project, selected, made, verbose))
    Console(width=max(Console().width, NARROWEST)).print(summary(results, selected, made))
    for line in problems(results):
        echo(line, style="red")
    echo(f"Warehouse: {_places(selected)}")
    sys.exit(0 if all_loaded(results) else 1)


def _places(resources: Sequence[ResourceConfig]) -> str:
    """Return the destination and the datasets of some resources, for display."""
    warehouses = [Warehouse.from_settings(name) for name in _api_names(resources)]
    datasets = list(dict.fromkeys(warehouse.dataset for warehouse in warehouses))
    place = warehouses[0].duckdb_file or warehouses[0].destination_type
    return f"{place}, {'dataset' if len(datasets) == 1 else 'datasets'} {', '.join(datasets)}"


def _api_names(resources: Sequence[ResourceConfig]) -> list[str]:
    return list(dict.fromkeys(resource.api_name for resource in resources))


def _interruptible(run: Callable[[], Results]) -> Results:
    """Run in a thread, so that Ctrl-C ends the command at once.

    In the main thread dlt and Dagster catch the signal, and continue with the next table. To exit
    meanwhile is safe: each table changes in one transaction.
    """
    future = ThreadPoolExecutor(1).submit(run)
    try:
        return future.result()
    except KeyboardInterrupt:
        echo("Interrupted. Loaded tables stay, the next run loads the rest.", style="red")
        os._exit(INTERRUPTED)


def _run(
    project: dg.Definitions,
    resources: Sequence[ResourceConfig],
    made: Sequence[dg.AssetKey],
    verbose: bool,
) -> Results:
    job = project.resolve_job_def(COMMAND_LINE_JOB)
    level = "INFO" if verbose else "CRITICAL"
    results = []
    with (
        open_instance() as instance,
        history_kept_open(instance),
        free_slots_assigned(instance),
        alerts_sent(instance, project),
    ):
        end_dead_runs(instance)
        wait_for_pools(instance, resources)
        with errors_as_messages(), ExitStack() as stack:
            tables = {
                name: stack.enter_context(Warehouse.from_settings(name).open())
                for name in _api_names(resources)
            }
            due_now = due_runs(instance, tables, resources, datetime.now(UTC))
        for due in due_now:
            results.append(_run_due(job, instance, due, level))
        if made:
            echo(f"Making {names_of(made)} ...")
            results.append(_execute(job, instance, made, (), level))
        _record(job, instance, _api_names(resources), level)
    return results


def _record(
    job: dg.JobDefinition, instance: dg.DagsterInstance, apis: Sequence[str], log_level: str
) -> None:
    """Record the loads in `load_health`; the tables are loaded, whether or not that succeeds."""
    recorded = _execute(job, instance, [load_health_key(name) for name in apis], (), log_level)
    for line in problems([recorded]):
        echo(f"The loads are not recorded in `{LOAD_HEALTH}`: {line}", style="yellow")


def _run_due(
    job: dg.JobDefinition, instance: dg.DagsterInstance, due: DueRun, log_level: str
) -> dg.ExecuteInProcessResult:
    if due.partitions:
        names = ", ".join(resource.name for resource in due.resources)
        count = len(due.partitions)
        days = f"{range_name(due.partitions)} ({count} partition{'s' if count != 1 else ''})"
        echo(f"Loading {names} of {days} ...")
    wait_for_pools(instance, due.resources)
    keys = [asset_key(resource) for resource in due.resources]
    return _execute(job, instance, keys, due.partitions, log_level)


def _execute(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    keys: Sequence[dg.AssetKey],
    partitions: Sequence[str],
    log_level: str,
) -> dg.ExecuteInProcessResult:
    return job.execute_in_process(
        instance=instance,
        asset_selection=keys,
        raise_on_error=False,
        run_config={"loggers": {"console": {"config": {"log_level": log_level}}}},
        tags={
            MACHINE_TAG: this_machine(),
            **command_line_tags((key.path[0] for key in keys), partitions),
        },
    )
