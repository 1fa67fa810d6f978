"""Deletion of rows that a load did not bring, by the policy or the run config."""

from collections.abc import Mapping, Sequence
from typing import Any

from analytics_assets.config.errors import AnalyticsAssetsError
from analytics_assets.config.load import Partitioned
from analytics_assets.config.resource import ResourceConfig
from analytics_assets.config.text.quantities import count, number
from analytics_assets.contract.resource import Resource
from analytics_assets.orchestration.assets.run_config import LoadConfig
from analytics_assets.orchestration.metadata.load import load_ids
from analytics_assets.orchestration.metadata.names import (
    COMPLETE,
    ROW_COUNT,
    ROWS_DROPPED,
    ROWS_OF_LOAD,
    ROWS_OUTSIDE,
    ROWS_PRUNED,
    ROWS_RECEIVED,
    ROWS_REJECTED,
    ROWS_TO_PRUNE,
)
from analytics_assets.orchestration.partitions.definition import time_window_of
from analytics_assets.orchestration.runs.tags import range_name
from analytics_assets.warehouse.queries.tables import Span, Tables


class RowsNotDroppedError(AnalyticsAssetsError):
    """A load does not prove that the rows which it did not bring are gone."""


def delete_rows(
    tables: Tables,
    resource: Resource,
    config: LoadConfig,
    load: Mapping[str, Any],
    partitions: Sequence[str],
) -> dict[str, Any]:
    """Delete the rows that the API no longer has, if configured; return the counts.

    Args:
        tables: the open warehouse.
        resource: the resource.
        config: the config of the run.
        load: the metadata of the load so far.
        partitions: the partitions of the load, empty if the resource has none.
    """
    counts = dict[str, Any]()
    if resource.loads_every_row and tables.columns(resource.table):
        counts[ROWS_OF_LOAD] = tables.rows_of_loads(resource.table, load_ids(load))
    if config.drops_data:
        counts |= drop_other_rows(tables, resource, load, partitions)
    elif resource.policy.prune:
        counts |= prune(tables, resource, load)
    return counts


def drop_other_rows(
    tables: Tables, resource: ResourceConfig, load: Mapping[str, Any], partitions: Sequence[str]
) -> dict[str, int]:
    """Delete the rows that a load did not bring, but never all rows.

    dlt's own `refresh="drop_data"` empties the table before the new rows are loaded, so that a
    failed load would leave it empty. Rows stay if the API may still have them: if rows were left
    out or rejected, or belong to other days than the request.

    Args:
        tables: the open warehouse.
        resource: the resource.
        load: the metadata of the load.
        partitions: the loaded partitions, to which the deletion is limited; empty if the resource
            has none.

    Returns:
        The number of deleted rows, as metadata.

    Raises:
        RowsNotDroppedError: no row would be left, or deleted rows may still exist.
        SpanUnknownError: the date column does not show which rows belong to the partitions.
    """
    table, loads, policy = resource.table, load_ids(load), resource.policy
    if not tables.columns(table):
        return {ROWS_DROPPED: 0}
    span = None
    if isinstance(policy.load, Partitioned):
        window = time_window_of(policy.load, partitions)
        span = Span(str(policy.date_column), window.start, window.end)
    other = tables.rows_of_other_loads(table, loads, span)
    if other:
        _refuse_unproven(table, load, other)
    if other and not tables.rows_of_loads(table, loads, span):
        of = f" of {range_name(partitions)}" if partitions else ""
        raise RowsNotDroppedError(
            f"`refresh: drop_data` would leave no row{of} in `{table}`, as the API gave none. The "
            f"{count(other, 'row in it stays', 'rows in it stay')}."
        )
    tables.delete_rows_of_other_loads(table, loads, span)
    return {ROWS_DROPPED: other}


def _refuse_unproven(table: str, load: Mapping[str, Any], other: int) -> None:
    rejected, outside, received = load[ROWS_REJECTED], load.get(ROWS_OUTSIDE), load[ROWS_RECEIVED]
    if not load[COMPLETE]:
        found = "the read was not complete"
        advice = "Correct the entry's `paginator`, so that it reads to the API's last row"
    elif rejected:
        found = (
            f"{number(rejected)} of {count(received, 'row')} {'was' if rejected == 1 else 'were'} "
        )
        found += "rejected"
        advice = "Correct the rows in `rejected_rows`, or the contract"
    elif outside:
        belong = "belongs" if outside == 1 else "belong"
        found = (
            f"{number(outside)} of {count(received, 'row')} {belong} to other days than the request"
        )
        advice = "Correct `timezone` or `end_is_inclusive` in `window` of the resource's policy"
    else:
        return
    raise RowsNotDroppedError(
        f"`refresh: drop_data` would delete {count(other, 'row')} of `{table}` that the API may "
        "still "
        f"have, as {found}. What is in the table stays, beside the rows of this load. {advice}, "
        "and run it again."
    )


def prune(tables: Tables, resource: ResourceConfig, load: Mapping[str, Any]) -> dict[str, int]:
    """Delete the rows that a complete load did not bring again, unless they are too many.

    Args:
        tables: the open warehouse.
        resource: the resource.
        load: the metadata of the load.

    Returns:
        The number of rows to delete, of deleted rows, and of those in the table, as metadata.
    """
    table, loads = resource.table, load_ids(load)
    if not tables.columns(table):
        return {ROWS_TO_PRUNE: 0, ROWS_PRUNED: 0, ROW_COUNT: 0}
    rows = tables.row_count(table)
    other = rows - tables.rows_of_loads(table, loads)
    allowed = resource.policy.max_pruned_share * rows
    if other > allowed or load[ROWS_REJECTED] or not load[COMPLETE]:
        return {ROWS_TO_PRUNE: other, ROWS_PRUNED: 0, ROW_COUNT: rows}
    if other:
        tables.delete_rows_of_other_loads(table, loads)
    return {ROWS_TO_PRUNE: other, ROWS_PRUNED: other, ROW_COUNT: rows - other}
