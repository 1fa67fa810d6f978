"""The runs that have ended, and the results of checks without a run, since the last look."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

import dagster as dg
from dagster import DagsterEventType, EventLogRecord

from analytics_assets.orchestration.compat import WITHOUT_RUN, event_log_cursor

MOST_RUNS = 50  # read at one look
MOST_EVENTS = 500  # without a run, likewise
# events get their numbers before others see them: those of the last seconds are read again
SETTLED_SECONDS = 5.0
AHEAD_SECONDS = 300.0  # of another machine's clock; events from later are of a clock that was wrong
ENDS: Mapping[DagsterEventType, dg.DagsterRunStatus] = {
    DagsterEventType.RUN_SUCCESS: dg.DagsterRunStatus.SUCCESS,
    DagsterEventType.RUN_FAILURE: dg.DagsterRunStatus.FAILURE,
    DagsterEventType.RUN_CANCELED: dg.DagsterRunStatus.CANCELED,
}
OF_CHECKS = {DagsterEventType.ASSET_CHECK_EVALUATION, DagsterEventType.ASSET_MATERIALIZATION}


@dataclass(frozen=True)
class Position:
    """The place up to which the event log was read.

    Args:
        runs: the number of the last end of a run.
        seen: the numbers of later ends that were read, too.
        without_run: the number of the last event without a run.
    """

    runs: int = 0
    seen: tuple[int, ...] = ()
    without_run: int = 0

    def after(self, read: Sequence["EndedRun"], now: float) -> "Position":
        """Return the position after the ends of runs, those that it has seen among them.

        Args:
            read: the ends of runs, the oldest first.
            now: the moment, in seconds since 1970.
        """
        settled = [
            each.number
            for each in read
            if each.at < now - SETTLED_SECONDS or each.at > now + AHEAD_SECONDS
        ]
        runs = max([self.runs, *settled])
        numbers = {*self.seen, *(each.number for each in read)}
        return replace(self, runs=runs, seen=tuple(sorted(n for n in numbers if n > runs)))

    def as_json(self) -> dict[str, Any]:
        """Return the position as values of JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Position":
        """Return a stored position."""
        return cls(stored["runs"], tuple(stored["seen"]), stored["without_run"])


class EndedRun(NamedTuple):
    """A run that has ended.

    Args:
        number: the number of the event.
        run_id: the run.
        status: its status.
        at: the moment, in seconds since 1970.
        message: the reason of a failure.
    """

    number: int
    run_id: str
    status: dg.DagsterRunStatus
    at: float
    message: str


def newest_position(instance: dg.DagsterInstance, since: float) -> Position:
    """Return the place from which runs are read that started at a moment or later.

    Args:
        instance: holds the event log.
        since: the moment, in seconds since 1970.
    """
    started = instance.fetch_run_status_changes(
        dg.RunStatusChangeRecordsFilter(DagsterEventType.RUN_START, after_timestamp=since),
        limit=1,
        ascending=True,
    ).records
    newest = instance.get_records_for_run(
        WITHOUT_RUN, of_type=OF_CHECKS, limit=1, ascending=False
    ).records
    runs = started[0].storage_id - 1 if started else newest_number(instance)
    return Position(runs, (), newest[0].storage_id if newest else 0)


def newest_number(instance: dg.DagsterInstance) -> int:
    """Return the number of the newest event; 0 if there is none."""
    return instance.event_log_storage.get_maximum_record_id() or 0


def ended_runs(instance: dg.DagsterInstance, position: Position) -> list[EndedRun]:
    """Return the runs that have ended since a position, the oldest first.

    Args:
        instance: holds the event log.
        position: the position; runs that it has seen are among them, see `Position.after`.
    """
    found, last = list[EndedRun](), None
    for kind, status in ENDS.items():
        result = instance.fetch_run_status_changes(
            kind, limit=MOST_RUNS, cursor=event_log_cursor(position.runs), ascending=True
        )
        found += [_ended(record, status) for record in result.records]
        if len(result.records) == MOST_RUNS:  # others of that kind follow, and must not be skipped
            number = result.records[-1].storage_id
            last = number if last is None else min(last, number)
    return sorted(each for each in found if last is None or each.number <= last)[:MOST_RUNS]


def _ended(record: EventLogRecord, status: dg.DagsterRunStatus) -> EndedRun:
    event = record.event_log_entry.dagster_event
    message = (event.message or "") if event else ""
    return EndedRun(record.storage_id, record.run_id, status, record.timestamp, message)


def events_without_run(
    instance: dg.DagsterInstance, position: Position
) -> tuple[list[EventLogRecord], Position]:
    """Return the results of checks and the loads that sensors and commands have reported.

    Args:
        instance: holds the event log.
        position: the place up to which they were read.
    """
    records = list(
        instance.get_records_for_run(
            WITHOUT_RUN,
            cursor=event_log_cursor(position.without_run),
            of_type=OF_CHECKS,
            limit=MOST_EVENTS,
        ).records
    )
    last = max([position.without_run, *(record.storage_id for record in records)])
    return records, replace(position, without_run=last)


def still_there(instance: dg.DagsterInstance, position: Position) -> Position | None:
    """Return a position in the event log as it is now; None if that was wiped.

    Deleted runs leave a shorter log, whose next events SQLite gives their numbers.
    """
    newest = newest_number(instance)
    read = max([position.runs, *position.seen])
    if newest >= read:
        return position
    return replace(position, runs=newest, seen=()) if newest > read / 2 else None
