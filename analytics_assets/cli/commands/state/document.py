"""The document of cursors and loaded partitions, as a file in JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from dlt.common.json import json as dlt_json

from analytics_assets.config.errors import AnalyticsAssetsError
from analytics_assets.config.load import Partitioned
from analytics_assets.config.resource import ResourceConfig
from analytics_assets.config.times.timestamps import parse_timestamp
from analytics_assets.warehouse.evolution.layout_version import LAYOUT
from analytics_assets.warehouse.queries.loaded_partitions import LoadedPartition

FORMAT, VERSION = "analytics-assets state", 1


class StateFileError(AnalyticsAssetsError):
    """A file is no document of this kind, or does not fit the project or its warehouse."""


@dataclass(frozen=True)
class ResourceState:
    """The state of a resource.

    Args:
        load: the kind of its load: `full`, `incremental` or `partitioned`.
        primary_key: the fields of its key.
        by: the length of a partition; empty for a resource without partitions.
        timezone: that of the partitions, likewise.
        rows: the rows of its table, and of each of its child tables, by table.
        state: what dlt keeps of it, such as its cursor.
        partitions: the loaded partitions, oldest first.
    """

    load: str
    primary_key: Sequence[str]
    by: str
    timezone: str
    rows: Mapping[str, int]
    state: Mapping[str, Any]
    partitions: Sequence[LoadedPartition]

    @property
    def identity(self) -> dict[str, Any]:
        """Facts that must be the same where it is imported."""
        return {
            "load": self.load,
            "primary_key": list(self.primary_key),
            "by": self.by,
            "timezone": self.timezone,
        }


def identity_of(resource: ResourceConfig) -> dict[str, Any]:
    """Return the identity of a resource of the project, see `ResourceState.identity`."""
    load = resource.policy.load
    by, timezone = (load.by, load.timezone) if isinstance(load, Partitioned) else ("", "")
    return {
        "load": type(load).__name__.lower(),
        "primary_key": list(resource.primary_key),
        "by": by,
        "timezone": timezone,
    }


def written(states: Mapping[str, ResourceState], now: datetime) -> str:
    """Return the document.

    Args:
        states: the states by the full names of the resources.
        now: the moment.
    """
    resources = {
        name: {
            **asdict(each),
            "state": json.loads(dlt_json.typed_dumps(each.state)),
            "partitions": [
                {**one._asdict(), "loaded_at": one.loaded_at.isoformat()} for one in each.partitions
            ],
        }
        for name, each in states.items()
    }
    head = {"format": FORMAT, "version": VERSION, "layout": LAYOUT, "exported_at": now.isoformat()}
    return json.dumps({**head, "resources": resources}, indent=1) + "\n"


def read(file: Path) -> dict[str, ResourceState]:
    """Return the states of a document by the full names of the resources.

    Args:
        file: the document.

    Raises:
        StateFileError: it is none, or one of a later release.
    """
    try:
        document = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise StateFileError(f"{file} cannot be read: {error}.") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise StateFileError(f"{file} is no file of `analytics-assets state export`.")
    for name, known in (("version", VERSION), ("layout", LAYOUT)):
        if not isinstance(document.get(name), int) or document[name] > known:
            raise StateFileError(
                f"{file} was exported by a later release: its {name} is {document.get(name)}, and "
                f"this release knows those up to {known}. Upgrade this installation first."
            )
    try:
        return {name: _state(each) for name, each in document["resources"].items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StateFileError(
            f"{file} was changed by hand, or is damaged: {type(error).__name__}: {error}. Export "
            "it again."
        ) from error


def _state(values: Mapping[str, Any]) -> ResourceState:
    partitions = [_partition(each) for each in values["partitions"]]
    state = dict(dlt_json.typed_loads(json.dumps(values["state"])))
    rows = {table: int(count) for table, count in values["rows"].items()}
    return ResourceState(**{**values, "rows": rows, "state": state, "partitions": partitions})


def _partition(values: Mapping[str, Any]) -> LoadedPartition:
    moment = parse_timestamp(values["loaded_at"])
    if moment is None:
        raise ValueError(f"loaded_at is {values['loaded_at']!r}")
    return LoadedPartition(**{**values, "loaded_at": moment, "rows": int(values["rows"])})
