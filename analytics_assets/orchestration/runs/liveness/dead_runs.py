"""Dead runs: their process is gone, and they are marked as failed to free their pool slots.

Dagster 1.13 leaves such a run STARTED forever: its default launcher does not check whether the
process of a run is alive, and its run monitoring skips these runs. One of Celery takes a worker
that was killed for alive. The lease of a run decides, whichever machine its process is on; where
that is this one, the process itself does, and sooner.
"""

import math
from collections.abc import Collection, Mapping
from datetime import UTC, datetime

import dagster as dg
import psutil

from analytics_assets.config.errors import AnalyticsAssetsError
from analytics_assets.orchestration.runs.check_results import keep_last_results, planned_checks
from analytics_assets.orchestration.runs.liveness.compat import LeaseTable
from analytics_assets.orchestration.runs.liveness.lease import Holder, LeaseKey
from analytics_assets.orchestration.runs.liveness.lease_watch import LeaseWatch
from analytics_assets.orchestration.runs.liveness.machine import (
    start_of,
    tagged_machine,
    this_machine,
)

CLOCK_TOLERANCE = 2.0  # seconds between the clocks of a process and of the event log
MACHINE_TAG = ".dagster/machine"  # of runs of releases without leases; the UI does not show it
TAKEN = "taken null"  # the value of a lease whose run somebody ends
UNDER_WAY = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
ENDED = [
    dg.DagsterRunStatus.SUCCESS,
    dg.DagsterRunStatus.FAILURE,
    dg.DagsterRunStatus.CANCELED,
]
_watches: dict[str, LeaseWatch] = {}  # of this process, for each run storage


class RunEndedError(AnalyticsAssetsError):
    """The run of a process has ended."""


def end_dead_runs(
    instance: dg.DagsterInstance, until: float = math.inf, watch: LeaseWatch | None = None
) -> list[str]:
    """Mark runs as failed whose process is gone, and free their pool slots.

    A run whose lease has expired is ended, on whatever machine it was; called every 30 seconds,
    this finds it a minute after the first call that sees the lease. A run of a release without
    leases is ended if its process was on this machine, which knows that it is gone.

    Args:
        instance: the instance. Runs that Dagster resumes elsewhere by itself are skipped.
        until: the time, by `time.monotonic`, after which results of checks are left to those who
            look at failed runs.
        watch: has seen the leases before; that of this process if not given.

    Returns:
        The ids of the runs that were ended.
    """
    is_resumed = instance.run_launcher.supports_resume_run
    if is_resumed and instance.run_monitoring_max_resume_run_attempts:
        return []
    table = LeaseTable(instance)
    leases = table.read()
    ended, unknown = list[str](), set[str]()
    for key, holder in _dead(instance, leases, watch).items():
        run = None if key.step else instance.get_run_by_id(key.run_id)
        if run and run.status in UNDER_WAY and table.swap(str(key), leases[str(key)], TAKEN):
            process = f" ({holder})" if holder else ""
            _end(instance, run, f"The process of this run{process} is gone.", until)
            ended.append(run.run_id)
        elif run is None and not key.step:  # somebody has deleted it
            unknown.add(key.run_id)
    _remove_leases_of_ended_runs(instance, table, leases, unknown)
    leased = {LeaseKey.of(key).run_id for key in leases}
    return ended + _end_runs_without_lease(instance, leased, until)


def take_lost_steps(
    instance: dg.DagsterInstance,
    run_id: str,
    steps: Collection[str],
    watch: LeaseWatch | None = None,
) -> dict[str, str]:
    """Take the leases of steps whose process is gone, for the executor of their run to fail them.

    A process that was only stopped finds its lease taken, and does not write into the table. To be
    called every 15 to 30 seconds: a lease expires a minute after the first call that sees it.

    Args:
        instance: holds the run.
        run_id: a run that is under way.
        steps: the keys of the steps that the executor takes for running.
        watch: has seen the leases before; that of this process if not given.

    Returns:
        The process of each step that is lost, by the key of the step. A step that runs in the
        process of the run, or has not begun yet, has no lease of its own, and is not among them.
    """
    table = LeaseTable(instance)
    leases = table.read()
    lost = {
        key.step: str(holder or "its process")
        for key, holder in _dead(instance, leases, watch).items()
        if key.run_id == run_id
        and key.step in steps
        and table.swap(str(key), leases[str(key)], TAKEN)
    }
    if lost:
        table.remove([str(LeaseKey(run_id, step)) for step in lost], TAKEN)
    return lost


