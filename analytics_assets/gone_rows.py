"""Rows that a load has not brought: deleted if the policy or the launchpad says so."""

from collections.abc import Mapping, Sequence
from typing import Any

from analytics_assets.configuration import Api
from analytics_assets.launchpad import LaunchpadError
from analytics_assets.load import Partitioned
from analytics_assets.load_metadata import (
    COMPLETE,
    ROWS_DROPPED,
    ROWS_PRUNED,
    ROWS_REJECTED,
    ROWS_TO_PRUNE,
    loads_of,
)
from analytics_assets.partitions import in_words, time_window_of
from analytics_assets.tables import Span, Tables


def drop(
    tables: Tables, api: Api, resource: str, load: Mapping[str, Any], partitions: Sequence[str]
) -> dict[str, int]:
    """Delete the rows that a load has not brought, as was confirmed; but never all there are.

    Args:
        tables: the open warehouse.
        api: the API.
        resource: the resource.
        load: what is told of the load.
        partitions: those that were loaded, to which the deletion is limited; empty if the resource
            has none.

    Returns:
        How many rows are gone, for the metadata.

    Raises:
        LaunchpadError: none would be left.
        SpanUnknownError: the table does not tell which rows are of the partitions.
    """
    table, loads, policy = api.table(resource), loads_of(load), api.policy(resource)
    if not tables.columns(table):
        return {ROWS_DROPPED: 0}
    span = None
    if isinstance(policy.load, Partitioned):
        window = time_window_of(policy.load, partitions)
        span = Span(str(policy.date_column), window.start, window.end)
    gone = tables.rows_of_other_loads(table, loads, span)
    if gone and not tables.rows_of_loads(table, loads, span):
        of = f" of {in_words(partitions)}" if partitions else ""
        raise LaunchpadError(
            f"`refresh: drop_data` would leave no row{of} in `{table}`, as the API gave none. The "
            f"{gone} that are there stay."
        )
    tables.delete_rows_of_other_loads(table, loads, span)
    return {ROWS_DROPPED: gone}


def prune(tables: Tables, api: Api, resource: str, load: Mapping[str, Any]) -> dict[str, int]:
    """Delete the rows that a complete load has not brought again, unless they are too many.

    Args:
        tables: the open warehouse.
        api: the API.
        resource: the resource.
        load: what is told of the load.

    Returns:
        How many rows were to go, and how many are gone, for the metadata.
    """
    table, loads = api.table(resource), loads_of(load)
    if not tables.columns(table):
        return {ROWS_TO_PRUNE: 0, ROWS_PRUNED: 0}
    gone = tables.rows_of_other_loads(table, loads)
    allowed = api.policy(resource).max_pruned_share * tables.row_count(table)
    if gone > allowed or load[ROWS_REJECTED] or not load[COMPLETE]:
        return {ROWS_TO_PRUNE: gone, ROWS_PRUNED: 0}
    tables.delete_rows_of_other_loads(table, loads)
    return {ROWS_TO_PRUNE: gone, ROWS_PRUNED: gone}
