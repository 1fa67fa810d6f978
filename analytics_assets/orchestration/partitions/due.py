"""Runs that are due: the loads by which all tables are complete."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter

import dagster as dg

from analytics_assets.config.load import Partitioned
from analytics_assets.config.resource import ResourceConfig
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.orchestration.partitions.definition import (
    due_partitions,
    missing_partitions,
    partitions_until,
    ranges,
)
from analytics_assets.orchestration.partitions.lost import is_as_loaded, lost_partitions
from analytics_assets.warehouse.queries.tables import Tables


@dataclass(frozen=True)
class DueRun:
    """A run that is due.

    Args:
        resources: the resources to load.
        partitions: consecutive partitions to load of each; empty for resources without.
    """

    resources: Sequence[ResourceConfig]
    partitions: Sequence[str] = ()

    @property
    def names(self) -> list[str]:
        """The resources' names with those of their APIs."""
        return [each.full_name for each in self.resources]


def due_runs(
    instance: dg.DagsterInstance,
    tables: Mapping[str, Tables],
    resources: Sequence[ResourceConfig],
    now: datetime,
) -> list[DueRun]:
    """Return the runs that are due.

    Args:
        instance: holds the event log.
        tables: the open warehouse of each API.
        resources: the resources to look at.
        now: the moment.

    Returns:
        One run for the resources without partitions, and one per window of partitions that were
        never loaded as a whole, have lost rows, or may have been restated; a window is at most
        `longest_window` partitions, and its run loads all resources that have it.
    """
    return runs_of(
        (resource, _due(instance, tables[resource.api_name], resource, now))
        for resource in resources
    )


def _due(
    instance: dg.DagsterInstance, tables: Tables, resource: ResourceConfig, now: datetime
) -> Sequence[str]:
    """Return the partitions that are due, oldest first; none of a resource without."""
    load = resource.policy.load
    if not isinstance(load, Partitioned):
        return ()
    keys = partitions_until(load, now)
    due = set(due_partitions(load, now))
    due.update(missing_partitions(instance, asset_key(resource), load, keys))
    if not is_as_loaded(instance, tables, resource):
        due.update(lost_partitions(instance, tables, resource, keys))
    return [key for key in keys if key in due]


def runs_of(wanted: Iterable[tuple[ResourceConfig, Sequence[str]]]) -> list[DueRun]:
    """Return the runs that load some partitions of each resource.

    Args:
        wanted: each resource with the partitions to load, oldest first; those of a resource that
            has none are ignored.

    Returns:
        One run for the resources without partitions, and one per window, see `due_runs`.
    """
    together: dict[tuple[str, ...], list[ResourceConfig]] = defaultdict(list)
    for resource, keys in wanted:
        load = resource.policy.load
        if not isinstance(load, Partitioned):
            together[()].append(resource)
            continue
        for window in ranges(load, keys, load.longest_window):
            together[tuple(window)].append(resource)
    return [
        DueRun(names, partitions)
        for partitions, names in sorted(together.items(), key=itemgetter(0))
    ]
