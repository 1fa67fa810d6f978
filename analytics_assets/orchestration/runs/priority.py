"""Which of several waiting runs goes first."""

from collections.abc import Mapping

import dagster as dg

# Dagster 1.13 goes by it both in its queue and where steps wait for a place in a pool
PRIORITY = "dagster/priority"
# what keeps tables fresh need not wait for the end of a backfill
BEFORE_BACKFILLS: Mapping[str, str] = {PRIORITY: "1"}


def a_more_urgent_run_waits(instance: dg.DagsterInstance, pool: str, run: dg.DagsterRun) -> bool:
    """Tell whether a run with a higher priority waits for a place in a pool.

    Args:
        instance: which knows the runs that wait.
        pool: the pool.
        run: the run that holds the place.
    """
    pending = instance.event_log_storage.get_concurrency_info(pool).pending_steps
    # a run whose first steps find no place is not started, and so none of its steps is pending
    queued = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED]))
    waiting = [each.priority or 0 for each in pending if each.run_id != run.run_id]
    waiting += [_priority(each) for each in queued if pool in pools_of(each)]
    return any(priority > _priority(run) for priority in waiting)


def pools_of(run: dg.DagsterRun) -> frozenset[str]:
    """Return the pools in which the steps of a run take places."""
    needed = run.run_op_concurrency
    return frozenset(needed.all_pools or ()) if needed else frozenset()


def _priority(run: dg.DagsterRun) -> int:
    try:
        return int(run.tags.get(PRIORITY, "0"))
    except ValueError:
        return 0  # as Dagster has it
