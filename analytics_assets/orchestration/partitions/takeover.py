"""The takeover of partitions that the warehouse has, and Dagster's history does not.

A new Dagster instance knows of no load. It takes over once, for each table, what the warehouse
notes as loaded; rows that are lost since then are found by the counts of the note.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import dagster as dg

from analytics_assets.config.errors import AnalyticsAssetsError
from analytics_assets.config.load import Partitioned
from analytics_assets.config.resource import ResourceConfig
from analytics_assets.config.text.quantities import count
from analytics_assets.orchestration.compat import store_value
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.orchestration.metadata.names import (
    LOAD_ID,
    NEWEST_CHANGE,
    NO_LOAD_ID,
    PARTITION_ROW_COUNT,
    ROWS_MARKED_DELETED,
)
from analytics_assets.orchestration.partitions.compat import store_materializations
from analytics_assets.orchestration.partitions.definition import partitions_of, partitions_until
from analytics_assets.warehouse.queries.loaded_partitions import LoadedPartition
from analytics_assets.warehouse.queries.tables import Tables
from analytics_assets.warehouse.warehouse import Warehouse

INTERVAL = timedelta(minutes=5)  # between two looks at a warehouse that has no note yet
PATIENCE = 2.0  # seconds to wait for a load that has the DuckDB file open
AT_ONCE = 500  # materializations in a transaction
DESCRIPTION = "Found in the warehouse, as another Dagster instance has loaded it."


class Takeover(NamedTuple):
    """The takeover of a table's partitions.

    Args:
        resource: the resource.
        partitions: the partitions that Dagster's history has got, oldest first.
    """

    resource: ResourceConfig
    partitions: Sequence[str]

    def __str__(self) -> str:
        """Return a sentence for logs."""
        found = count(len(self.partitions), "loaded partition")
        first, last = self.partitions[0], self.partitions[-1]
        span = first if first == last else f"{first} to {last}"
        return f"Found {found} of {self.resource.full_name} in the warehouse: {span}."


def not_taken_over(
    instance: dg.DagsterInstance, resources: Sequence[ResourceConfig]
) -> list[ResourceConfig]:
    """Return the partitioned resources whose partitions this instance has not taken over yet."""
    keys = {_key(each): each for each in resources if isinstance(each.policy.load, Partitioned)}
    done = instance.run_storage.get_cursor_values(set(keys)) if keys else {}
    return [resource for key, resource in keys.items() if key not in done]


def take_over(
    instance: dg.DagsterInstance,
    tables: Mapping[str, Tables],
    resources: Sequence[ResourceConfig],
    now: datetime,
) -> Iterator[Takeover]:
    """Record the partitions that the warehouse notes as loaded, once for each table.

    Args:
        instance: holds the event log.
        tables: the open warehouse of each API.
        resources: the resources to look at.
        now: the moment up to which there are partitions.

    Yields:
        Those of a resource, where there are some that the instance did not know. A table without a
        note is looked at again the next time.
    """
    for resource in not_taken_over(instance, resources):
        of_api = tables[resource.api_name]
        found = record_noted(instance, of_api, resource, now)
        if not of_api.loaded_partitions(resource).is_empty():
            store_value(instance, _key(resource), now.isoformat())
        if found:
            yield Takeover(resource, found)


def record_noted(
    instance: dg.DagsterInstance, tables: Tables, resource: ResourceConfig, now: datetime
) -> list[str]:
    """Record the partitions that the warehouse notes as loaded, and the instance does not know.

    Args:
        instance: holds the event log.
        tables: the open warehouse.
        resource: a partitioned resource.
        now: the moment up to which there are partitions.

    Returns:
        The partitions, oldest first.
    """
    found = _unknown(instance, tables, resource, now)
    for start in range(0, len(found), AT_ONCE):
        events = [_event(resource, each) for each in found[start : start + AT_ONCE]]
        store_materializations(instance, events)
    return [each.key for each in found]


def _unknown(
    instance: dg.DagsterInstance, tables: Tables, resource: ResourceConfig, now: datetime
) -> list[LoadedPartition]:
    """Return the partitions that are loaded, and unknown to the instance, oldest first.

    Those of another time zone are other spans of time. A load that began before the end of its
    partition has not loaded all of it; with `include_unfinished` such are counted as missing.
    """
    load = resource.policy.load
    assert isinstance(load, Partitioned), "others are not looked at"
    noted = {each.key: each for each in tables.loaded_partitions(resource).all()}
    known = instance.get_materialized_partitions(asset_key(resource)) if noted else set()
    keys = [key for key in partitions_until(load, now) if key in noted and key not in known]
    window_of = partitions_of(load).time_window_for_partition_key
    return [
        noted[key]
        for key in keys
        if noted[key].timezone == load.timezone
        and (load.include_unfinished or noted[key].loaded_at >= window_of(key).end)
    ]


def _event(
    resource: ResourceConfig, noted: LoadedPartition
) -> tuple[dg.AssetMaterialization, float]:
    """Return the materialization of a load, and the moment of the load."""
    metadata: Mapping[str, Any] = {
        PARTITION_ROW_COUNT: noted.rows,
        LOAD_ID: noted.load_id or NO_LOAD_ID,
        ROWS_MARKED_DELETED: noted.rows_deleted or None,
        NEWEST_CHANGE: noted.newest_change,
    }
    event = dg.AssetMaterialization(
        asset_key(resource),
        DESCRIPTION,
        {name: value for name, value in metadata.items() if value is not None},
        noted.key,
    )
    return event, noted.loaded_at.timestamp()


def _key(resource: ResourceConfig) -> str:
    return f"analytics_assets/taken_over/{resource.full_name}"


class Takeovers:
    """Takes over the partitions of a project, in ticks of a sensor.

    Args:
        resources: the resources of all APIs.
    """

    def __init__(self, resources: Sequence[ResourceConfig]) -> None:
        self._waiting = [each for each in resources if isinstance(each.policy.load, Partitioned)]
        self._looked: dict[str, datetime] = {}

    def tick(self, instance: dg.DagsterInstance, now: datetime, until: float) -> Iterator[str]:
        """Take over what the warehouses have, and yield sentences about it.

        A warehouse that cannot be opened, such as a DuckDB file into which a run loads, is looked
        at again five minutes later, as is one without a note. The process of the sensor may be
        one without the warehouse's settings.

        Args:
            instance: holds the event log.
            now: the moment.
            until: the reading of the monotonic clock at which to stop.
        """
        self._waiting = not_taken_over(instance, self._waiting)
        for api in dict.fromkeys(each.api_name for each in self._waiting):
            if api in self._looked and now - self._looked[api] < INTERVAL:
                continue
            if time.monotonic() >= until:
                return
            try:
                yield from self._of_api(instance, api, now, until)
            except AnalyticsAssetsError as error:
                self._looked[api] = now
                yield f"The warehouse was not asked for loaded partitions of {api}: {error}"

    def _of_api(
        self, instance: dg.DagsterInstance, api: str, now: datetime, until: float
    ) -> Iterator[str]:
        warehouse, resources = Warehouse.from_settings(api), self._waiting
        file = warehouse.duckdb_file
        if file is None or file.exists():
            with replace(warehouse, lock_patience=PATIENCE).open() as tables:
                for resource in [each for each in resources if each.api_name == api]:
                    if time.monotonic() >= until:
                        return
                    yield from map(str, take_over(instance, {api: tables}, [resource], now))
        self._looked[api] = now
