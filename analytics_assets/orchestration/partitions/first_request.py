"""The parameters of a request for some rows of a resource, as a load would send them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from analytics_assets.config.load import Incremental, Partitioned
from analytics_assets.config.resource import ResourceConfig
from analytics_assets.config.times.window import TimeWindow
from analytics_assets.orchestration.partitions.definition import finished_partitions, time_window_of


def newest_window(
    resource: ResourceConfig, now: datetime, most: int | None = None
) -> TimeWindow | None:
    """Return the window of the newest finished partitions of a resource.

    Args:
        resource: the resource.
        now: the moment up to which partitions have ended.
        most: the most partitions; None for as many as a scheduled load asks for.

    Returns:
        The window; None if no partition has ended yet, or if the resource has none.
    """
    load = resource.policy.load
    if not isinstance(load, Partitioned):
        return None
    longest = min(load.longest_window, load.longest_request or load.longest_window)
    usual = min(load.lookback + 1, longest)
    keys = finished_partitions(load, now)[-min(most or usual, longest) :]
    return time_window_of(load, keys) if keys else None


def params_of(
    resource: ResourceConfig, window: TimeWindow | None, since: datetime | None = None
) -> Mapping[str, Any]:
    """Return the parameters of a request: of a window, or of changes since a time.

    Args:
        resource: the resource.
        window: the window of a partitioned resource, see `newest_window`.
        since: the time for an incremental one; None for `initial_value`.

    Returns:
        Their values by their places, see `Place`.
    """
    load = resource.policy.load
    if isinstance(load, Incremental):
        form = resource.policy.time_formats.get(load.field)
        return load.values(since or load.start, form)
    return window.params if window else {}
