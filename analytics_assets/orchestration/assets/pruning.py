"""Rows that a load has not brought: deleted if the policy or the launchpad says so."""

from collections.abc import Mapping, Sequence
from typing import Any

from analytics_assets.config.api import Api
from analytics_assets.config.errors import AnalyticsAssetsError
from analytics_assets.config.load import Partitioned
from analytics_assets.extract.incremental.window_check import ROWS_OUTSIDE
from analytics_assets.orchestration.metadata import (
    COMPLETE,
    ROWS_DROPPED,
    ROWS_PRUNED,
    ROWS_RECEIVED,
    ROWS_REJECTED,
    ROWS_TO_PRUNE,
    loads_of,
)
from analytics_assets.orchestration.partitions.definition import in_words, time_window_of
from analytics_assets.warehouse.tables import Span, Tables


class RowsNotDroppedError(AnalyticsAssetsError):
    """A load does not prove that the rows it has not brought are gone."""


def drop(
    tables: Tables, api: Api, resource: str, load: Mapping[str, Any], partitions: Sequence[str]
) -> dict[str, int]:
    """Delete the rows that a load has not brought, as was confirmed; but never all there are.

    Nor those that the API may still have: where rows were left out or rejected, or are of other
    days than were asked for, that a row did not come does not say that it is gone.

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
        RowsNotDroppedError: none would be left, or some of them may still be there.
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
    if gone:
        _refuse_what_is_not_proven_gone(table, load, gone)
    if gone and not tables.rows_of_loads(table, loads, span):
        of = f" of {in_words(partitions)}" if partitions else ""
        raise RowsNotDroppedError(
            f"`refresh: drop_data` would leave no row{of} in `{table}`, as the API gave none. The "
            f"{gone} that are there stay."
        )
    tables.delete_rows_of_other_loads(table, loads, span)
    return {ROWS_DROPPED: gone}


def _refuse_what_is_not_proven_gone(table: str, load: Mapping[str, Any], gone: int) -> None:
    rejected, outside, received = load[ROWS_REJECTED], load.get(ROWS_OUTSIDE), load[ROWS_RECEIVED]
    if not load[COMPLETE]:
        found = "the read was not complete"
        mend = "Let the entry's `paginator` read to the API's last row"
    elif rejected:
        found = f"{rejected} of {received} rows were rejected"
        mend = "Look into `rejected_rows` and mend them, or the contract"
    elif outside:
        found = f"{outside} of {received} rows are of other days than the API was asked for"
        mend = "Correct `timezone` or `end_is_inclusive` in `window` of the resource's policy"
    else:
        return
    raise RowsNotDroppedError(
        f"`refresh: drop_data` would delete {gone} rows of `{table}` that have not come, though "
        f"the API may still have them, as {found}. They stay, beside the rows that came. {mend}, "
        "and run it again."
    )


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
