"""The last load of an asset, for its checks."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import dagster as dg

from analytics_assets.orchestration.metadata.load import written_load_ids
from analytics_assets.orchestration.metadata.names import COLUMN_SCHEMA
from analytics_assets.orchestration.runs.materializations import newest_first, plain_metadata


class LastLoad(NamedTuple):
    """The load of the last run that materialized an asset.

    Args:
        metadata: its metadata; empty if the asset was never loaded.
        partitions: the partitions that it loaded, oldest first.
        columns_before: the table's columns after the load before it.
        run_id: its run; empty if the asset was never loaded.
        run_before: the run of the load before it; empty if there is none.
        load_ids_before: dlt's ids of the load before it; empty if that wrote nothing.
    """

    metadata: Mapping[str, Any]
    partitions: Sequence[str]
    columns_before: dg.TableSchema | None
    run_id: str = ""
    run_before: str = ""
    load_ids_before: Sequence[str] = ()


def last_load(instance: dg.DagsterInstance, asset: dg.AssetKey, run_id: str) -> LastLoad:
    """Return the last load of an asset by a run.

    What was recorded without one, such as loads of another instance, says nothing of a load.

    Args:
        instance: holds the event log.
        asset: the asset.
        run_id: the run of the checks. If it has loaded nothing itself, the columns before are
            those after the last load.
    """
    last_run, run_before, events = "", "", list[dg.AssetMaterialization]()
    before: dg.AssetMaterialization | None = None
    for run, event in newest_first(instance, asset):
        if not run:
            continue
        last_run = last_run or run
        if run != last_run:
            run_before, before = run, event
            break
        events.append(event)
    if events and last_run != run_id:
        run_before, before = last_run, events[0]
    columns = before.metadata.get(COLUMN_SCHEMA) if before else None
    schema = columns.value if columns else None
    return LastLoad(
        plain_metadata(events[0]) if events else {},
        sorted({event.partition for event in events if event.partition}),
        schema if isinstance(schema, dg.TableSchema) else None,
        last_run,
        run_before,
        written_load_ids(plain_metadata(before)) if before else (),
    )
