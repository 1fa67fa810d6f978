"""The states of resources, as their warehouse and Dagster's history have them."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import dagster as dg

from analytics_assets.cli.commands.state.document import ResourceState, identity_of
from analytics_assets.config.load import Partitioned
from analytics_assets.config.resource import ResourceConfig
from analytics_assets.orchestration.partitions.notes import recorded
from analytics_assets.warehouse.queries.loaded_partitions import LoadedPartition
from analytics_assets.warehouse.queries.stored_state import state_of_resource
from analytics_assets.warehouse.queries.tables import Tables


def states_of(
    instance: dg.DagsterInstance,
    tables: Mapping[str, Tables],
    resources: Sequence[ResourceConfig],
    now: datetime,
) -> dict[str, ResourceState]:
    """Return the states of resources that have one, by their full names.

    Args:
        instance: holds the event log.
        tables: the open warehouse of each API.
        resources: the resources.
        now: the moment up to which there are partitions.
    """
    found = dict[str, ResourceState]()
    for resource in resources:
        state = state_of(instance, tables[resource.api_name], resource, now)
        if state.state or state.partitions:
            found[resource.full_name] = state
    return found


def state_of(
    instance: dg.DagsterInstance, tables: Tables, resource: ResourceConfig, now: datetime
) -> ResourceState:
    """Return the state of a resource; see `states_of`."""
    name, table = resource.pipeline_name, resource.table
    stored = [table, *tables.children(table)] if tables.columns(table) else []
    return ResourceState(
        **identity_of(resource),
        rows={each: tables.row_count(each) for each in stored},
        state=state_of_resource(tables.state(name), name, resource.name),
        partitions=_partitions(instance, tables, resource, now),
    )


def _partitions(
    instance: dg.DagsterInstance, tables: Tables, resource: ResourceConfig, now: datetime
) -> Sequence[LoadedPartition]:
    """Return the partitions that the warehouse notes, or those of the history if it notes none."""
    if not isinstance(resource.policy.load, Partitioned):
        return []
    noted = tables.loaded_partitions(resource).all()
    if noted or not tables.columns(resource.table):
        return noted
    found = recorded(instance, tables, resource, now)
    return sorted(found, key=lambda each: each.key)
