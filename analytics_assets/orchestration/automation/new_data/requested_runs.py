"""The runs that a new-data sensor has requested, and what came of them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg

from analytics_assets.contract.resource import Resource
from analytics_assets.orchestration.runs.run_events import run_events
from analytics_assets.orchestration.runs.tags import API, REQUESTED_BY, range_name

NEWEST_TAG = ".dagster/new_data"  # the newest change that a run is to load, by `change_name`
INTERVAL = timedelta(minutes=5)
LONGEST_PAUSE = timedelta(hours=6)
LOOK_BACK = timedelta(days=3)  # in which there are enough failures for the longest pause
MOST_RUNS = 200  # that a tick looks at
FAILED = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
FINISHED = [*FAILED, dg.DagsterRunStatus.SUCCESS]
UNFINISHED = [status for status in dg.DagsterRunStatus if status not in FINISHED]


def change_name(resource: Resource, window: Sequence[str]) -> str:
    """Return the name of the changes of a resource, or of those in some of its partitions."""
    return f"{resource.name}, {range_name(window)}" if window else resource.name


class RequestedRuns:
    """The runs that a sensor has requested lately, by two queries for all resources.

    A run counts for each resource by itself: of one that has failed, the tables that it has loaded
    are loaded.

    Args:
        instance: holds the runs.
        sensor: the name of the sensor.
        api_name: its API.
    """

    def __init__(self, instance: dg.DagsterInstance, sensor: str, api_name: str) -> None:
        own = {REQUESTED_BY: sensor, API: api_name}
        unfinished = dg.RunsFilter(tags=own, statuses=UNFINISHED)
        self._in_progress = {
            name: run.run_id
            for run in instance.get_runs(unfinished, limit=MOST_RUNS)
            for name in _changes(run)
        }
        self._loaded: dict[str, list[str]] = {}
        self._failed: dict[tuple[str, str], list[dg.RunRecord]] = {}
        finished = dg.RunsFilter(
            tags=own, statuses=FINISHED, created_after=datetime.now(UTC) - LOOK_BACK
        )
        for record in instance.get_run_records(finished, limit=MOST_RUNS):
            self._add(instance, record)

    def _add(self, instance: dg.DagsterInstance, record: dg.RunRecord) -> None:
        run = record.dagster_run
        has_succeeded = run.status is dg.DagsterRunStatus.SUCCESS
        loaded = set() if has_succeeded else _materialized(instance, run.run_id)
        for name, newest in _changes(run).items():
            if has_succeeded or name.split(",")[0] in loaded:
                self._loaded.setdefault(name, []).append(newest)
            else:
                self._failed.setdefault((name, newest), []).append(record)

    def in_progress(self, resource: Resource) -> str | None:
        """Return the id of an unfinished run that loads a resource, or some of its partitions."""
        found = (
            run_id
            for name, run_id in self._in_progress.items()
            if name.split(",")[0] == resource.name
        )
        return next(found, None)

    def cursor(self, names: Iterable[str], before: Mapping[str, str]) -> dict[str, str]:
        """Return the newest change that the runs have loaded, by name.

        Args:
            names: the names to look up; others are left out.
            before: the cursor of the tick before.
        """
        found = {
            name: [*self._loaded.get(name, ()), *([before[name]] if name in before else [])]
            for name in names
        }
        return {
            name: max(moments, key=datetime.fromisoformat)
            for name, moments in found.items()
            if moments
        }

    def failures(self, name: str, newest: datetime) -> Sequence[dg.RunRecord]:
        """Return the runs for a change that have failed, the last one first."""
        return self._failed.get((name, newest.isoformat()), ())


def retry_at(failures: Sequence[dg.RunRecord]) -> datetime | None:
    """Return the moment from which a run may be requested again; None if none failed."""
    if not failures:
        return None
    return datetime.fromtimestamp(failures[0].end_time or 0, UTC) + pause(len(failures))


def pause(failures: int) -> timedelta:
    """Return the pause after a number of failed runs: doubled by each, up to the longest one.

    Example:
        >>> str(pause(1)), str(pause(2)), str(pause(1000))
        ('0:05:00', '0:10:00', '6:00:00')
    """
    doublings = min(failures - 1, 10)  # more would exceed what a timedelta can be
    return min(LONGEST_PAUSE, INTERVAL * 2.0**doublings)


def _changes(run: dg.DagsterRun) -> Mapping[str, str]:
    """Return the newest change that a run is to load, by name."""
    changes: dict[str, str] = json.loads(run.tags.get(NEWEST_TAG, "{}"))
    return changes


def _materialized(instance: dg.DagsterInstance, run_id: str) -> set[str]:
    """Return the names of the resources that a run has loaded before it failed."""
    events = run_events(instance, run_id, {dg.DagsterEventType.ASSET_MATERIALIZATION})
    return {event.asset_key.path[-1] for event, _ in events if event.asset_key}
