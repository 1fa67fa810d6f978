"""Runs in Dagster's history, and the attempts to load that they made."""

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import dagster as dg

from analytics_assets.orchestration.keys import load_health_key
from analytics_assets.orchestration.load_health.attempts import KINDS, Attempt, attempts_of
from analytics_assets.orchestration.runs.materializations import newest_first
from analytics_assets.orchestration.runs.run_events import run_events
from analytics_assets.orchestration.runs.tags import may_concern

READ_UNTIL = "history read until"  # in the metadata of `load_health`
FIRST_LOOK_BACK = timedelta(days=90)  # of an API whose history was never read
POLL = 1.0  # seconds between two looks at the events of a run
RUNS = 100  # fetched at once
UNDER_WAY = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]


def attempts_since(
    instance: dg.DagsterInstance, api: str, steps: Mapping[str, str], since: datetime
) -> Iterator[tuple[dg.DagsterRun, Attempt]]:
    """Yield the attempts of an API's runs that have changed since a moment, or are under way.

    An attempt may be yielded again by the next call: each run is read as a whole.

    Args:
        instance: holds the runs and their events.
        api: the API; the events of runs for others only are not read.
        steps: the resource that a step loads, by its key.
        since: the moment.
    """
    under_way = instance.get_runs(dg.RunsFilter(statuses=UNDER_WAY))
    found = {run.run_id for run in under_way}
    for run in under_way:
        if may_concern(run, api):
            yield from _attempts(instance, steps, run)
    cursor: str | None = None
    changed = dg.RunsFilter(updated_after=since)
    while runs := [
        each.dagster_run
        for each in instance.get_run_records(changed, limit=RUNS, cursor=cursor, ascending=True)
    ]:
        for run in runs:
            if run.run_id not in found and may_concern(run, api):
                yield from _attempts(instance, steps, run)
        cursor = runs[-1].run_id


def wait_for_loads(
    instance: dg.DagsterInstance,
    steps: Mapping[str, str],
    run: dg.DagsterRun,
    patience: timedelta,
) -> bool:
    """Wait for the loads of a run that have started, as those of other processes.

    Those that have not are not waited for: they may wait for the process of this step.

    Args:
        instance: holds the events of the run.
        steps: the resource that a step loads, by its key.
        run: the run.
        patience: the longest wait.

    Returns:
        True if all have ended.
    """
    deadline = time.monotonic() + patience.total_seconds()
    while any(attempt.ended is None for _, attempt in _attempts(instance, steps, run)):
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL)
    return True


def _attempts(
    instance: dg.DagsterInstance, steps: Mapping[str, str], run: dg.DagsterRun
) -> Iterator[tuple[dg.DagsterRun, Attempt]]:
    events = run_events(instance, run.run_id, KINDS)
    for attempt in attempts_of(events, steps, run.is_finished):
        yield run, attempt


def read_until(instance: dg.DagsterInstance, api: str) -> datetime | None:
    """Return the moment up to which the last load has read the history; None if there is none."""
    for _, event in newest_first(instance, load_health_key(api)):
        found = event.metadata.get(READ_UNTIL)
        if isinstance(found, dg.TimestampMetadataValue):
            return datetime.fromtimestamp(found.value, UTC)
        break
    return None
