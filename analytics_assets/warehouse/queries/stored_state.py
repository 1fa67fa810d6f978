"""The state that the loads of a pipeline have stored in the warehouse."""

from collections.abc import Mapping
from typing import Any

from dlt.common.destination.exceptions import DestinationUndefinedEntity
from dlt.pipeline.state_sync import load_pipeline_state_from_destination


def stored_state(client: Any, pipeline: str) -> Mapping[str, Any]:
    """Return the state of a pipeline in its destination; empty before its first load."""
    try:
        return load_pipeline_state_from_destination(pipeline, client) or {}
    except DestinationUndefinedEntity:
        return {}
