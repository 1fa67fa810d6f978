"""Partitions that somebody chooses by the first and the last one, whether or not they are due."""

from bisect import bisect_right
from calendar import monthrange
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from analytics_assets.config.errors import AnalyticsAssetsError
from analytics_assets.config.load import Partitioned
from analytics_assets.config.resource import ResourceConfig
from analytics_assets.orchestration.partitions.definition import (
    DAY,
    KEYS,
    partitioned,
    partitions_until,
    time_window_of,
)
from analytics_assets.orchestration.partitions.due import DueRun, runs_of

EXAMPLES = "a day such as 2026-01-31, a month such as 2026-01 or a week such as week-2026-01-26"


class PartitionRangeError(AnalyticsAssetsError):
    """A range of partitions cannot be loaded as a whole."""


def chosen_runs(
    resources: Iterable[ResourceConfig], first: str, last: str | None, now: datetime
) -> list[DueRun]:
    """Return the runs that load a range of partitions, whether or not they are due.

    Args:
        resources: partitioned resources.
        first: a day in the first partition, or the key of a partition.
        last: the same for the last partition; None for the newest one.
        now: the moment up to which there are partitions.

    Returns:
        The runs, see `due_runs`.

    Raises:
        PartitionRangeError: a text is neither a day nor a key, the range is reversed, or a resource
            has not all of its partitions.
    """
    begin, end = _span(first)[0], _span(last)[1] if last is not None else None
    if end and end < begin:
        raise PartitionRangeError(f"The range is reversed: {last} is before {first}.")
    chosen, refused = list[tuple[ResourceConfig, Sequence[str]]](), list[str]()
    for resource in resources:
        try:
            chosen.append((resource, _within(resource, begin, end, now)))
        except PartitionRangeError as error:
            refused.append(str(error))
    if refused:
        raise PartitionRangeError(" ".join([*refused, "Nothing was loaded."]))
    return runs_of(chosen)


def _span(text: str) -> tuple[date, date]:
    """Return the first and the last day of a day or a partition."""
    for by, form in KEYS.items():
        try:
            begin = datetime.strptime(text, form).date()
            if begin.strftime(form) == text and (by != "week" or begin.weekday() == 0):
                return begin, _last_day(by, begin)
        except (ValueError, OverflowError):
            continue
    raise PartitionRangeError(f"`{text}` is neither a day nor a partition: give {EXAMPLES}.")


def _last_day(by: str, begin: date) -> date:
    if by == "month":
        return begin.replace(day=monthrange(begin.year, begin.month)[1])
    return begin + timedelta(days=6) if by == "week" else begin


def _within(
    resource: ResourceConfig, first: date, last: date | None, now: datetime
) -> Sequence[str]:
    """Return the partitions of a resource that have a day of a range, oldest first."""
    load, name = partitioned(resource), resource.full_name
    keys = partitions_until(load, now)
    if not keys:
        raise PartitionRangeError(f"{name} has no partition yet.")
    begins = [_begin(load, key) for key in keys]
    newest = (time_window_of(load, keys[-1:]).end - DAY).date()
    if first < begins[0]:
        raise PartitionRangeError(f"{name} has no partition before its first one, {keys[0]}.")
    if max(first, last or first) > newest:
        raise PartitionRangeError(
            f"{name} has no partition after {keys[-1]} yet: a {load.by} is loaded "
            f"{'once it has begun' if load.include_unfinished else 'once it is over'} in "
            f"{load.timezone}."
        )
    return keys[bisect_right(begins, first) - 1 : bisect_right(begins, last or newest)]


def _begin(load: Partitioned, key: str) -> date:
    return datetime.strptime(key, KEYS[load.by]).date()
