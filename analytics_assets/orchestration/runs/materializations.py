"""Materializations that Dagster has recorded for an asset."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import dagster as dg

from analytics_assets.orchestration.metadata.load import load_ids
from analytics_assets.orchestration.metadata.names import DETAILS, LOAD_ID, in_words

PAGE = 500  # materializations, or assets, of a query; SQLite takes 999 variables in some builds
FIRST_PAGE = 2  # most readers look for one or two; 500 take 0.1 s
GROWTH = 4  # of a page over the one before


class PartitionLoad(NamedTuple):
    """The last load of a partition.

    Args:
        began: start of the load; its end, if it brought no rows.
        metadata: the metadata of its materialization, as plain values.
    """

    began: datetime
    metadata: Mapping[str, Any]


def newest_first(
    instance: dg.DagsterInstance, asset: dg.AssetKey
) -> Iterator[tuple[str, dg.AssetMaterialization]]:
    """Yield the id of the run and the materialization, newest first.

    Args:
        instance: holds the event log.
        asset: the asset.
    """
    cursor, has_more, limit = None, True, FIRST_PAGE
    while has_more:
        found = instance.fetch_materializations(asset, limit=limit, cursor=cursor)
        for record in found.records:
            if record.asset_materialization:
                yield record.run_id, record.asset_materialization
        cursor, has_more, limit = found.cursor, found.has_more, min(GROWTH * limit, PAGE)


def newest_of_assets(
    instance: dg.DagsterInstance, assets: Collection[dg.AssetKey]
) -> dict[dg.AssetKey, tuple[int, dg.AssetMaterialization]]:
    """Return the newest materialization of each asset that was ever loaded, and its number.

    Args:
        instance: holds the event log.
        assets: the assets.
    """
    keys, found = list(assets), dict[dg.AssetKey, tuple[int, dg.AssetMaterialization]]()
    for start in range(0, len(keys), PAGE):
        for record in instance.get_asset_records(keys[start : start + PAGE]):
            entry = record.asset_entry
            number, event = entry.last_materialization_storage_id, entry.last_materialization
            if number and event and event.asset_materialization:
                found[entry.asset_key] = number, event.asset_materialization
    return found


def last_loads(
    instance: dg.DagsterInstance, asset: dg.AssetKey, keys: Sequence[str]
) -> dict[str, PartitionLoad]:
    """Return the last load of each partition that was loaded.

    Args:
        instance: holds the event log.
        asset: the asset.
        keys: the partitions to look up.
    """
    if not keys:  # Dagster 1.13 reads an empty set as all partitions
        return {}
    newest = instance.get_latest_storage_id_by_partition(
        asset, dg.DagsterEventType.ASSET_MATERIALIZATION, set(keys)
    )
    ids, loads = list(newest.values()), dict[str, PartitionLoad]()
    for start in range(0, len(ids), PAGE):
        wanted = dg.AssetRecordsFilter(asset_key=asset, storage_ids=ids[start : start + PAGE])
        for record in instance.fetch_materializations(wanted, limit=PAGE).records:
            event = record.asset_materialization
            if event and event.partition:
                metadata = plain_metadata(event)
                loads[event.partition] = PartitionLoad(
                    start_of(record.timestamp, metadata), metadata
                )
    return loads


def newest_metadata(instance: dg.DagsterInstance, asset: dg.AssetKey) -> dict[str, Any]:
    """Return the metadata of the newest materialization of an asset as plain values, or none."""
    event = instance.get_latest_materialization_event(asset)
    newest = event.asset_materialization if event else None
    return plain_metadata(newest) if newest else {}


def plain_metadata(event: dg.AssetMaterialization | dg.AssetObservation) -> dict[str, Any]:
    """Return the metadata of an event as plain values by name, those of its details included.

    Details are those of the load, where a partition has a number of its own by the same name.
    Names are those of today, also where an earlier version of this project recorded the event.
    """
    values = {in_words(name): value.value for name, value in event.metadata.items()}
    details = values.pop(DETAILS, None)
    return {**values, **(details if isinstance(details, dict) else {})}


def start_of(recorded: float, metadata: Mapping[str, Any]) -> datetime:
    """Return the start of a load: dlt's load id is that moment, in seconds since 1970."""
    load = load_ids(metadata)[0] if LOAD_ID in metadata else ""
    try:
        return datetime.fromtimestamp(min(float(load), recorded), UTC)
    except ValueError:  # a load without rows has no id
        return datetime.fromtimestamp(recorded, UTC)
