"""The newest changes in tables, by their last loads."""

from collections.abc import Sequence
from datetime import datetime

import dagster as dg

from analytics_assets.contract.resource import Resource
from analytics_assets.orchestration.automation.new_data.requested_runs import change_name
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.orchestration.metadata.names import NEWEST_CHANGE
from analytics_assets.orchestration.runs.materializations import (
    last_loads,
    newest_of_assets,
    plain_metadata,
)


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
        loads = newest_of_assets(instance, {asset_key(resource) for resource, _ in windows})
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


def _oldest_of_partitions(
    instance: dg.DagsterInstance, asset: dg.AssetKey, window: Sequence[str]
) -> str | None:
    """Return the oldest of the newest changes of partitions; None if one was never loaded."""
    loads = last_loads(instance, asset, window)
    moments = [load.metadata.get(NEWEST_CHANGE) for load in loads.values()]
    known = [str(moment) for moment in moments if moment]
    return min(known, key=datetime.fromisoformat) if len(known) == len(window) else None
