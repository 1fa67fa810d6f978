"""The newest changes in tables, by their last loads."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import dagster as dg

from analytics_assets.contract.resource import Resource
from analytics_assets.orchestration.automation.new_data.requested_runs import change_name
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.orchestration.metadata.names import NEWEST_CHANGE
from analytics_assets.orchestration.runs.materializations import plain_metadata

AT_ONCE = 500  # tables of a query; SQLite allows 999 variables in some builds
LOADED = dg.DagsterEventType.ASSET_MATERIALIZATION


class LoadedChanges:
    """Looks up the newest changes in tables after their last loads by any run.

    The event of a load does not change, and is decoded once as long as it is the last one.
    """

    def __init__(self) -> None:
        self._moments: dict[int, str | None] = {}  # the newest change by the id of the event

    def newest(
        self, instance: dg.DagsterInstance, windows: Sequence[tuple[Resource, Sequence[str]]]
    ) -> dict[str, datetime]:
        """Return the newest change in each table, or in some of its partitions.

        For partitions it is the one after the oldest of their last loads.

        Args:
            instance: holds the event log.
            windows: the resources, each with its partitions; none for a resource without.

        Returns:
            The moments by the names of the changes, without unknown ones: those of a table, or of
            partitions with one, that no run has loaded.
        """
        known, self._moments = self._moments, {}
        tables = {asset_key(each): change_name(each, ()) for each, window in windows if not window}
        found = dict[str, str | None]()
        for keys in _parts(list(tables)):
            for record in instance.get_asset_records(keys):
                event = record.asset_entry.last_materialization
                if load := event and event.asset_materialization:
                    found[tables[load.asset_key]] = plain_metadata(load).get(NEWEST_CHANGE)
        for resource, window in windows:
            if window:
                moments = self._in_partitions(instance, asset_key(resource), window, known)
                found[change_name(resource, window)] = _oldest(moments, len(window))
        return {name: datetime.fromisoformat(each) for name, each in found.items() if each}

    def _in_partitions(
        self,
        instance: dg.DagsterInstance,
        asset: dg.AssetKey,
        window: Sequence[str],
        known: Mapping[int, str | None],
    ) -> list[str | None]:
        """Return the newest change of each partition that was loaded."""
        newest = instance.get_latest_storage_id_by_partition(asset, LOADED, set(window))
        ids = list(newest.values())
        if others := [each for each in ids if each not in known]:
            wanted = dg.AssetRecordsFilter(asset_key=asset, storage_ids=others)
            for record in instance.fetch_materializations(wanted, limit=len(others)).records:
                if load := record.asset_materialization:
                    self._moments[record.storage_id] = plain_metadata(load).get(NEWEST_CHANGE)
        self._moments |= {each: known[each] for each in ids if each in known}
        return [self._moments.get(each) for each in ids]


def _oldest(moments: Sequence[str | None], most: int) -> str | None:
    """Return the oldest of the moments; None if there are fewer, or one is unknown."""
    known = [moment for moment in moments if moment]
    return min(known, key=datetime.fromisoformat) if len(known) == most else None


def _parts(keys: Sequence[dg.AssetKey]) -> Iterator[Sequence[dg.AssetKey]]:
    """Yield some keys after the others."""
    for start in range(0, len(keys), AT_ONCE):
        yield keys[start : start + AT_ONCE]
