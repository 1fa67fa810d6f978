"""Partitions that were loaded, and whose rows the table no longer holds."""

from collections.abc import Sequence

import dagster as dg

from analytics_assets.asset_keys import asset_key
from analytics_assets.configuration import Api
from analytics_assets.load_metadata import PARTITION_ROW_COUNT
from analytics_assets.partition_rows import rows_of_partitions
from analytics_assets.past_loads import newest_first
from analytics_assets.tables import Tables


def lost_partitions(
    instance: dg.DagsterInstance, tables: Tables, api: Api, resource: str, keys: Sequence[str]
) -> list[str]:
    """Return the partitions of which Dagster remembers rows, and the table has none.

    That is so when the warehouse is another one, or a new one, and what Dagster knows is of the
    one before: for Dagster, all is loaded.

    Args:
        instance: what remembers the loads.
        tables: the open warehouse.
        api: the API.
        resource: a resource that is loaded by partitions.
        keys: the partitions in question, the oldest first.
    """
    rows = rows_of_partitions(tables, api, resource, keys)
    empty = [key for key in keys if not rows[key]]
    told = _rows_told(instance, asset_key(api, resource), empty)
    return [key for key in empty if told.get(key)]


def _rows_told(
    instance: dg.DagsterInstance, asset: dg.AssetKey, keys: Sequence[str]
) -> dict[str, int]:
    """Return how many rows the table had of some partitions, as each was loaded last."""
    rows: dict[str, int] = {}
    if not keys:  # Dagster would take that for all of them
        return rows
    loads = dg.AssetRecordsFilter(asset_key=asset, asset_partitions=keys)
    for _, event in newest_first(instance, loads):
        count = event.metadata.get(PARTITION_ROW_COUNT)
        rows.setdefault(str(event.partition), int(str(count.value)) if count else 0)
    return rows
