"""Partitions with fewer rows in the table than were loaded."""

from collections.abc import Sequence

import dagster as dg

from analytics_assets.config.resource import ResourceConfig
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.orchestration.metadata.names import (
    LOAD_ID,
    PARTITION_ROW_COUNT,
    ROWS_MARKED_DELETED,
)
from analytics_assets.orchestration.partitions.row_counts import row_counts
from analytics_assets.orchestration.runs.materializations import last_loads
from analytics_assets.warehouse.queries.tables import Tables


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
