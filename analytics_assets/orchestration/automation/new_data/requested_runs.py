"""The runs that a new-data sensor has requested, and what came of them."""

import json
from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

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


class FinishedRun(NamedTuple):
    """A run that the sensor has requested, and that has ended.

    Args:
        run_id: its id.
        ended: its end, in seconds since 1970.
        changes: the newest change that it was to load, by name.
        loaded: the names of those that it has loaded.
    """

    run_id: str
    ended: float
    changes: Mapping[str, str]
    loaded: Set[str]


class RequestedRuns:
    """The runs that a sensor has requested lately, by few queries for all resources.

    A run counts for each resource by itself: of one that has failed, the tables that it has loaded
    are loaded. What has ended does not change, and is read once.

    Args:
        sensor: the name of the sensor.
        api_name: its API.
    """

    def __init__(self, sensor: str, api_name: str) -> None:
        self._own = {REQUESTED_BY: sensor, API: api_name}
        self._in_progress: dict[str, str] = {}  # the id of the run by the resource
        self._finished: dict[str, FinishedRun] = {}  # by id, the newest first
        self._loaded: dict[str, list[str]] = {}
        self._failed: dict[tuple[str, str], list[FinishedRun]] = {}

    def update(self, instance: dg.DagsterInstance) -> None:
        """Look up the runs as they are now.

        Args:
            instance: holds the runs.
        """
        unfinished = dg.RunsFilter(tags=self._own, statuses=UNFINISHED)
        self._in_progress = {
            _resource_in(name): run.run_id
            for run in reversed(instance.get_runs(unfinished, limit=MOST_RUNS))
            for name in _changes(run)
        }
        finished = dg.RunsFilter(
            tags=self._own, statuses=FINISHED, created_after=datetime.now(UTC) - LOOK_BACK
        )
        ids = instance.get_run_ids(finished, limit=MOST_RUNS)
        if unknown := [run_id for run_id in ids if run_id not in self._finished]:
            for record in instance.get_run_records(dg.RunsFilter(run_ids=unknown)):
                self._finished[record.dagster_run.run_id] = _finished(instance, record)
        self._finished = {each: self._finished[each] for each in ids if each in self._finished}
        self._loaded, self._failed = {}, {}
        for run in self._finished.values():
            for name, newest in run.changes.items():
                if name in run.loaded:
                    self._loaded.setdefault(name, []).append(newest)
                else:
                    self._failed.setdefault((name, newest), []).append(run)

    def in_progress(self, resource: Resource) -> str | None:
        """Return the id of an unfinished run that loads a resource, or some of its partitions."""
        return self._in_progress.get(resource.name)

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

    def failures(self, name: str, newest: datetime) -> Sequence[FinishedRun]:
        """Return the runs for a change that have failed, the last one first."""
        return self._failed.get((name, newest.isoformat()), ())


def retry_at(failures: Sequence[FinishedRun]) -> datetime | None:
    """Return the moment from which a run may be requested again; None if none failed."""
    if not failures:
        return None
    return datetime.fromtimestamp(failures[0].ended, UTC) + pause(len(failures))


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


def _resource_in(name: str) -> str:
    """Return the resource in the name of its changes."""
    return name.split(",")[0]


def _finished(instance: dg.DagsterInstance, record: dg.RunRecord) -> FinishedRun:
    run = record.dagster_run
    changes = _changes(run)
    loaded: Set[str] = changes.keys()
    if run.status is not dg.DagsterRunStatus.SUCCESS:
        events = run_events(instance, run.run_id, {dg.DagsterEventType.ASSET_MATERIALIZATION})
        made = {event.asset_key.path[-1] for event, _ in events if event.asset_key}
        loaded = {name for name in changes if _resource_in(name) in made}
    return FinishedRun(run.run_id, record.end_time or 0.0, changes, loaded)
