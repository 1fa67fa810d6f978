"""Rows of the table `load_health`."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import dagster as dg

from analytics_assets.config.text.excerpts import printable
from analytics_assets.orchestration.load_health.attempts import UNDER_WAY, Attempt
from analytics_assets.orchestration.load_health.history import attempts_since
from analytics_assets.orchestration.metadata import names
from analytics_assets.orchestration.runs.tags import (
    PARTITION,
    RANGE_END,
    RANGE_START,
    REQUESTED_BY,
    missing_tags,
)
from analytics_assets.redaction.redactor import redact

# the column of a metadata entry that is a number or a truth value
NUMBERS = {
    "rows_loaded": names.ROWS_LOADED,
    "rows_received": names.ROWS_RECEIVED,
    "rows_rejected": names.ROWS_REJECTED,
    "rows_in_table": names.ROW_COUNT,
    "requests": names.REQUESTS,
    "retries": names.RETRIES,
    "seconds_waiting": names.SECONDS_WAITING,
    "bytes_received": names.BYTES_RECEIVED,
    "pages_typed": names.PAGES_TYPED,
    "pages_by_dlt": names.PAGES_BY_DLT,
    "complete": names.COMPLETE,
}


def rows_since(
    instance: dg.DagsterInstance, api: str, steps: Mapping[str, str], since: datetime
) -> Iterator[dict[str, Any]]:
    """Yield the rows of the loads in all runs that have changed since a moment.

    Args:
        instance: holds the runs and their events.
        api: the API.
        steps: the resource that a step loads, by its key.
        since: the moment.
    """
    for run, attempt in attempts_since(instance, api, steps, since):
        if attempt.outcome != UNDER_WAY:
            yield row_of(api, run, attempt)


def row_of(api: str, run: dg.DagsterRun, attempt: Attempt) -> dict[str, Any]:
    """Return the row of an attempt that has ended.

    Args:
        api: the API.
        run: the run that made it.
        attempt: the attempt.
    """
    load, partitions = attempt.metadata, sorted(attempt.partitions) or _requested(run.tags)
    return {
        "api": api,
        "resource": attempt.resource,
        "outcome": attempt.outcome,
        "started_at": attempt.started,
        "day": attempt.started.date(),
        "seconds": attempt.seconds,
        **{column: load.get(name) for column, name in NUMBERS.items()},
        "newest_data": _text(load.get(names.NEWEST_DATA)),
        "first_partition": partitions[0] if partitions else None,
        "last_partition": partitions[-1] if partitions else None,
        "partitions": len(attempt.partitions) or None,
        "unknown_fields": _listed(load.get(names.UNKNOWN_FIELDS)),
        "absent_fields": _listed(load.get(names.ABSENT_FIELDS)),
        "error": redact(attempt.error) or None,
        "requested_by": {**missing_tags(run), **run.tags}[REQUESTED_BY],
        "run_id": run.run_id,
        "attempt": attempt.number,
        "load_id": _text(load.get(names.LOAD_ID)),
    }


def _requested(tags: Mapping[str, str]) -> list[str]:
    """Return the first and the last partition that a run was to load."""
    found = [tags.get(RANGE_START, tags.get(PARTITION)), tags.get(RANGE_END, tags.get(PARTITION))]
    return [key for key in found if key]


def _listed(fields: Any) -> str | None:
    return printable(redact(", ".join(sorted(map(str, fields))))) if fields else None


def _text(value: Any) -> str | None:
    return None if value in (None, "none") else str(value)
