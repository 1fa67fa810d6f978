"""Rows and values that are missing after a table or a column was dropped in the warehouse."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from analytics_assets.config.load import Incremental, Partitioned
from analytics_assets.config.resource import ResourceConfig
from analytics_assets.config.validation.load import has_incremental_cursor
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.orchestration.metadata.names import DROPPED, DROPPED_SINCE
from analytics_assets.orchestration.runs.materializations import (
    last_loads,
    plain_metadata,
    start_of,
)
from analytics_assets.warehouse.evolution.dropped import describe
from analytics_assets.warehouse.pipeline import LoadingPipeline
from analytics_assets.warehouse.queries.tables import open_tables


def remedy_of(resource: ResourceConfig) -> str | None:
    """Return the way to load rows of before again; None if each load reads them all."""
    if isinstance(resource.policy.load, Partitioned):
        return "Backfill the partitions that were loaded before."
    if isinstance(resource.policy.load, Incremental):
        return "Run once with `full_refresh: true`, which reads all rows again."
    if has_incremental_cursor(resource.endpoint):
        return "Run once with `refresh: drop_state`, which reads all rows again."
    if resource.rewrites_rows and resource.write_disposition["disposition"] != "append":
        return None
    return "What earlier loads have kept is not in the API: a backup alone has it."


def dropped_metadata(
    instance: dg.DagsterInstance,
    resource: ResourceConfig,
    begins_anew: bool,
    partitions: Sequence[str],
    found: Mapping[str, Sequence[str]],
    load: Mapping[str, Any],
) -> dict[str, Any]:
    """Return metadata of what was dropped, as long as rows or values of before are missing.

    Args:
        instance: holds the event log.
        resource: the resource.
        begins_anew: True if the load has read all rows, whatever earlier ones had read.
        partitions: the partitions of the load, empty if the resource has none.
        found: what this load has found missing; other tables than that of the resource and its
            child tables are left out.
        load: the metadata of the load so far.
    """
    remedy = remedy_of(resource)
    own = _own(resource, found)
    sentence = f"{_capitalized(describe(own))}: dropped in the warehouse, and made again."
    if remedy is None or (begins_anew and not partitions):
        return {DROPPED: sentence} if own else {}
    earlier = _newest_metadata(instance, asset_key(resource))
    began = start_of(datetime.now(UTC).timestamp(), load)
    since = began.isoformat() if own else earlier.get(DROPPED_SINCE)
    if not since or (partitions and not _lacking(instance, resource, partitions, since)):
        return {DROPPED: sentence} if own else {}
    if not own:
        return {name: earlier[name] for name in (DROPPED, DROPPED_SINCE)}
    return {
        DROPPED: f"{sentence} Rows that were loaded before are missing, or have no value. {remedy}",
        DROPPED_SINCE: since,
    }


def _newest_metadata(instance: dg.DagsterInstance, asset: dg.AssetKey) -> Mapping[str, Any]:
    """Return the metadata of the last load, also of one that failed and left an observation."""
    loaded = instance.fetch_materializations(asset, limit=1).records
    failed = instance.fetch_observations(asset, limit=1).records
    newest = max([*loaded, *failed], key=lambda record: record.timestamp, default=None)
    event = newest and (newest.asset_materialization or newest.asset_observation)
    return plain_metadata(event) if event else {}


def _lacking(
    instance: dg.DagsterInstance, resource: ResourceConfig, partitions: Sequence[str], since: str
) -> list[str]:
    """Return the partitions that were last loaded before a time, other than some."""
    asset = asset_key(resource)
    others = sorted(instance.get_materialized_partitions(asset) - set(partitions))
    start = datetime.fromisoformat(since)
    return [key for key, load in last_loads(instance, asset, others).items() if load.began < start]


def _own(
    resource: ResourceConfig, found: Mapping[str, Sequence[str]]
) -> Mapping[str, Sequence[str]]:
    """Return what is missing in the table of a resource and its child tables."""
    table = resource.table
    return {name: found[name] for name in found if name == table or name.startswith(f"{table}__")}


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]


def forget_noted(resource: ResourceConfig, pipeline: LoadingPipeline) -> None:
    """Forget which partitions were loaded, if rows or values of them were dropped.

    To be done before the load makes again what is missing: whatever becomes of the load, no other
    Dagster instance takes them over then.

    Args:
        resource: the resource.
        pipeline: the pipeline of the load, which has found what is missing.
    """
    if _own(resource, pipeline.dropped):
        with open_tables(pipeline) as tables:
            tables.loaded_partitions(resource).delete()


@contextmanager
def dropped_observed(
    context: dg.AssetExecutionContext, resource: ResourceConfig, pipeline: LoadingPipeline
) -> Iterator[None]:
    """Record what was missing before a load that fails, as the next one may find it made again.

    Args:
        context: the run.
        resource: the resource.
        pipeline: the pipeline of the load, which finds what is missing.
    """
    try:
        yield
    except Exception:
        if found := pipeline.dropped:
            missing = dropped_metadata(context.instance, resource, False, (), found, {})
            if DROPPED_SINCE in missing:
                context.log_event(dg.AssetObservation(asset_key(resource), metadata=missing))
        raise
