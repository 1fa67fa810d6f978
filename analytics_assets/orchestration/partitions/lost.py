"""Partitions of which the table holds fewer rows than were loaded."""

from collections.abc import Sequence

import dagster as dg

from analytics_assets.config.api import Api
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.orchestration.metadata import PARTITION_ROW_COUNT
from analytics_assets.orchestration.partitions.row_counts import rows_of_partitions
from analytics_assets.orchestration.runs.materializations import last_loads
from analytics_assets.warehouse.tables import Tables


def lost_partitions(
    instance: dg.DagsterInstance, tables: Tables, api: Api, resource: str, keys: Sequence[str]
) -> list[str]:
    """Return the partitions of which the table has fewer rows than after their last load.

    That is so when the warehouse is another one, or an older copy, and what Dagster knows is of the
    one before: for Dagster, all is loaded. And it is so when rows of other partitions have the same
    keys, and took the place of theirs.

    Args:
        instance: what remembers the loads.
        tables: the open warehouse.
        api: the API.
        resource: a resource that is loaded by partitions.
        keys: the partitions in question, the oldest first.
    """
    rows = rows_of_partitions(tables, api, resource, keys)
    loads = last_loads(instance, asset_key(api, resource), keys)
    told = {key: load.metadata.get(PARTITION_ROW_COUNT, 0) for key, load in loads.items()}
    return [key for key in keys if rows[key] < told.get(key, 0)]
