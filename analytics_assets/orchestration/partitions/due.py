"""What is to be loaded, at a moment, so that all tables hold all there is."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import dagster as dg

from analytics_assets.config.api import Api
from analytics_assets.config.load import Partitioned
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.orchestration.partitions.definition import (
    due_partitions,
    missing_partitions,
    partitions_until,
    range_tags,
    ranges,
)
from analytics_assets.orchestration.partitions.lost import lost_partitions
from analytics_assets.warehouse.tables import Tables


@dataclass(frozen=True)
class DueRun:
    """A run that is due.

    Args:
        resources: what it loads.
        partitions: which partitions of them; they follow on each other. Empty for resources that
            have none.
    """

    resources: Sequence[str]
    partitions: Sequence[str] = ()

    @property
    def tags(self) -> Mapping[str, str]:
        """The tags by which Dagster knows the partitions."""
        return range_tags(self.partitions) if self.partitions else {}


def due_runs(
    api: Api,
    instance: dg.DagsterInstance,
    tables: Tables,
    resources: Sequence[str],
    now: datetime,
) -> list[DueRun]:
    """Find the runs that are due.

    Args:
        api: the API.
        instance: what remembers which partitions were loaded.
        tables: the open warehouse.
        resources: the resources in question.
        now: the moment.

    Returns:
        One run for the resources without partitions, and one for each stretch of partitions that
        were never loaded as a whole, of which the table has lost rows, or that are to be taken
        again, for all resources that have it.
    """
    together: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for resource in resources:
        load = api.policy(resource).load
        if not isinstance(load, Partitioned):
            together[()].append(resource)
            continue
        keys = partitions_until(load, now)
        due = set(due_partitions(load, now))
        due.update(missing_partitions(instance, asset_key(api, resource), load, keys))
        due.update(lost_partitions(instance, tables, api, resource, keys))
        for stretch in ranges(load, [key for key in keys if key in due]):
            together[tuple(stretch)].append(resource)
    return [DueRun(names, partitions) for partitions, names in sorted(together.items())]
