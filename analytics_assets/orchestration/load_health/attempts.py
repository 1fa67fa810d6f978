"""Attempts to load a resource, as the events of a run record them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from dagster import DagsterEventType as Kind

from analytics_assets.config.text.excerpts import first_line
from analytics_assets.orchestration.runs.materializations import plain_metadata
from analytics_assets.orchestration.runs.run_events import RunEvent, cause_of_failure
from analytics_assets.warehouse.queries.load_health import LOADED

FAILED, KILLED, UNDER_WAY = "failed", "killed", "under way"
STARTS = (Kind.STEP_START, Kind.STEP_RESTARTED)
FAILURES = (Kind.STEP_FAILURE, Kind.STEP_UP_FOR_RETRY)
KINDS = {*STARTS, *FAILURES, Kind.ASSET_MATERIALIZATION, Kind.STEP_SUCCESS}


@dataclass
class Attempt:
    """An attempt to load a resource.

    Args:
        resource: the resource.
        number: 1 for the first attempt of a run; more where a retry policy repeats the step.
        started: its start.
        ended: its end; None while it is under way, or if its process was killed.
        outcome: `LOADED`, `FAILED`, `KILLED` or `UNDER_WAY`.
        partitions: the partitions that were loaded.
        metadata: those of the materialization, as plain values; empty if it failed.
        error: the first line of the error; empty if there is none.
    """

    resource: str
    number: int
    started: datetime
    ended: datetime | None = None
    outcome: str = UNDER_WAY
    partitions: set[str] = field(default_factory=set)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""

    @property
    def seconds(self) -> float | None:
        """Its duration."""
        return round((self.ended - self.started).total_seconds(), 3) if self.ended else None


def attempts_of(
    events: Iterable[RunEvent], steps: Mapping[str, str], has_ended: bool
) -> Iterator[Attempt]:
    """Yield the attempts of a run in the order of their end, those without an end last.

    Args:
        events: the events of the run of the `KINDS`, in their order.
        steps: the resource that a step loads, by its key.
        has_ended: True if the run has ended, so that an attempt without an end was killed.
    """
    open_attempts: dict[str, Attempt] = {}
    numbers: dict[str, int] = {}
    for event, moment in events:
        step = event.step_key
        if step is None or step not in steps:
            continue
        at, kind = datetime.fromtimestamp(moment, UTC), event.event_type
        if kind in STARTS or step not in open_attempts:
            numbers[step] = numbers.get(step, 0) + (step not in open_attempts)
            open_attempts[step] = Attempt(steps[step], numbers[step], at)
        attempt = open_attempts[step]
        if kind is Kind.ASSET_MATERIALIZATION:
            _add(attempt, event.step_materialization_data.materialization)
        elif kind is Kind.STEP_SUCCESS or kind in FAILURES:
            attempt.ended = at
            attempt.outcome = LOADED if kind is Kind.STEP_SUCCESS else FAILED
            attempt.error = first_line(cause_of_failure(event)) if kind in FAILURES else ""
            yield open_attempts.pop(step)
    for attempt in open_attempts.values():
        if has_ended:
            attempt.outcome, attempt.error = KILLED, "The process of this load ended early."
        yield attempt


def _add(attempt: Attempt, materialization: dg.AssetMaterialization) -> None:
    """Add a materialization: that of the load, or one for each of its partitions."""
    attempt.metadata = plain_metadata(materialization)
    if materialization.partition:
        attempt.partitions.add(materialization.partition)
