"""The command `materialize`: load what is due, run the checks, and print the outcome."""

import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import click
import dagster as dg

from analytics_assets.cli.commands.alert import alerts_sent
from analytics_assets.cli.commands.materialize.display import Display, displayed, followed, is_live
from analytics_assets.cli.commands.materialize.downstream import (
    downstream_assets,
    named_assets,
    names_of,
    of_loaded_tables,
)
from analytics_assets.cli.commands.materialize.failed_windows import FailedWindows
from analytics_assets.cli.commands.materialize.outcome import (
    Results,
    all_loaded,
    failures,
    lost_assets,
)
from analytics_assets.cli.commands.materialize.partition_range import (
    partitioned_resources,
    runs_in_range,
    takes_range,
)
from analytics_assets.cli.commands.materialize.progress import CommandProgress
from analytics_assets.cli.commands.materialize.summary import Summary, print_summary
from analytics_assets.cli.instance import open_instance
from analytics_assets.cli.pool_wait import PoolWait, pools_of
from analytics_assets.cli.project import all_resources, load_apis, select_resources, takes_resources
from analytics_assets.cli.run_under_way import RunUnderWay
from analytics_assets.cli.signals import exit_code
from analytics_assets.cli.terminal import echo, errors_as_messages, location
from analytics_assets.config.api import Api
from analytics_assets.config.resource import LOAD_HEALTH, ResourceConfig
from analytics_assets.config.settings.history import run_days
from analytics_assets.config.text.quantities import count
from analytics_assets.orchestration.automation.switches import automation_summary
from analytics_assets.orchestration.compat import history_kept_open
from analytics_assets.orchestration.keys import asset_key, load_health_key
from analytics_assets.orchestration.partitions.due import DueRun, due_runs
from analytics_assets.orchestration.partitions.takeover import take_over
from analytics_assets.orchestration.project import COMMAND_LINE_JOB
from analytics_assets.orchestration.runs.liveness.dead_runs import end_dead_runs
from analytics_assets.orchestration.runs.liveness.lease import run_lease
from analytics_assets.orchestration.runs.pools import free_slots_assigned
from analytics_assets.orchestration.runs.progress import watched
from analytics_assets.orchestration.runs.tags import command_line_tags, range_name
from analytics_assets.warehouse.errors import WarehouseLockedError
from analytics_assets.warehouse.warehouse import Warehouse

INTERRUPTED = 130  # the exit code after Ctrl-C


@click.command()
@takes_resources
@takes_range
@click.option("--verbose", is_flag=True, help="Show the log of the runs.")
def materialize(
    resources: tuple[str, ...], first: str | None, last: str | None, verbose: bool
) -> None:
    """Load what is due, run its checks, and print the outcome.

    Of a partitioned resource, the partitions that were never loaded or have lost rows are loaded,
    and the newest ones, which the API may have restated. Without names, the assets that are made of
    tables, such as those of a mart, are made as well; by their names (`example_mart`,
    `example_mart/daily_traffic`) alone.

    With `--from`, and `--to`, the partitions of that range are loaded instead, whether or not they
    are due: of the named resources, or of all that have partitions. Both are a day, or the key of a
    partition, and inclusive. Without `--to`, the newest partition is the last one.

    After two failed windows in a row a resource is left out of the others; the next command loads
    them.

    The exit code is 0 if all were loaded; 1 if one was not, or if a check of a load fails with
    severity ERROR: rows are missing, rejected above `max_rejected_share`, or not deleted. Other
    failed checks, such as one of old data, are printed and leave the exit code as it is. It is 2
    for a resource or a partition that does not exist, 130 after Ctrl-C, and 143 after SIGTERM,
    which ends it as Ctrl-C does: tables are as they were or as they were to be, and others can load
    at once.
    """
    with errors_as_messages():
        apis = load_apis()
        run_days()  # before anything is loaded, if it cannot be used
        from analytics_assets.definitions import definitions

        project = definitions()
    selected, made = _selected(apis, project, resources)
    chosen = list[DueRun]()
    if first is not None or last is not None:  # an empty text is an unset variable
        selected = partitioned_resources(selected, [each for each in resources if each not in apis])
        chosen = runs_in_range(selected, first, last)
    if not verbose:
        logging.getLogger("dlt").setLevel(logging.ERROR)
    for name in _api_names(selected):
        names = ", ".join(each.name for each in selected if each.api_name == name)
        echo(f"Loading {names} from {location(apis[name])} ...")
    progress = CommandProgress(selected) if is_live(verbose) else CommandProgress(selected, echo)
    with displayed(progress, verbose) as display, open_instance() as instance:
        under_way = RunUnderWay(instance)
        run = _Runs(project, under_way, progress, "INFO" if verbose else "CRITICAL", chosen)
        results = _interruptible(partial(run.all, selected, made), display, under_way)
        _trim_history(instance, apis.values())
        notes = [automation_summary(instance, project)]
    print_summary(Summary(results, selected, made, notes))
    sys.exit(0 if all_loaded(results) else 1)


def _selected(
    apis: Mapping[str, Api], project: dg.Definitions, names: Sequence[str]
) -> tuple[list[ResourceConfig], list[dg.AssetKey]]:
    """Return the resources to load, and the assets to make of tables."""
    others = downstream_assets(project, all_resources(apis))
    known = [key.to_user_string() for key in others]
    if not names:
        return select_resources(apis, (), known), others
    made = named_assets(others, [name for name in names if name not in apis])
    rest = [name for name in names if name not in made]
    selected = select_resources(apis, rest, known) if rest else []
    return selected, list(dict.fromkeys(key for keys in made.values() for key in keys))


