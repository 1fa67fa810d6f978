"""Events of a run, and the cause of a step that failed."""

from collections.abc import Iterator, Set
from typing import Any, NamedTuple

import dagster as dg

from analytics_assets.warehouse.errors import WarehouseError, WarehouseLockedError

PAGE = 500  # events fetched at once
# errors that name cause and remedy; those that they follow from do not
WITH_REMEDY = {WarehouseError.__name__, WarehouseLockedError.__name__}


class RunEvent(NamedTuple):
    """An event of a run.

    Args:
        event: the event.
        at: its moment, in seconds since 1970.
    """

    event: dg.DagsterEvent
    at: float


def run_events(
    instance: dg.DagsterInstance, run_id: str, kinds: Set[dg.DagsterEventType]
) -> Iterator[RunEvent]:
    """Yield the events of a run, the oldest first.

    Args:
        instance: holds the event log.
        run_id: the run.
        kinds: the types of the events.
    """
    cursor: str | None = None
    wanted: Any = set(kinds)
    while True:
        page = instance.get_records_for_run(run_id, cursor, wanted, PAGE)
        for record in page.records:
            if event := record.event_log_entry.dagster_event:
                yield RunEvent(event, record.timestamp)
        if not page.has_more:
            return
        cursor = page.cursor


def cause_of_failure(event: dg.DagsterEvent) -> str:
    """Return the cause of a failed attempt of a step: its description, or an error's message.

    The message is that of the innermost error, or of the first one that has a remedy.

    Args:
        event: the failure, or the retry that follows it.
    """
    is_retry = event.event_type is dg.DagsterEventType.STEP_UP_FOR_RETRY
    described = None if is_retry else event.step_failure_data.user_failure_data
    if described and described.description:
        return described.description.strip()
    error = event.step_retry_data.error if is_retry else event.step_failure_data.error
    while error and error.cause and error.cls_name not in WITH_REMEDY:
        error = error.cause
    return error.message.strip() if error else ""
