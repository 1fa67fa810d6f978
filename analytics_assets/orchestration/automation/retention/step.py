"""A step of a pass through Dagster's history, which ends with its time."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property

import dagster as dg

from analytics_assets.orchestration.automation.retention.check_rows import CheckRow, CheckRows
from analytics_assets.orchestration.automation.retention.compat import (
    backfills_under_way,
    logs_folder,
    path_of,
)
from analytics_assets.orchestration.automation.retention.event_rows import (
    OF_RUNS,
    OF_STEPS,
    WITHOUT_RUN,
    EventRows,
)
from analytics_assets.orchestration.automation.retention.logs import (
    remove_files_of,
    remove_old_logs,
)
from analytics_assets.orchestration.automation.retention.progress import Part, Progress, Trimmed
from analytics_assets.orchestration.automation.retention.run_file import remove, shrink
from analytics_assets.orchestration.automation.retention.run_rows import RunRow, RunRows

CHECKS_AT_ONCE, RUNS_AT_ONCE, EVENTS_AT_ONCE = 200, 50, 1000


class Step:
    """A step of a pass.

    Args:
        instance: holds the history.
        progress: the progress before the step.
        trimmed: the outcome, which is added to.
        now: the moment.
        until: the reading of the monotonic clock at which to stop.
    """

    def __init__(
        self,
        instance: dg.DagsterInstance,
        progress: Progress,
        trimmed: Trimmed,
        now: datetime,
        until: float,
    ) -> None:
        self._instance, self._progress = instance, progress
        self._checks = CheckRows(instance)
        self._runs, self._events = RunRows(instance), EventRows(instance)
        self._trimmed, self._now, self._until = trimmed, now, until
        self._before = datetime.fromisoformat(progress.before).astimezone(UTC).replace(tzinfo=None)

    def taken(self) -> Progress:
        """Take the step, and return the progress after it."""
        parts: Mapping[str, Callable[[], None]] = {
            Part.CHECKS: self._trim_checks,
            Part.RUNS: self._trim_runs,
            Part.WITHOUT_RUN: self._trim_events_without_run,
            Part.LOGS: self._trim_logs,
        }
        while self._progress.part in parts and self._has_time:
            parts[self._progress.part]()
        return self._progress

    @property
    def _has_time(self) -> bool:
        return time.monotonic() < self._until

    def _at(self, after: int | str) -> None:
        self._progress = replace(self._progress, after=after)

    def _trim_checks(self) -> None:
        rows = self._checks.after(int(self._progress.after), CHECKS_AT_ONCE)
        old = [row for row in rows if row.at is None or row.at < self._before]
        if not old:
            until = int(self._progress.after)
            self._progress = replace(self._progress, part=Part.RUNS, after=0, checks_until=until)
            return
        superseded = self._superseded(old)
        self._checks.delete(superseded)
        self._trimmed.results += len(superseded)
        self._at(rows[-1].number)

    def _superseded(self, rows: Sequence[CheckRow]) -> list[int]:
        """Return the numbers of rows of checks that have a newer one, which does not name them.

        A result that was reported again names the run in which the check ran.
        """
        newest = self._checks.newest_of({row.check for row in rows})
        places = {(row.check, row.partition) for row in rows if row.is_completed}
        results, found = self._checks.newest_results_of(places), list[int]()
        for row in rows:
            last, event = newest[row.check], ""
            if row.is_completed:
                last, event = results[row.check, row.partition]
            is_named = bool(row.run_id) and row.run_id in event
            if row.number < last and not is_named:
                found.append(row.number)
        return found

    @cached_property
    def _runs_of_results(self) -> set[str]:
        """The runs of the old results of checks that are left."""
        return self._checks.runs_until(self._progress.checks_until)

    @cached_property
    def _backfills(self) -> set[str]:
        return backfills_under_way(self._instance)

    @cached_property
    def _newest_run(self) -> int:
        return self._runs.newest()

    @cached_property
    def _run_of_newest_event(self) -> str | None:
        return self._events.newest_run()

    def _trim_runs(self) -> None:
        rows = self._runs.after(int(self._progress.after), RUNS_AT_ONCE)
        snapshots = set[str]()
        for row in rows:
            if row.created >= self._before or not self._has_time:
                break
            if self._is_old(row) and not self._trim_run(row.run_id, snapshots):
                break
            self._at(row.number)
        self._runs.delete_unused_snapshots(snapshots)
        if not rows or row.created >= self._before:
            self._progress = replace(self._progress, part=Part.WITHOUT_RUN, after=0)

    def _is_old(self, run: RunRow) -> bool:
        return (
            run.is_finished
            and run.changed < self._before
            and run.backfill not in self._backfills
            and run.number != self._newest_run
            and run.run_id != self._run_of_newest_event
        )

    def _trim_run(self, run_id: str, snapshots: set[str]) -> bool:
        """Remove what is superseded of an old run; return True if nothing of it is left to do."""
        events = 0
        while numbers := self._events.superseded(run_id, EVENTS_AT_ONCE):
            self._events.delete(numbers)
            events += len(numbers)
            self._trimmed.events += len(numbers)
            if not self._has_time:
                return False
        file = path_of(self._instance, run_id)
        is_kept = run_id in self._runs_of_results or self._events.has_newest(run_id)
        if is_kept:
            if file:
                shrink(file, OF_RUNS, OF_STEPS, self._events.steps(run_id))
        else:
            snapshots |= self._runs.snapshots_of(run_id)
            if file:
                remove(file)
        if events or not is_kept:
            remove_files_of(self._instance, run_id)
        if not is_kept:
            self._runs.delete(run_id)
            self._trimmed.runs += 1
        return True

    def _trim_events_without_run(self) -> None:
        numbers = self._events.superseded(
            WITHOUT_RUN, EVENTS_AT_ONCE, int(self._progress.after), self._before
        )
        self._events.delete(numbers)
        self._trimmed.events += len(numbers)
        copies = 0
        if path_of(self._instance, WITHOUT_RUN):
            copies = self._events.delete_old_copies(self._before, EVENTS_AT_ONCE)
        if numbers:
            self._at(numbers[-1])
        elif not copies:
            self._progress = replace(self._progress, part=Part.LOGS, after="")

    def _trim_logs(self) -> None:
        folder, before = logs_folder(self._instance), self._before.replace(tzinfo=UTC).timestamp()
        name = str(self._progress.after)
        left = remove_old_logs(folder, before, name, self._until) if folder else None
        if left is None:
            ended = self._now.isoformat()
            self._progress = replace(self._progress, part=Part.ENDED, after=ended)
        else:
            self._at(left)