def watch_of(instance: dg.DagsterInstance) -> LeaseWatch:
    """Return what this process has seen of the leases of an instance."""
    return _watches.setdefault(LeaseTable(instance).place, LeaseWatch())


def _dead(
    instance: dg.DagsterInstance, leases: Mapping[str, str], watch: LeaseWatch | None
) -> dict[LeaseKey, Holder | None]:
    """Return the leases of processes that are gone, with these; None if somebody has taken it."""
    watch = watch or watch_of(instance)
    expired, dead = watch.expired(leases), dict[LeaseKey, Holder | None]()
    for key, value in leases.items():
        holder = Holder.of(value)
        is_dead = key in expired
        if holder and holder.machine == this_machine():
            is_dead = start_of(holder.process) != holder.start
        if is_dead:
            dead[LeaseKey.of(key)] = holder
    return dead


def _end(instance: dg.DagsterInstance, run: dg.DagsterRun, reason: str, until: float) -> None:
    """Mark a run as failed, and free its slots."""
    instance.report_run_failed(run, reason)
    instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
    keep_last_results(instance, run.run_id, planned_checks(instance, run.run_id), until)


def _remove_leases_of_ended_runs(
    instance: dg.DagsterInstance,
    table: LeaseTable,
    leases: Mapping[str, str],
    unknown: Collection[str],
) -> None:
    """Remove the leases of runs that have ended, whoever has ended them, and of unknown ones.

    Dagster's code server ends a run whose process it sees die, and leaves its slots.
    """
    by_run = dict[str, list[str]]()
    for key in leases:
        by_run.setdefault(LeaseKey.of(key).run_id, []).append(key)
    if by_run:
        # a run under way is not read: it lists all its assets
        ended = instance.get_runs(dg.RunsFilter(run_ids=list(by_run), statuses=ENDED))
        for run in ended:
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
        if gone := [*unknown, *(run.run_id for run in ended)]:
            table.remove([key for run_id in gone for key in by_run[run_id]])


def _end_runs_without_lease(
    instance: dg.DagsterInstance, leased: Collection[str], until: float
) -> list[str]:
    """End runs of a release without leases whose process on this machine is gone."""
    ended = []
    here = {MACHINE_TAG: tagged_machine()}
    for run in instance.get_runs(dg.RunsFilter(statuses=UNDER_WAY, tags=here)):
        process = None if run.run_id in leased else process_of(instance, run.run_id)
        if process and is_gone(*process) and not _has_ended(instance, run.run_id):
            _end(instance, run, f"The process of this run ({process[0]}) is gone.", until)
            ended.append(run.run_id)
    return ended


def _has_ended(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Return True if a run has ended since it was listed."""
    run = instance.get_run_by_id(run_id)
    return run is None or run.is_finished


def refuse_ended_run(instance: dg.DagsterInstance, run_id: str) -> None:
    """Stop a process whose run has ended.

    The process of a step continues if the process of its run is killed.

    Args:
        instance: holds the run.
        run_id: the run of this process.

    Raises:
        RunEndedError: the run has ended.
    """
    # a run under way is not read, as each of its assets asks
    for run in instance.get_runs(dg.RunsFilter(run_ids=[run_id], statuses=ENDED)):
        raise RunEndedError(
            f"Run {run_id} has ended ({run.status.value}): its own process is gone, or it was "
            "terminated. Start another one."
        )


def process_of(instance: dg.DagsterInstance, run_id: str) -> tuple[int, datetime] | None:
    """Return the process that a run has recorded as its own, and the moment of the record.

    Args:
        instance: holds the event log.
        run_id: the run.

    Returns:
        The process id, and the moment; None if the run has recorded none.
    """
    events = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT).records
    for record in events:
        event = record.event_log_entry.dagster_event
        pid = event.engine_event_data.metadata.get("pid") if event else None
        if pid:
            return int(str(pid.value)), datetime.fromtimestamp(record.timestamp, UTC)
    return None


def is_gone(pid: int, seen: datetime) -> bool:
    """Return True if the process that had this id at that moment is gone."""
    try:
        process = psutil.Process(pid)
    except psutil.NoSuchProcess:
        return True
    # the id may have been reused by a later process
    is_reused = process.create_time() > seen.timestamp() + CLOCK_TOLERANCE
    return is_reused or process.status() == psutil.STATUS_ZOMBIE
