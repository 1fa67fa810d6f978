"""Partitions with fewer rows in the table than were loaded."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from analytics_assets.config.resource import ResourceConfig
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.orchestration.metadata.load import written_load_ids
from analytics_assets.orchestration.metadata.names import (
    LOAD_ID,
    PARTITION_ROW_COUNT,
    ROW_COUNT,
    ROWS_ELSEWHERE,
    ROWS_MARKED_DELETED,
)
from analytics_assets.orchestration.partitions.row_counts import row_counts
from analytics_assets.orchestration.runs.check_results import last_results
from analytics_assets.orchestration.runs.materializations import (
    last_loads,
    newest_first,
    plain_metadata,
)
from analytics_assets.warehouse.queries.history import has_loads
from analytics_assets.warehouse.queries.tables import Tables

CHECK = "lost_partitions"


def is_as_loaded(instance: dg.DagsterInstance, tables: Tables, resource: ResourceConfig) -> bool:
    """Test if nothing is lost, by the check of the last load and the number of the table's rows.

    Rows that somebody has exchanged for as many others are found by the check of the whole table.

    Args:
        instance: holds the event log.
        tables: the open warehouse.
        resource: a partitioned resource.
    """
    asset = asset_key(resource)
    check = dg.AssetCheckKey(asset, CHECK)
    result = last_results(instance, [check]).get(check)
    checked = result.target_materialization_data if result and result.passed else None
    run, event = next(newest_first(instance, asset), ("", None))
    if checked is None or event is None or checked.run_id != run:
        return False
    load, table = plain_metadata(event), resource.table
    return (
        bool(tables.columns(table))
        and tables.row_count(table) == load.get(ROW_COUNT)
        and has_loads(tables, written_load_ids(load))
    )


def lost_partitions(
    instance: dg.DagsterInstance, tables: Tables, resource: ResourceConfig, keys: Sequence[str]
) -> list[str]:
    """Return the partitions with fewer rows in the table than after their last load.

    Either the warehouse is not the one of Dagster's history, or is an older copy of it; or rows of
    other partitions with the same keys have replaced rows of these. Where the API marks rows as
    deleted, fewer rows are no loss, but none is.

    Args:
        instance: holds the event log.
        tables: the open warehouse.
        resource: a partitioned resource.
        keys: the partitions to look up, oldest first.
    """
    rows = row_counts(tables, resource, keys)
    loads = last_loads(instance, asset_key(resource), keys)
    loaded = {key: load.metadata.get(PARTITION_ROW_COUNT, 0) for key, load in loads.items()}
    # each load's own number, which all its partitions have
    deletes = {
        load.metadata.get(LOAD_ID, key): load.metadata.get(ROWS_MARKED_DELETED, 0)
        for key, load in loads.items()
    }
    if not (deleted := sum(deletes.values())):
        return [key for key in keys if rows[key] < loaded.get(key, 0)]
    # rows of any partition were deleted since: one is lost if it has none, and had more than those
    return [key for key in keys if not rows[key] and loaded.get(key, 0) > deleted]


def rows_elsewhere(
    instance: dg.DagsterInstance,
    resource: ResourceConfig,
    before: Mapping[str, Any],
    load: Mapping[str, Any],
    rows: Mapping[str, int],
) -> dict[str, int]:
    """Return, as metadata, by how much a load has changed the number of rows elsewhere.

    These are the rows of the table that are not of the load's partitions. Their number before is
    by the metadata of earlier loads; if it changes, rows of the load have replaced some of them,
    or somebody else has changed the table.

    Args:
        instance: holds the event log, without the load.
        resource: a partitioned resource, or another one, for which nothing is returned.
        before: the metadata of the load before.
        load: the metadata of the load so far.
        rows: the rows of each partition of the load, in the table.
    """
    if not rows or not isinstance(before.get(ROW_COUNT), int):
        return {}
    loads = last_loads(instance, asset_key(resource), list(rows)).values()
    earlier = before[ROW_COUNT] - sum(each.metadata.get(PARTITION_ROW_COUNT, 0) for each in loads)
    return {ROWS_ELSEWHERE: load[ROW_COUNT] - sum(rows.values()) - earlier}
