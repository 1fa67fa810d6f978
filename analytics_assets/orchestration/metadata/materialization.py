"""Metadata of a materialization, in the order in which people ask."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import dagster as dg

from analytics_assets.config.text.quantities import count, number
from analytics_assets.orchestration.metadata.names import (
    COLUMN_LINEAGE,
    COLUMN_SCHEMA,
    COMPLETE,
    COMPLETENESS,
    DETAILS,
    DROPPED,
    DURATION,
    FORMER_CONFIGURATION,
    LAST_ROWS,
    LAST_SECONDS,
    LOAD_ID,
    NEWEST_CHANGE,
    NEWEST_DATA,
    PARTITION_ROW_COUNT,
    ROW_COUNT,
    ROWS_DROPPED,
    ROWS_EXPECTED,
    ROWS_EXTRACTED,
    ROWS_LOADED,
    ROWS_MARKED_DELETED,
    ROWS_PRUNED,
    ROWS_RECEIVED,
    ROWS_REJECTED,
    TABLE_NAME,
    UNKNOWN,
    WINDOW,
)
from analytics_assets.redaction.redactor import redact

FIRST = (ROWS_LOADED, ROW_COUNT, NEWEST_DATA, DURATION, COMPLETENESS)
IF_ANY = (
    *(ROWS_REJECTED, ROWS_MARKED_DELETED, ROWS_PRUNED, ROWS_DROPPED, DROPPED),
    FORMER_CONFIGURATION,
)
OF_THE_TABLE = (ROW_COUNT, NEWEST_DATA, LAST_ROWS, LAST_SECONDS)
# of the load, and looked up by partition: a year has 365 copies of each
OF_EACH_PARTITION = (LOAD_ID, NEWEST_CHANGE, ROWS_MARKED_DELETED)
# shown elsewhere on the page; and a count that other ones repeat
NOWHERE = (COLUMN_SCHEMA, ROWS_EXTRACTED, TABLE_NAME)
EMPTY: tuple[Any, ...] = (None, "", {}, [], ())
OF_TEXT = (dg.TextMetadataValue, dg.UrlMetadataValue, dg.MarkdownMetadataValue)


@dataclass(frozen=True)
class LoadOutcome:
    """The outcome of a load, as its materializations record it.

    Args:
        metadata: the metadata of the load and of the table, in any order.
        lineage: the fields of the endpoint that the columns come from.
        page: the charts and rows of the asset's page.
        rows: each partition, the number of its rows that the load has brought, and of those in the
            table.
        window: the name of all partitions together; None if there is but one, or none.
    """

    metadata: Mapping[str, Any]
    lineage: dg.TableColumnLineage
    page: Mapping[str, Any]
    rows: Sequence[tuple[str, int, int]]
    window: str | None

    def of_table(self) -> dict[str, Any]:
        """Return the metadata of the table's materialization."""
        load = {**self.metadata, COMPLETENESS: completeness(self.metadata)}
        shown = {name: load[name] for name in FIRST if name in load}
        shown |= {name: load[name] for name in IF_ANY if load.get(name)}
        columns = {COLUMN_SCHEMA: load[COLUMN_SCHEMA], COLUMN_LINEAGE: self.lineage}
        return {**shown, **self.page, DETAILS: self._details({*shown}), **columns}

    def of_partitions(self) -> dict[str, dict[str, Any]]:
        """Return the metadata of each partition's materialization.

        Each has the numbers of its partition. What the load has brought as a whole, and what is
        true of the whole table, stands with the last partition, whose materialization the asset's
        own page shows.
        """
        found, table = dict[str, dict[str, Any]](), self.of_table()
        for partition, loaded, stored in self.rows:
            own: dict[str, Any] = {ROWS_LOADED: loaded, PARTITION_ROW_COUNT: stored}
            own |= {WINDOW: self.window} if self.window else {}
            if partition == self.rows[-1][0]:
                own |= {name: table[name] for name in table if name not in own}
                is_whole = self.metadata[ROWS_LOADED] == loaded
                own[DETAILS] = self._details({*own} if is_whole else {*own} - {ROWS_LOADED})
            else:
                own[DETAILS] = self._details({*self.metadata} - {*OF_EACH_PARTITION})
            found[partition] = own
        return found

    def _details(self, shown: Set[str]) -> dg.JsonMetadataValue:
        """Return all that is not shown by itself, and has a value, as one entry."""
        return dg.MetadataValue.json(
            {
                name: value
                for name, value in self.metadata.items()
                if name not in shown and name not in NOWHERE and value not in EMPTY
            }
        )


def completeness(load: Mapping[str, Any]) -> str:
    """Return a sentence on the rows that a load has received of those that the API has."""
    received, expected = load.get(ROWS_RECEIVED, 0), load.get(ROWS_EXPECTED)
    if not load.get(COMPLETE, True):
        return (
            f"{count(received, 'row')}; the entry's `paginator` ends the read before the last one"
        )
    if expected is None:
        return "not verified: a resource function makes its own requests"
    if expected == UNKNOWN:
        return f"read to the end, {count(received, 'row')}; the API gives no total"
    return f"{number(received)} of {count(expected, 'row')}"


def without_secrets(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return metadata without the secrets that this process knows."""
    return {name: _without_secrets(value) for name, value in metadata.items()}


def _without_secrets(value: Any) -> Any:
    if isinstance(value, OF_TEXT):
        return type(value)(redact(str(value.value)))
    if isinstance(value, dg.JsonMetadataValue):
        return dg.JsonMetadataValue(redact.all_of(value.value))
    return redact.all_of(value)
