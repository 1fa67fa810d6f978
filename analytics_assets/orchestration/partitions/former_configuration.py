"""Partitions and rows that were read by another configuration than that of today.

Each load stores, in dlt's state beside its rows, since when its configuration holds. The moment of
a load is in the note of each partition, and in dlt's load id of each row.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, NamedTuple

from analytics_assets.config.load import Incremental, Partitioned
from analytics_assets.config.resource import ResourceConfig
from analytics_assets.config.text.quantities import count
from analytics_assets.orchestration.metadata.read_by import changed_parts, read_by
from analytics_assets.orchestration.partitions.definition import partitioned, partitions_until
from analytics_assets.orchestration.runs.tags import range_name
from analytics_assets.warehouse.evolution.layout_version import notes_of
from analytics_assets.warehouse.queries.derived_table import LOAD
from analytics_assets.warehouse.queries.tables import Tables

NOTE = "read_by"
LONGEST_SHOWN = 60  # characters of a former value
MOST_KEPT = 20  # configurations: one may change by the day, as with an epoch in a parameter


class Since(NamedTuple):
    """A configuration, and the moment from which on loads have read by it.

    Args:
        moment: in seconds since 1970, as dlt's load ids are.
        parts: see `read_by`.
    """

    moment: float
    parts: Mapping[str, str]


class FormerConfiguration(NamedTuple):
    """Partitions and rows of one configuration that differs from that of today.

    Args:
        parts: the names of the parts that differ.
        was: their former values; empty if there was none.
        partitions: the partitions, oldest first.
        rows: the number of rows of the table that no load has brought since.
    """

    parts: Sequence[str]
    was: Sequence[str]
    partitions: Sequence[str]
    rows: int


def configurations(
    tables: Tables, resource: ResourceConfig, now: datetime, *, forget: bool = False
) -> list[Since]:
    """Return the configurations by which the table was read, oldest first; the last is of today.

    Those by which nothing is left in the table are left out, and the oldest ones of many: what they
    have read counts as read by the oldest one that is kept. While none differs from that of today,
    nothing is asked of the rows.

    Args:
        tables: the open warehouse.
        resource: the resource.
        now: the start of the configuration of today, if no load had it yet.
        forget: True to take all that is in the table for read by that of today.
    """
    today = Since(now.timestamp(), read_by(resource))
    stored = [] if forget else _stored(tables, resource)
    if _differ(known := _distinct([*stored, today])):
        used = {_at(stored, moment) for moment in _moments(tables, resource)}
        left = [each for number, each in enumerate(stored) if number in used or each is stored[-1]]
        known = _distinct([*left, today])
    return known[-MOST_KEPT:]


def as_note(found: Sequence[Since]) -> dict[str, Any]:
    """Return the configurations as a note for the state of the resource's pipeline."""
    return {NOTE: [[each.moment, dict(each.parts)] for each in found]}


def former_configurations(
    tables: Tables, resource: ResourceConfig, known: Sequence[Since]
) -> list[FormerConfiguration]:
    """Return what was read by other configurations, oldest first; empty if nothing was.

    Args:
        tables: the open warehouse.
        resource: the resource.
        known: see `configurations`.
    """
    if not _differ(known):
        return []
    partitions, rows = defaultdict[int, list[str]](list), Counter[int]()
    for key, moment in _partitions(tables, resource):
        partitions[_at(known, moment)].append(key)
    for number, moment in _rows(tables, resource):
        rows[_at(known, moment)] += number
    found = list[FormerConfiguration]()
    for number, each in enumerate(known):
        parts = changed_parts(each.parts, known[-1].parts)
        if parts and (partitions[number] or rows[number]):
            was = [each.parts.get(part, "") for part in parts]
            found.append(FormerConfiguration(parts, was, partitions[number], rows[number]))
    return found


def describe(resource: ResourceConfig, found: Sequence[FormerConfiguration]) -> str:
    """Return sentences on what was read by other configurations, and on the remedy."""
    texts = [_sentence(resource, each) for each in found]
    keys = sorted(key for each in found for key in each.partitions)
    return " ".join([*texts, _remedy(resource, keys)])


def _sentence(resource: ResourceConfig, found: FormerConfiguration) -> str:
    parts = ", ".join(map(_part, found.parts, found.was))
    if found.partitions:
        many = count(len(found.partitions), "partition was", "partitions were")
        return f"{many} read by another {parts}: {range_name(found.partitions)}."
    rows = count(found.rows, "row was", "rows were")
    return f"{rows} read by another {parts}, and by no load since."


def _part(name: str, was: str) -> str:
    text = f"`{was}`" if was else "missing"
    return f"`{name}` (it was {text})" if len(was) <= LONGEST_SHOWN else f"`{name}`"


def _remedy(resource: ResourceConfig, keys: Sequence[str]) -> str:
    load, keep = resource.policy.load, "`refresh: drop_state`, once, keeps what is there"
    if keys:
        again = f"`analytics-assets materialize {resource.full_name} --from {keys[0]}"
        return f"Load them again: {again} --to {keys[-1]}`, or a backfill. {keep}."
    run = "A backfill" if isinstance(load, Partitioned) else "A run"
    delete = f"{run} with `refresh: drop_data` deletes what the API no longer has; {keep}."
    if isinstance(load, Incremental):
        return f"A run with `full_refresh: true` reads all rows again. {delete}"
    return delete


def _stored(tables: Tables, resource: ResourceConfig) -> list[Since]:
    found = notes_of(tables.state(resource.pipeline_name)).get(NOTE, [])
    return [Since(float(moment), parts) for moment, parts in found]


def _distinct(known: Sequence[Since]) -> list[Since]:
    """Return the first of each row of equal configurations."""
    return [next(alike) for _, alike in groupby(known, key=lambda each: each.parts)]


def _differ(known: Sequence[Since]) -> bool:
    return any(changed_parts(each.parts, known[-1].parts) for each in known)


def _at(known: Sequence[Since], moment: float) -> int:
    """Return the place of the configuration of a moment; of all before the first, the first."""
    return max(bisect_right([each.moment for each in known], moment) - 1, 0)


def _moments(tables: Tables, resource: ResourceConfig) -> Iterator[float]:
    yield from (moment for _, moment in _partitions(tables, resource))
    yield from (moment for _, moment in _rows(tables, resource))


def _partitions(tables: Tables, resource: ResourceConfig) -> Iterator[tuple[str, float]]:
    """Yield each loaded partition, oldest first, and the moment of its last load."""
    if not isinstance(resource.policy.load, Partitioned):
        return
    noted = {each.key: each for each in tables.loaded_partitions(resource).all()}
    for key in partitions_until(partitioned(resource), datetime.now(UTC)):
        if key in noted:
            yield key, noted[key].loaded_at.timestamp()


def _rows(tables: Tables, resource: ResourceConfig) -> Iterator[tuple[int, float]]:
    """Yield the number of rows that each load was the last one to bring, and its moment.

    Rows that others have inserted may have no load id, or another one.
    """
    if resource.is_merged and LOAD in tables.columns(resource.table):
        for load, number in tables.select(f"{LOAD}, count(*)", resource.table, f"GROUP BY {LOAD}"):
            with suppress(TypeError, ValueError):
                yield int(number), float(load)
