"""The state that the loads of a pipeline have stored in the warehouse."""

from collections.abc import Iterator, Mapping
from typing import Any

import dlt
from dlt import Pipeline
from dlt.common.destination.exceptions import DestinationUndefinedEntity
from dlt.pipeline.state_sync import load_pipeline_state_from_destination

IMPORTED = "imported_state"  # a resource without rows, which makes no table


def stored_state(client: Any, pipeline: str) -> Mapping[str, Any]:
    """Return the state of a pipeline in its destination; empty before its first load."""
    try:
        return load_pipeline_state_from_destination(pipeline, client) or {}
    except DestinationUndefinedEntity:
        return {}


def state_of_resource(state: Mapping[str, Any], pipeline: str, resource: str) -> dict[str, Any]:
    """Return the state of a resource, such as its cursor, within that of its pipeline."""
    of_source = state.get("sources", {}).get(pipeline, {})
    return dict(of_source.get("resources", {}).get(resource, {}))


def store_state(pipeline: Pipeline, resource: str, state: Mapping[str, Any]) -> None:
    """Store the state of a resource, as a load without rows.

    Args:
        pipeline: the pipeline of the resource, whose table nobody else loads meanwhile.
        resource: the resource.
        state: its state.
    """

    def rows() -> Iterator[Any]:
        dlt.current.resource_state(resource).update(state)
        yield from ()

    of_pipeline = dlt.source(lambda: dlt.resource(rows, name=IMPORTED), name=pipeline.pipeline_name)
    pipeline.run(of_pipeline())
