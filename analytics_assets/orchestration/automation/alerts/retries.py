"""Retries of failed runs: one that is run again is not final."""

import dagster as dg

WILL_RETRY, RETRIED_BY = "dagster/will_retry", "dagster/auto_retry_run_id"
ROOT = "dagster/root_run_id"
TAGGED_WITHIN = 60.0  # seconds in which Dagster decides about a retry
LAUNCHED_WITHIN = 3600.0  # seconds in which Dagster's daemon launches it
ENDED_WITHIN = 86400.0  # seconds for a run that was started by hand


def is_retried(instance: dg.DagsterInstance, run: dg.DagsterRun, age: float) -> bool | None:
    """Return True if another run has taken the place of a failed one; None if that is open.

    Args:
        instance: holds the runs.
        run: the failed run.
        age: the seconds since its failure.
    """
    will_retry = run.tags.get(WILL_RETRY)
    if run.tags.get(RETRIED_BY):
        return True
    if will_retry == "true" and age < LAUNCHED_WITHIN:
        return None
    if will_retry is None and instance.run_retries_enabled and age < TAGGED_WITHIN:
        return None
    root = run.root_run_id or run.tags.get(ROOT) or run.run_id
    group = instance.get_run_records(dg.RunsFilter(tags={ROOT: root}))
    own = next((each for each in group if each.dagster_run.run_id == run.run_id), None)
    later = [
        each.dagster_run
        for each in group
        if each.dagster_run.run_id != run.run_id
        and (own is None or each.create_timestamp > own.create_timestamp)
        and each.dagster_run.status != dg.DagsterRunStatus.CANCELED
    ]
    if any(each.is_finished for each in later):
        return True
    return None if later and age < ENDED_WITHIN else False