def _api_names(resources: Sequence[ResourceConfig]) -> list[str]:
    return list(dict.fromkeys(resource.api_name for resource in resources))


def _interruptible(run: Callable[[], Results], display: Display, under_way: RunUnderWay) -> Results:
    """Run in a thread, so that Ctrl-C and SIGTERM end the command at once.

    In the main thread dlt and Dagster catch the signal, and continue with the next table. To exit
    meanwhile is safe: each table changes in one transaction.
    """
    future = ThreadPoolExecutor(1).submit(run)
    try:
        followed(future, display, under_way.check)
        return future.result()
    except KeyboardInterrupt:
        code, reason = exit_code() or INTERRUPTED, "Interrupted."
    except WarehouseLockedError as error:
        if future.done():
            raise
        code, reason = 1, str(error)
    display.close()
    echo(f"{reason} Loaded tables stay, the next run loads the rest.", style="red")
    under_way.cancel(f"The command ended before its run: {reason}")
    os._exit(code)


def _trim_history(instance: dg.DagsterInstance, apis: Iterable[Api]) -> None:
    """Remove a part of the old history; the tables are loaded, whether or not it succeeds."""
    from analytics_assets.orchestration.automation.retention.trimming import trim_history

    try:
        trim_history(instance, apis, datetime.now(UTC))
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        echo(f"Old runs stay in Dagster's history until the next time: {reason}", style="yellow")


@dataclass(frozen=True)
class _Runs:
    """The runs of the command.

    Args:
        project: the definitions of the project.
        under_way: the run of this moment, and the instance that records it.
        progress: that of the command.
        log_level: of the lines that go to the terminal.
        chosen: the loads in place of those that are due; empty to look for these.
    """

    project: dg.Definitions
    under_way: RunUnderWay
    progress: CommandProgress
    log_level: str
    chosen: list[DueRun]

    @property
    def instance(self) -> dg.DagsterInstance:
        """The instance that records the runs."""
        return self.under_way.instance

    def all(self, resources: Sequence[ResourceConfig], made: Sequence[dg.AssetKey]) -> Results:
        """Load what is due, make what is made of it, and record the loads."""
        instance, results = self.instance, list[dg.ExecuteInProcessResult]()
        with (
            history_kept_open(instance),
            free_slots_assigned(instance),
            alerts_sent(instance, self.project),
            watched(self.progress.watch),
        ):
            self.progress.begin("Looking for other runs", is_short=True)
            end_dead_runs(instance)
            PoolWait(instance, pools_of(resources)).wait()
            results += self._loads(self._due(resources))
            ready = of_loaded_tables(self.project, made, lost_assets(results))
            if ready:
                self.progress.begin(f"Making {names_of(ready)}")
                results.append(self._execute(ready))
            if skipped := [key for key in made if key not in ready]:
                reason = "as a table that is read for it was not loaded"
                echo(f"Skipped {names_of(skipped)}, {reason}.", style="yellow")
            if resources:
                self._record(_api_names(resources))
        return results

    def _due(self, resources: Sequence[ResourceConfig]) -> list[DueRun]:
        self.progress.begin("Looking for what is due", is_short=True)
        with errors_as_messages(), ExitStack() as stack:
            tables = {
                name: stack.enter_context(Warehouse.from_settings(name).open())
                for name in _api_names(resources)
            }
            now = datetime.now(UTC)
            for found in take_over(self.instance, tables, resources, now):
                echo(str(found))
            due = self.chosen or due_runs(self.instance, tables, resources, now)
        self.progress.plan(due)
        return due

    def _loads(self, due: Sequence[DueRun]) -> Iterator[dg.ExecuteInProcessResult]:
        windows = FailedWindows(due)
        for planned in due:
            run = windows.without_failed(planned)
            self.progress.leave_out(set(planned.names) - set(run.names))
            if run.resources:
                result = self._load(run)
                for line in windows.note(run, result):
                    echo(line, style="red")
                yield result

    def _load(self, due: DueRun) -> dg.ExecuteInProcessResult:
        names = ", ".join(resource.name for resource in due.resources)
        if due.partitions:
            days = count(len(due.partitions), "partition")
            window = f"{range_name(due.partitions)} ({days})"
            self.progress.begin(f"Loading {names} of {window}", has_loads=True)
        else:
            self.progress.begin(f"Loading {names}", is_short=True, has_loads=True)
        PoolWait(self.instance, pools_of(due.resources)).wait()
        return self._execute([asset_key(each) for each in due.resources], due.partitions)

    def _record(self, apis: Sequence[str]) -> None:
        """Record the loads in `load_health`; the tables are loaded, whether or not it succeeds."""
        self.progress.begin(f"Recording the loads in {LOAD_HEALTH}", is_short=True)
        recorded = self._execute([load_health_key(name) for name in apis])
        for line in failures(recorded):
            echo(f"The loads are not recorded in `{LOAD_HEALTH}`: {line}", style="yellow")

    def _execute(
        self, keys: Sequence[dg.AssetKey], partitions: Sequence[str] = ()
    ) -> dg.ExecuteInProcessResult:
        with self.under_way.next_run() as run_id, run_lease(self.instance, run_id):
            return self.project.resolve_job_def(COMMAND_LINE_JOB).execute_in_process(
                instance=self.instance,
                run_id=run_id,
                asset_selection=keys,
                raise_on_error=False,
                run_config={"loggers": {"console": {"config": {"log_level": self.log_level}}}},
                tags=command_line_tags(keys, partitions),
            )
