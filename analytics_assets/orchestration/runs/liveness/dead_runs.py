"""Dead runs: their process is gone, and they are marked as failed to free their pool slots.

Dagster 1.13 leaves such a run STARTED forever: its default launcher does not check whether the
process of a run is alive, and its run monitoring skips these runs.
"""

import math
from collections import deque
from datetime import UTC, datetime

import dagster as dg
import psutil

from analytics_assets.config.errors import AnalyticsAssetsError
from analytics_assets.orchestration.runs.check_results import keep_last_results, planned_checks
from analytics_assets.orchestration.runs.liveness.machine import this_machine
from analytics_assets.orchestration.runs.tags import missing_tags

CLOCK_TOLERANCE = 2.0  # seconds between the clocks of a process and of the event log
MACHINE_TAG = ".dagster/machine"  # which the UI does not show
UNDER_WAY = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
ENDED = [
    dg.DagsterRunStatus.SUCCESS,
    dg.DagsterRunStatus.FAILURE,
    dg.DagsterRunStatus.CANCELED,
]
# of this process, whose steps have the run as it was at its start; tags are stored with all of it
_recorded = deque[str](maxlen=16)


class RunEndedError(AnalyticsAssetsError):
    """The run of a process has ended."""


def end_dead_runs(instance: dg.DagsterInstance, until: float = math.inf) -> list[str]:
    """Mark runs as failed whose process on this machine is gone, and free their pool slots.

    Args:
        instance: the instance. Runs of another machine or container are skipped, as are those
            that have not recorded their machine, and launchers that monitor runs themselves.
        until: the time, by `time.monotonic`, after which results of checks are left to those who
            look at failed runs.

    Returns:
        The ids of the runs that were ended.
    """
    if not isinstance(instance.run_launcher, dg.DefaultRunLauncher):
        return []
    ended = []
    here = {MACHINE_TAG: this_machine()}
    for run in instance.get_runs(dg.RunsFilter(statuses=UNDER_WAY, tags=here)):
        process = process_of(instance, run.run_id)
        if process and is_gone(*process) and not _has_ended(instance, run.run_id):
            instance.report_run_failed(run, f"The process of this run ({process[0]}) is gone.")
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
            keep_last_results(instance, run.run_id, planned_checks(instance, run.run_id), until)
            ended.append(run.run_id)
    return ended


def _has_ended(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Return True if a run has ended since it was listed."""
    run = instance.get_run_by_id(run_id)
    return run is None or run.is_finished


def record_machine(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """Tag a run with the machine of this process; each step with a pool slot does so first.

    Dagster 1.13 records the process id alone, which is meaningless on another machine. A run of
    the UI or of a backfill gets its readable tags, too.

    Args:
        instance: holds the run.
        run: the run of this process, which may have the tag from its start.
    """
    if run.tags.get(MACHINE_TAG) != this_machine() and run.run_id not in _recorded:
        instance.add_run_tags(run.run_id, {MACHINE_TAG: this_machine(), **missing_tags(run)})
        _recorded.append(run.run_id)


def refuse_ended_run(instance: dg.DagsterInstance, run_id: str) -> None:
    """Stop a process whose run has ended.

    The process of a step continues if the process of its run is killed.

    Args:
        instance: holds the run.
        run_id: the run of this process.

    Raises:
        RunEndedError: the run has ended.
    """
    # a run under way is not read: it lists all its assets, and each of them asks
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
