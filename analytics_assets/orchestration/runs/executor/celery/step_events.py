"""Events of a step that workers write into the event log."""

from collections.abc import Sequence

import dagster as dg

BEGUN = {dg.DagsterEventType.STEP_START, dg.DagsterEventType.STEP_RESTARTED}
ENDED = {
    dg.DagsterEventType.STEP_SUCCESS,
    dg.DagsterEventType.STEP_FAILURE,
    dg.DagsterEventType.STEP_SKIPPED,
    dg.DagsterEventType.STEP_UP_FOR_RETRY,
}
LOGGED = BEGUN | ENDED | {dg.DagsterEventType.STEP_OUTPUT}


def of_last_worker(events: Sequence[dg.DagsterEvent]) -> list[dg.DagsterEvent]:
    """Return the events of a step that are of the process that was the last one to begin.

    An earlier one that was taken for dead, as its machine slept, logs its end when it wakes up.

    Args:
        events: those of one step, in their order.
    """
    begun = [event.pid for event in events if event.event_type in BEGUN]
    return [event for event in events if begun and event.pid == begun[-1]]
