"""The command line: load without the UI, and see whether an API can be reached."""

import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click
import dagster as dg
from filelock import FileLock
from rich.console import Console

from analytics_assets.cli.contract import keep_contract
from analytics_assets.cli.first_page import look_at_first_page
from analytics_assets.cli.summary import NARROWEST, Results, complaints, summary
from analytics_assets.cli.terminal import errors_said, load_api, say, where
from analytics_assets.config.api import Api
from analytics_assets.config.errors import AnalyticsAssetsError, find_cause, without_name
from analytics_assets.extract.http.connection import connect
from analytics_assets.extract.http.request_settings import single_attempt
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.orchestration.partitions.definition import in_words
from analytics_assets.orchestration.partitions.due import due_runs
from analytics_assets.orchestration.runs.dead_runs import MACHINE_TAG, end_dead_runs
from analytics_assets.orchestration.runs.machine import this_machine
from analytics_assets.warehouse.warehouse import Warehouse

INTERRUPTED = 130  # the exit code of a command that Ctrl-C has ended


@click.group(help=__doc__)
def main() -> None:
    """Hold the commands together."""


main.add_command(keep_contract)


@main.command()
@click.argument("resources", nargs=-1)
@click.option("--verbose", is_flag=True, help="Show the log of the run.")
def materialize(resources: tuple[str, ...], verbose: bool) -> None:
    """Load RESOURCES, or all of them, run their checks, and say what happened.

    Of those that are loaded by partitions, that is the partitions which were never loaded, or whose
    rows are gone, and the newest ones, which the API may have restated. The exit code tells whether
    all were loaded. A check that fails is told, and changes nothing.
    """
    api, definitions = _project()
    unknown = set(resources) - set(api.resources)
    if unknown:
        raise click.BadParameter(
            f"no resource {', '.join(sorted(unknown))}; there are {', '.join(api.resources)}."
        )
    wanted = resources or api.resources
    if not verbose:
        logging.getLogger("dlt").setLevel(logging.ERROR)
    say(f"Loading {', '.join(wanted)} from {where(api)} ...")
    results = _interruptible(partial(_run, api, definitions, wanted, verbose))
    Console(width=max(Console().width, NARROWEST)).print(summary(api, results, wanted))
    for line in complaints(results):
        say(line, style="red")
    warehouse = Warehouse.from_settings()
    place = warehouse.duckdb_file or warehouse.destination_type
    say(f"Warehouse: {place}, dataset {warehouse.dataset}")
    sys.exit(0 if all(result.success for result in results) else 1)


@main.command()
def check() -> None:
    """Sign in to the API, and read one page of each resource; loads nothing.

    The page is asked for as a load would ask, and its rows must have what `api.py` names: the
    primary key, the day, the time of a change. The exit code tells whether all do.
    """
    api, _ = _project()
    say(f"Asking {where(api)} ...")
    failed = False
    for resource in api.resources:
        try:
            connection = connect(api.config["client"], api.name, single_attempt())
            found = look_at_first_page(api, resource, connection, datetime.now(UTC))
            say(f"{resource}: {found}")
        except Exception as error:
            cause = find_cause(error, AnalyticsAssetsError)
            if cause is None:
                raise
            failed = True
            say(f"{resource}: {without_name(cause, resource)}", style="red")
    sys.exit(1 if failed else 0)


def _project() -> tuple[Api, dg.Definitions]:
    """Load `api.py` and all that follows from it."""
    api = load_api()
    with errors_said():
        from analytics_assets.definitions import definitions
    return api, definitions()


def _interruptible(run: Callable[[], Results]) -> Results:
    """Run in a thread, so that Ctrl-C ends the command at once.

    In the main thread dlt and Dagster catch the signal, and go on with the next table. To end
    without a word to them is safe: tables change in one transaction each.
    """
    future = ThreadPoolExecutor(1).submit(run)
    try:
        return future.result()
    except KeyboardInterrupt:
        say("Interrupted. What was loaded stays, the next run loads the rest.", style="red")
        os._exit(INTERRUPTED)


def _run(api: Api, definitions: dg.Definitions, resources: Sequence[str], verbose: bool) -> Results:
    level = "INFO" if verbose else "CRITICAL"
    job = definitions.resolve_implicit_global_asset_job_def()
    results = []
    with _instance() as instance:
        end_dead_runs(instance)
        _wait_for_pools(api, instance, resources)
        with errors_said(), Warehouse.from_settings().open() as tables:
            due_now = due_runs(api, instance, tables, resources, datetime.now(UTC))
        for due in due_now:
            if due.partitions:
                days = f"{in_words(due.partitions)} ({len(due.partitions)} partitions)"
                say(f"Loading {', '.join(due.resources)} of {days} ...")
            _wait_for_pools(api, instance, due.resources)
            result = job.execute_in_process(
                instance=instance,
                asset_selection=[asset_key(api, resource) for resource in due.resources],
                raise_on_error=False,
                run_config={"loggers": {"console": {"config": {"log_level": level}}}},
                tags={MACHINE_TAG: this_machine(), **due.tags},
            )
            results.append(result)
    return results


def _wait_for_pools(api: Api, instance: dg.DagsterInstance, resources: Sequence[str]) -> None:
    """Wait for runs that load into the same place, and say so; Dagster's own wait is silent."""
    warehouse = Warehouse.from_settings()
    said: set[str] = set()
    for pool in sorted({warehouse.pool(api.table(resource)) for resource in resources}):
        while holders := instance.event_log_storage.get_concurrency_info(pool).claimed_slots:
            for run_id in {slot.run_id for slot in holders} - said:
                say(f"Waiting for run {run_id}, which loads into the same place ...")
                said.add(run_id)
            time.sleep(1)
            end_dead_runs(instance)


def _instance() -> AbstractContextManager[dg.DagsterInstance]:
    """Open the instance whose history the UI shows, found as `dagster dev` does; or a new one."""
    home = os.environ.get("DAGSTER_HOME") or (Path.cwd() if Path("dagster.yaml").exists() else "")
    if home:
        # what the command prints belongs on the terminal; to copy it, Dagster would start processes
        printed = {"module": "dagster._core.storage.noop_compute_log_manager"}
        printed["class"] = "NoOpComputeLogManager"
        history = Path(home) / ".dagster"
        history.mkdir(parents=True, exist_ok=True)
        # Dagster 1.13 makes its database in a way that two first commands at once would break it
        with FileLock(history / "opening.lock"):
            return dg.DagsterInstance.local_temp(str(home), overrides={"compute_logs": printed})
    say(
        "There is no dagster.yaml in this folder, and DAGSTER_HOME is not set: what was loaded "
        "before is not known, and this run will not be either.",
        style="yellow",
    )
    return dg.DagsterInstance.ephemeral()


if __name__ == "__main__":
    main()
