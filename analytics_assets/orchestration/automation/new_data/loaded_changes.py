"""The newest changes in tables, by their last loads."""

from collections.abc import Sequence, Set
from datetime import datetime

import dagster as dg

from analytics_assets.contract.resource import Resource
from analytics_assets.orchestration.automation.new_data.requested_runs import change_name
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.orchestration.metadata.names import NEWEST_CHANGE
from analytics_assets.orchestration.runs.materializations import last_loads, plain_metadata

AT_ONCE = 500  # tables of a query; SQLite allows 999 variables in some builds


class LoadedChanges:
    """Looks up the newest changes in tables after their last loads by any run.

    Those of partitions are looked up again once their table has another last load.
    """

    def __init__(self) -> None:
        self._of_partitions: dict[tuple[str, int], str | None] = {}  # by name and the last load

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
        loads = _last_loads(instance, {asset_key(resource) for resource, _ in windows})
        known, self._of_partitions = self._of_partitions, {}
        found = dict[str, str | None]()
        for resource, window in windows:
            asset, name = asset_key(resource), change_name(resource, window)
            if (last := loads.get(asset)) is None:
                continue
            number, load = last
            if not window:
                found[name] = plain_metadata(load).get(NEWEST_CHANGE)
                continue
            key = name, number
            if key not in known:
                known[key] = _oldest_of_partitions(instance, asset, window)
            found[name] = self._of_partitions[key] = known[key]
        return {name: datetime.fromisoformat(each) for name, each in found.items() if each}


def _last_loads(
    instance: dg.DagsterInstance, assets: Set[dg.AssetKey]
) -> dict[dg.AssetKey, tuple[int, dg.AssetMaterialization]]:
    """Return the last materialization of each asset that has one, and its number."""
    keys, found = list(assets), dict[dg.AssetKey, tuple[int, dg.AssetMaterialization]]()
    for start in range(0, len(keys), AT_ONCE):
        for record in instance.get_asset_records(keys[start : start + AT_ONCE]):
            entry = record.asset_entry
            number, event = entry.last_materialization_storage_id, entry.last_materialization
            if number and event and event.asset_materialization:
                found[entry.asset_key] = number, event.asset_materialization
    return found


def _oldest_of_partitions(
    instance: dg.DagsterInstance, asset: dg.AssetKey, window: Sequence[str]
) -> str | None:
    """Return the oldest of the newest changes of partitions; None if one was never loaded."""
    loads = last_loads(instance, asset, window)
    moments = [load.metadata.get(NEWEST_CHANGE) for load in loads.values()]
    known = [str(moment) for moment in moments if moment]
    return min(known, key=datetime.fromisoformat) if len(known) == len(window) else None
