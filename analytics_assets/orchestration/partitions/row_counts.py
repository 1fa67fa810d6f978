"""Row counts of partitions in the table itself."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime

from analytics_assets.config.resource import ResourceConfig
from analytics_assets.config.times.timestamps import as_date_or_time
from analytics_assets.orchestration.partitions.definition import partitioned, time_window_of
from analytics_assets.warehouse.queries.tables import Span, Tables


def row_counts(
    tables: Tables, resource: ResourceConfig, keys: Sequence[str], loads: Sequence[str] = ()
) -> dict[str, int]:
    """Count the rows of some partitions by the date column, in one query.

    Args:
        tables: the open warehouse.
        resource: a partitioned resource.
        keys: the partitions, oldest first; they may have gaps.
        loads: dlt's ids of the loads whose rows are counted; empty for all rows.

    Returns:
        The number of rows by partition.
    """
    rows = dict.fromkeys(keys, 0)
    column = str(resource.policy.date_column)
    if not keys or tables.column_name(column) not in tables.columns(resource.table):
        return rows
    windows = [time_window_of(partitioned(resource), [key]) for key in keys]
    starts = [window.start for window in windows]
    days = [window.start.date() for window in windows]
    span = Span(column, starts[0], windows[-1].end)
    counted = tables.rows_by_minute(resource.table, span, loads)
    for value, count in counted:
        moment = as_date_or_time(value)
        if moment is None:
            continue
        place = bisect_right(starts if isinstance(moment, datetime) else days, moment) - 1
        if place >= 0 and windows[place].contains(moment):
            rows[keys[place]] += count
    return rows
