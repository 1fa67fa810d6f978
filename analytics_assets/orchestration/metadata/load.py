"""Metadata of a load: its rows, its completeness, and the seconds of its stages."""

from collections.abc import Mapping, Sequence
from typing import Any

from dlt.common.metrics import DataWriterAndCustomMetrics
from dlt.pipeline.trace import PipelineTrace

from analytics_assets.orchestration.metadata.names import (
    ABSENT_FIELDS,
    ANSWERS,
    ANSWERS_OTHER_ROWS,
    ANSWERS_SAMPLED,
    ANSWERS_THRESHOLDED,
    ANSWERS_TRUNCATED,
    COMPLETE,
    DELETED_KEYS,
    LOAD_ID,
    NO_LOAD_ID,
    PAGES_BY_DLT,
    PAGES_TYPED,
    PARENTS_WITHOUT_VALUE,
    PASSES,
    REJECTION_REASONS,
    ROWS_ALIKE_BEFORE_STEPS,
    ROWS_EXPECTED,
    ROWS_EXTRACTED,
    ROWS_LOADED,
    ROWS_MARKED_DELETED,
    ROWS_OF_LOAD,
    ROWS_OUTSIDE,
    ROWS_RECEIVED,
    ROWS_REJECTED,
    ROWS_REPEATED,
    ROWS_SUPERSEDED,
    TOMBSTONES_KEPT,
    UNKNOWN,
    UNKNOWN_FIELDS,
    WINDOWS_HALVED,
    WINDOWS_SAMPLED,
    in_words,
)

COUNTED = (ROWS_RECEIVED, ROWS_REPEATED, ROWS_REJECTED, PASSES, PAGES_TYPED, PAGES_BY_DLT)
# counts that only some loads have
IF_ANY = (ROWS_SUPERSEDED, ROWS_ALIKE_BEFORE_STEPS, ROWS_MARKED_DELETED)
QUALITY = (ANSWERS, ANSWERS_SAMPLED, ANSWERS_THRESHOLDED, ANSWERS_OTHER_ROWS, ANSWERS_TRUNCATED)
IF_COUNTED = (
    *(ROWS_OUTSIDE, PARENTS_WITHOUT_VALUE, REJECTION_REASONS, TOMBSTONES_KEPT, DELETED_KEYS),
    *(*QUALITY, WINDOWS_HALVED, WINDOWS_SAMPLED),
)


def load_metadata(trace: PipelineTrace, resource: str, table: str) -> dict[str, Any]:
    """Return the metadata of a load: rows, completeness, and seconds per stage.

    Args:
        trace: dlt's trace of it.
        resource: the resource.
        table: its table by dlt's name.
    """
    metrics = _metrics(trace, resource)
    custom = metrics[0].custom_metrics if metrics else {}
    read = {in_words(name): value for name, value in custom.items()}
    loaded = trace.last_normalize_info.row_counts if trace.last_normalize_info else {}
    seconds = {
        f"seconds {step.step}": round((step.finished_at - step.started_at).total_seconds(), 3)
        for step in trace.steps
        if step.step in ("extract", "normalize", "load") and step.finished_at
    }
    return {
        ROWS_EXTRACTED: sum(metric.items_count for metric in metrics),
        ROWS_LOADED: loaded.get(table, 0),
        COMPLETE: not read.get("reads limited"),
        ROWS_EXPECTED: UNKNOWN if read.get("reads without total") else read.get(ROWS_EXPECTED),
        **{name: read.get(name, 0) for name in COUNTED},
        **{name: read[name] for name in IF_ANY if read.get(name)},
        **{name: read[name] for name in IF_COUNTED if name in read},
        UNKNOWN_FIELDS: read.get(UNKNOWN_FIELDS, {}),
        ABSENT_FIELDS: read.get(ABSENT_FIELDS, []),
        **{in_words(name): value for name, value in read.get("cursor", {}).items()},
        **seconds,
    }


def _metrics(trace: PipelineTrace, resource: str) -> list[DataWriterAndCustomMetrics]:
    extracted = trace.last_extract_info
    return [
        package["resource_metrics"][resource]
        for packages in (extracted.metrics if extracted else {}).values()
        for package in packages
        if resource in package["resource_metrics"]
    ]


def rejects_all(load: Mapping[str, Any]) -> bool:
    """Return True if all rows that a load has received were rejected."""
    received = load[ROWS_RECEIVED]
    return bool(received and load[ROWS_REJECTED] >= received and not load[ROWS_LOADED])


def misses_all(load: Mapping[str, Any]) -> bool:
    """Return True if a load has received none of the rows that the API counts."""
    return not load[ROWS_RECEIVED] and load[ROWS_EXPECTED] not in (None, UNKNOWN, 0)


def rows_due(load: Mapping[str, Any]) -> int:
    """Return the number of received rows that are each a row of the table."""
    others = (ROWS_REJECTED, ROWS_REPEATED, ROWS_SUPERSEDED, ROWS_MARKED_DELETED)
    return int(load[ROWS_RECEIVED] - sum(load.get(name, 0) for name in others))


def lacks_rows(load: Mapping[str, Any], requests_overlap: bool = False) -> bool:
    """Return True if a load has not brought all rows that the API has.

    Args:
        load: the metadata of the load.
        requests_overlap: True if a row of the moment between two of its requests comes in both.
    """
    if not load.get(COMPLETE):
        return True
    is_repeated = load.get(WINDOWS_HALVED) or requests_overlap
    due = rows_due(load)
    return not is_repeated and bool(load.get(ROWS_OF_LOAD, due) < due)


def load_ids(metadata: Mapping[str, Any]) -> list[str]:
    """Return dlt's load ids of a materialization."""
    return str(metadata[LOAD_ID]).split(", ")


def written_load_ids(metadata: Mapping[str, Any]) -> Sequence[str]:
    """Return dlt's load ids of a materialization; empty if the load wrote nothing."""
    return load_ids(metadata) if metadata.get(LOAD_ID, NO_LOAD_ID) != NO_LOAD_ID else ()
