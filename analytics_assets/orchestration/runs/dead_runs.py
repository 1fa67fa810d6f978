"""Runs whose process is gone: marked as failed, so that they stop holding their place in a pool.

Dagster 1.13 leaves such a run as it was, forever: its default launcher cannot tell whether the
process of a run is alive, so its own monitoring passes these runs over.
"""

from datetime import UTC, datetime, timedelta

import dagster as dg
import psutil

from analytics_assets.config.api import Api
from analytics_assets.config.errors import AnalyticsAssetsError
from analytics_assets.orchestration.runs.machine import this_machine

INTERVAL = timedelta(seconds=30)
CLOCK_TOLERANCE = 2.0  # seconds by which the times of a process and of an event may differ
MACHINE_TAG = "analytics_assets/machine"
UNDER_WAY = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]


class RunOverError(AnalyticsAssetsError):
    """A process works for a run that is over."""


def build_dead_run_sensor(api: Api) -> dg.SensorDefinition:
    """Make the sensor that ends dead runs; it is on from the start.

    Args:
        api: the API after which the sensor is called.
    """

    @dg.sensor(
        name=f"{api.name}_dead_runs",
        minimum_interval_seconds=int(INTERVAL.total_seconds()),
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Marks runs as failed whose process was killed, so that others need not wait.",
    )
    def dead_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        ended = end_dead_runs(context.instance)
        return dg.SkipReason(f"Ended {', '.join(ended)}." if ended else "No run is dead.")

    return dead_runs


def end_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """Mark runs as failed whose process on this machine is gone, and free their pool slots.

    Args:
        instance: whose runs to look at. Runs of another machine or container are left alone, so
            are those that have not said where they are, and launchers that look after their runs
            themselves.

    Returns:
        The ids of the runs that were ended.
    """
    if not isinstance(instance.run_launcher, dg.DefaultRunLauncher):
        return []
    ended = []
    here = {MACHINE_TAG: this_machine()}
    for run in instance.get_runs(dg.RunsFilter(statuses=UNDER_WAY, tags=here)):
        process = process_of(instance, run.run_id)
        if process and is_gone(*process) and not _is_over(instance, run.run_id):
            instance.report_run_failed(run, f"The process of this run ({process[0]}) is gone.")
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
            ended.append(run.run_id)
    return ended


def _is_over(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Tell whether a run has ended by itself, as it may have since it was found under way."""
    run = instance.get_run_by_id(run_id)
    return run is None or run.is_finished


def tell_machine(instance: dg.DagsterInstance, run_id: str) -> None:
    """Note at a run where its process is; each step that takes a place in a pool does so first.

    Dagster 1.13 notes the number of the process alone. Where the same number is free on this
    machine, the run may live on another, and is left alone for as long as it has said nothing.

    Args:
        instance: which knows of the run.
        run_id: the run that this process works for.
    """
    instance.add_run_tags(run_id, {MACHINE_TAG: this_machine()})


def refuse_to_go_on(instance: dg.DagsterInstance, run_id: str) -> None:
    """Stop a process that goes on although its run is over.

    Steps that have a process of their own outlive the process of their run where that is killed.

    Args:
        instance: which knows of the run.
        run_id: the run that this process works for.

    Raises:
        RunOverError: the run is over.
    """
    run = instance.get_run_by_id(run_id)
    if run and run.is_finished:
        raise RunOverError(
            f"Run {run_id} is over ({run.status.value}): its own process is gone, or somebody has "
            "ended it. Start another one."
        )


def process_of(instance: dg.DagsterInstance, run_id: str) -> tuple[int, datetime] | None:
    """Return the process that a run said it was executed by, and when it said so.

    Args:
        instance: which remembers what the run said.
        run_id: the run.

    Returns:
        The number of the process, and the moment; None if the run has not said it.
    """
    events = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT).records
    for record in events:
        event = record.event_log_entry.dagster_event
        pid = event.engine_event_data.metadata.get("pid") if event else None
        if pid:
            return int(str(pid.value)), datetime.fromtimestamp(record.timestamp, UTC)
    return None


def is_gone(pid: int, seen: datetime) -> bool:
    """Tell whether the process is gone that had this number at that moment."""
    try:
        process = psutil.Process(pid)
    except psutil.NoSuchProcess:
        return True
    # the number may have been given to a process that came later
    is_another = process.create_time() > seen.timestamp() + CLOCK_TOLERANCE
    return is_another or process.status() == psutil.STATUS_ZOMBIE
