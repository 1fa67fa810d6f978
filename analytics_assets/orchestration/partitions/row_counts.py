"""How many rows a table holds of each partition, whatever the loads say."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime

from analytics_assets.config.api import Api
from analytics_assets.config.load import Partitioned
from analytics_assets.extract.incremental.time_window import as_date_or_time
from analytics_assets.orchestration.partitions.definition import time_window_of
from analytics_assets.warehouse.tables import Tables


def rows_of_partitions(
    tables: Tables, api: Api, resource: str, keys: Sequence[str]
) -> dict[str, int]:
    """Count the rows of some partitions by the date column, in one query.

    Args:
        tables: the open warehouse.
        api: the API.
        resource: the resource.
        keys: the partitions, the oldest first; there may be gaps between them.

    Returns:
        The rows by partition; 0 for one that has none.
    """
    rows = dict.fromkeys(keys, 0)
    table, policy = api.table(resource), api.policy(resource)
    column, load = str(policy.date_column), policy.load
    if not keys or tables.column_name(column) not in tables.columns(table):
        return rows
    assert isinstance(load, Partitioned), "else there are no partitions"
    windows = [time_window_of(load, [key]) for key in keys]
    starts = [window.start for window in windows]
    days = [window.start.date() for window in windows]
    for value, count in tables.rows_by_minute(table, column, starts[0], windows[-1].end):
        when = as_date_or_time(value)
        if when is None:
            continue
        place = bisect_right(starts if isinstance(when, datetime) else days, when) - 1
        if place >= 0 and windows[place].contains(when):
            rows[keys[place]] += count
    return rows
