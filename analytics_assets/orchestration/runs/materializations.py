"""What Dagster remembers of the loads of an asset."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import dagster as dg

from analytics_assets.orchestration.metadata import LOAD_ID, loads_of

PAGE = 500  # of materializations that are fetched at once


class PastLoad(NamedTuple):
    """The last load of a partition.

    Args:
        began: when it began; if it brought no rows, when it was over.
        metadata: what was told of it, as plain values.
    """

    began: datetime
    metadata: Mapping[str, Any]


def newest_first(
    instance: dg.DagsterInstance, asset: dg.AssetKey
) -> Iterator[tuple[str, dg.AssetMaterialization]]:
    """Go through materializations, each with the id of the run that it is from.

    Args:
        instance: what remembers them.
        asset: the asset.
    """
    cursor, more = None, True
    while more:
        found = instance.fetch_materializations(asset, limit=PAGE, cursor=cursor)
        for record in found.records:
            if record.asset_materialization:
                yield record.run_id, record.asset_materialization
        cursor, more = found.cursor, found.has_more


def last_loads(
    instance: dg.DagsterInstance, asset: dg.AssetKey, keys: Sequence[str]
) -> dict[str, PastLoad]:
    """Return the last load of each partition that was loaded.

    Args:
        instance: what remembers them.
        asset: the asset.
        keys: the partitions in question.
    """
    if not keys:  # Dagster 1.13 takes that for all of them
        return {}
    newest = instance.get_latest_storage_id_by_partition(
        asset, dg.DagsterEventType.ASSET_MATERIALIZATION, set(keys)
    )
    ids, loads = list(newest.values()), dict[str, PastLoad]()
    for start in range(0, len(ids), PAGE):
        wanted = dg.AssetRecordsFilter(asset_key=asset, storage_ids=ids[start : start + PAGE])
        for record in instance.fetch_materializations(wanted, limit=PAGE).records:
            event = record.asset_materialization
            if event and event.partition:
                metadata = {name: value.value for name, value in event.metadata.items()}
                loads[event.partition] = PastLoad(_began(record.timestamp, metadata), metadata)
    return loads


def _began(told: float, metadata: Mapping[str, Any]) -> datetime:
    """Return when a load began: dlt calls it after that moment, in seconds since 1970."""
    load = loads_of(metadata)[0] if LOAD_ID in metadata else ""
    try:
        return datetime.fromtimestamp(min(float(load), told), UTC)
    except ValueError:  # it brought no rows
        return datetime.fromtimestamp(told, UTC)
