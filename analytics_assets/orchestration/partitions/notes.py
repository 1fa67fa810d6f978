"""The note of loaded partitions in the warehouse, beside their rows.

It has what Dagster's history has of each partition, for an instance without that history.
"""

import logging
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from dlt.destinations.exceptions import DatabaseException

from analytics_assets.config.resource import LOADED_PARTITIONS, ResourceConfig
from analytics_assets.config.times.timestamps import parse_timestamp
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.orchestration.metadata.load import (
    lacks_rows,
    misses_all,
    rejects_all,
    written_load_ids,
)
from analytics_assets.orchestration.metadata.names import (
    COMPLETE,
    DROPPED_SINCE,
    LOAD_ID,
    NEWEST_CHANGE,
    PARTITION_ROW_COUNT,
    ROWS_MARKED_DELETED,
)
from analytics_assets.orchestration.partitions.definition import partitioned, partitions_until
from analytics_assets.orchestration.partitions.lost import lost_partitions
from analytics_assets.orchestration.runs.materializations import (
    PartitionLoad,
    last_loads,
    newest_metadata,
    start_of,
)
from analytics_assets.warehouse.queries.history import has_loads
from analytics_assets.warehouse.queries.loaded_partitions import LoadedPartition
from analytics_assets.warehouse.queries.tables import Tables


def note_loaded(
    instance: dg.DagsterInstance,
    tables: Tables,
    resource: ResourceConfig,
    load: Mapping[str, Any],
    rows: Mapping[str, int],
    log: logging.Logger,
) -> None:
    """Note the partitions of a load that has brought all rows which the API has.

    Otherwise notes of earlier loads stay. To fail at it is a warning, as the rows are there. The
    first load into a warehouse without a note, such as one of an earlier release, also notes what
    Dagster's history has.

    Args:
        instance: holds the event log, without the load.
        tables: the open warehouse.
        resource: a partitioned resource.
        load: the metadata of the load.
        rows: the rows of each partition of the load, in the table.
        log: that of the run.
    """
    if not rows or not _is_proven(resource, load):
        return
    now = datetime.now(UTC)
    noted = tables.loaded_partitions(resource)
    try:
        known = dict[str, LoadedPartition]()
        if noted.is_empty():
            known |= {each.key: each for each in recorded(instance, tables, resource, now)}
        for key, count in rows.items():
            known[key] = _partition(resource, key, count, load, now.timestamp())
        if since := parse_timestamp(load.get(DROPPED_SINCE)):  # earlier loads lack values
            known = {key: each for key, each in known.items() if each.loaded_at >= since}
        noted.store(list(known.values()))
    except DatabaseException as error:
        log.warning(
            f"The partitions of this load are not noted in `{LOADED_PARTITIONS}`, so that a new "
            f"Dagster instance would load them again: {error}"
        )


def _is_proven(resource: ResourceConfig, load: Mapping[str, Any]) -> bool:
    overlap = partitioned(resource).requests_overlap
    return not (lacks_rows(load, overlap) or rejects_all(load) or misses_all(load))


def recorded(
    instance: dg.DagsterInstance, tables: Tables, resource: ResourceConfig, now: datetime
) -> Iterator[LoadedPartition]:
    """Yield the complete partitions of Dagster's history, if they are in this warehouse.

    Args:
        instance: holds the event log.
        tables: the open warehouse.
        resource: a partitioned resource.
        now: the moment up to which there are partitions.
    """
    asset = asset_key(resource)
    if not has_loads(tables, written_load_ids(newest_metadata(instance, asset))):
        return  # the history of another warehouse
    keys = partitions_until(partitioned(resource), now)
    lost = set(lost_partitions(instance, tables, resource, keys))
    loads = last_loads(instance, asset, keys)
    # the last partition of a load alone has its completeness
    limited = {each.metadata.get(LOAD_ID) for each in loads.values() if not _is_complete(each)}
    for key, load in loads.items():
        rows = load.metadata.get(PARTITION_ROW_COUNT)
        if key not in lost and rows is not None and load.metadata.get(LOAD_ID) not in limited:
            yield _partition(resource, key, rows, load.metadata, load.began.timestamp())


def _is_complete(load: PartitionLoad) -> bool:
    return bool(load.metadata.get(COMPLETE, True))


def _partition(
    resource: ResourceConfig, key: str, rows: int, load: Mapping[str, Any], recorded: float
) -> LoadedPartition:
    return LoadedPartition(
        key,
        partitioned(resource).timezone,
        start_of(recorded, load),
        ", ".join(written_load_ids(load)) or None,
        rows,
        load.get(ROWS_MARKED_DELETED, 0),
        load.get(NEWEST_CHANGE),
    )
