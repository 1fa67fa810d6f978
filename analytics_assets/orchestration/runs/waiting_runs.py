"""Runs that wait for a place in a pool: told in their own log for whom they wait.

Dagster 1.13 leaves a run in its queue without a word, and says of a step that waits which pool is
full, but not who holds it.
"""

from datetime import timedelta

import dagster as dg

from analytics_assets.config.api import Api
from analytics_assets.orchestration.runs.priority import pools_of

INTERVAL = timedelta(seconds=30)
MAY_WAIT = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTED]


def build_waiting_run_sensor(api: Api) -> dg.SensorDefinition:
    """Make the sensor that tells waiting runs for whom they wait; it is on from the start.

    Args:
        api: the API after which the sensor is called.
    """

    @dg.sensor(
        name=f"{api.name}_waiting_runs",
        minimum_interval_seconds=int(INTERVAL.total_seconds()),
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Says in the log of a run that waits which other run is in its way.",
    )
    def waiting_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        told = tell_waiting_runs(context.instance)
        return dg.SkipReason(f"Told {', '.join(told)}." if told else "No run waits.")

    return waiting_runs


def tell_waiting_runs(instance: dg.DagsterInstance) -> list[str]:
    """Say in the log of each waiting run who holds the place in the pool, once for each holder.

    Args:
        instance: whose runs to look at.

    Returns:
        The ids of the runs that were told something.
    """
    told = []
    runs = instance.get_runs(dg.RunsFilter(statuses=MAY_WAIT))
    # a run alone waits for nobody, and most of the time there is one at most
    for run in runs if len(runs) > 1 else ():
        lines = {line for pool in pools_of(run) for line in _waits_for(instance, run, pool)}
        new = sorted(lines - _said(instance, run)) if lines else []
        for line in new:
            instance.report_engine_event(line, run)
        if new:
            told.append(run.run_id)
    return told


def _waits_for(instance: dg.DagsterInstance, run: dg.DagsterRun, pool: str) -> list[str]:
    info = instance.event_log_storage.get_concurrency_info(pool)
    holders = {slot.run_id for slot in info.claimed_slots} - {run.run_id}
    is_queued = run.status == dg.DagsterRunStatus.QUEUED
    if not is_queued and run.run_id not in {step.run_id for step in info.pending_steps}:
        return []
    return [f"Waiting for run {holder}, which holds the pool {pool}." for holder in holders]


def _said(instance: dg.DagsterInstance, run: dg.DagsterRun) -> set[str]:
    events = instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)
    return {str(record.event_log_entry.message) for record in events.records}
