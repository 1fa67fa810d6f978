"""The changes that an import makes to the state of a resource."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analytics_assets.cli.commands.state.document import (
    ResourceState,
    StateFileError,
    identity_of,
)
from analytics_assets.config.load import Incremental
from analytics_assets.config.resource import ResourceConfig
from analytics_assets.config.text.quantities import count, number
from analytics_assets.config.times.timestamps import parse_timestamp
from analytics_assets.warehouse.queries.loaded_partitions import LoadedPartition

WORDS = {
    "load": "kind of load",
    "primary_key": "primary key",
    "by": "length of a partition",
    "timezone": "time zone of partitions",
}


@dataclass(frozen=True)
class Changes:
    """The changes to a resource's state.

    Args:
        resource: the resource.
        state: what dlt keeps of it from now on; None if that stays as it is.
        partitions: the partitions that are noted from now on.
        kept: a sentence on what stays, though the file has something else; empty if nothing does.
    """

    resource: ResourceConfig
    state: Mapping[str, Any] | None
    partitions: Sequence[LoadedPartition]
    kept: str = ""

    @property
    def lines(self) -> list[str]:
        """Sentences on the changes."""
        name, found = self.resource.full_name, list[str]()
        if self.state is not None:
            newest = _cursor(self.resource, self.state)
            found.append(f"{name}: cursor {newest}" if newest else f"{name}: state of its source")
        if self.partitions:
            first, last = self.partitions[0].key, self.partitions[-1].key
            span = first if first == last else f"{first} to {last}"
            found.append(f"{name}: {count(len(self.partitions), 'loaded partition')}, {span}")
        return [*found, *([f"{name}: {self.kept}"] if self.kept else [])]


def changes_of(resource: ResourceConfig, new: ResourceState, here: ResourceState) -> Changes:
    """Return the changes by which a resource has the state of a document.

    What is newer here stays: a cursor never moves back, and a later load of a partition counts.

    Args:
        resource: the resource.
        new: its state in the document.
        here: its state in this warehouse.

    Raises:
        StateFileError: the document is of another resource, or of rows that are not here.
    """
    for name, value in identity_of(resource).items():
        if value != new.identity[name]:
            raise StateFileError(
                f"{resource.full_name}: its {WORDS[name]} is {value!r} here, and "
                f"{new.identity[name]!r} in the file. Import it into a project with the same "
                "`api.py`, or leave the resource out, and load it anew."
            )
    for table, rows in new.rows.items():
        if (found := here.rows.get(table, 0)) < rows:
            raise StateFileError(
                f"{resource.full_name}: its table `{table}` has {number(found)} of "
                f"{count(rows, 'row')} that it had at the export, so that the others would never "
                "be loaded. Copy the table first, or leave the resource out, and load it anew."
            )
    known = {each.key: each for each in here.partitions}
    later = [
        each
        for each in new.partitions
        if each.key not in known or known[each.key].loaded_at < each.loaded_at
    ]
    state: Mapping[str, Any] | None = new.state
    if not new.state or new.state == here.state:
        return Changes(resource, None, later)
    mine, theirs = _cursor(resource, here.state), _cursor(resource, new.state)
    kept = ""
    if (before := parse_timestamp(mine)) and (after := parse_timestamp(theirs)) and before > after:
        state, kept = None, f"its cursor stays at {mine}, which is later than {theirs} in the file"
    return Changes(resource, state, later, kept)


def _cursor(resource: ResourceConfig, state: Mapping[str, Any]) -> str | None:
    """Return the cursor of an incremental resource in its state."""
    load = resource.policy.load
    if not isinstance(load, Incremental):
        return None
    cursor = state.get("incremental", {}).get(load.field) or {}
    return str(cursor["last_value"]) if cursor.get("last_value") else None
