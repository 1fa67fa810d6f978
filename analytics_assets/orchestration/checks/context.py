"""A check of an asset, its inputs, and the rows that it looks at."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import dagster as dg

from analytics_assets.contract.resource import Resource
from analytics_assets.orchestration.checks.applicability import is_without_rows_yet
from analytics_assets.orchestration.checks.document_cache import DocumentCache
from analytics_assets.orchestration.checks.result import (
    COLUMNS_CHECKED,
    WHOLE_TABLE_CHECKED,
    CheckResult,
)
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.orchestration.metadata.load import written_load_ids
from analytics_assets.orchestration.runs.last_load import LastLoad
from analytics_assets.warehouse.queries.history import has_loads, has_rows_of_others
from analytics_assets.warehouse.queries.tables import Tables

LOOKS_AT = (
    "Looks at the rows of a load after it; at the whole table when it runs by itself, as once a "
    "week, or until it passes."
)


@dataclass(frozen=True)
class CheckContext:
    """Inputs of the checks of one asset.

    Args:
        resource: the resource.
        documents: the OpenAPI documents of APIs.
        instance: holds the event log.
        run_id: the run of the checks.
        load: the last load.
        now: the moment of the checks.
        open_tables: opens the warehouse for the first check that needs it.
    """

    resource: Resource
    documents: DocumentCache
    instance: dg.DagsterInstance
    run_id: str
    load: LastLoad
    now: datetime
    open_tables: Callable[[], Tables]

    @cached_property
    def tables(self) -> Tables:
        """The open warehouse."""
        return self.open_tables()

    @cached_property
    def is_without_rows_yet(self) -> bool:
        """True if the API gave no rows so far."""
        return is_without_rows_yet(self.instance, asset_key(self.resource), self.load.metadata)

    @property
    def has_loaded(self) -> bool:
        """True if the run of the checks has loaded the table."""
        return self.load.run_id == self.run_id

    def measured(self, name: str) -> Any:
        """Return what the load of this run has found in the table, by the name of the metadata.

        None if the run has not loaded the table, which others may have changed since its last load.
        """
        return self.load.metadata.get(name) if self.has_loaded else None

    def whole_table_checked(
        self, before: dg.AssetCheckEvaluation | None, columns: Sequence[str]
    ) -> datetime | None:
        """Return the last look of a check at the whole table, if this load alone is left to check.

        It is not if the run has not loaded the table, if the check failed, missed the load before
        this one, or looked at other columns, such as those of another primary key; if the table is
        another one, such as that of a new warehouse or of a backup; or if loads have written into
        it that no run has recorded, such as one that failed after its merge.

        Args:
            before: the last result of the check.
            columns: the columns that it looks at.

        Returns:
            The moment of that look; None if the check looks at the whole table now.
        """
        moment = before.metadata.get(WHOLE_TABLE_CHECKED) if before else None
        if before is None or not isinstance(moment, dg.TimestampMetadataValue):
            return None
        of = before.metadata.get(COLUMNS_CHECKED)
        if of is None or of.value != ", ".join(columns):
            return None
        checked = before.target_materialization_data
        if not before.passed or checked is None or not self.has_loaded:
            return None
        if checked.run_id != self.load.run_before:
            return None
        if not has_loads(self.tables, self.load.load_ids_before):
            return None
        since = max(self.load.load_ids_before, default=str(checked.timestamp))
        own = written_load_ids(self.load.metadata)
        if has_rows_of_others(self.tables, self.resource.table, since, own):
            return None
        return datetime.fromtimestamp(moment.value, UTC)


@dataclass(frozen=True)
class Check:
    """An asset check.

    Args:
        description: the claim that it checks, shown in the UI.
        run: returns its result.
        applies: True for the resources that have the check.
        of_load: returns the result of a look at the rows of the last load alone, or None if the
            whole table must be looked at; None for a check that always looks at the same.
        columns: returns the columns that a check with `of_load` looks at.
        needs_table: True if it reads the table, and fails where there is none.
        per_load: True if its result is about one load; a later run does not supersede it.
        proves_load: True if the load has not brought all rows where it fails with severity ERROR.
        blocking: True if downstream assets wait for it.
    """

    description: str
    run: Callable[[CheckContext], CheckResult]
    applies: Callable[[Resource], bool] = lambda resource: True
    of_load: Callable[[CheckContext], CheckResult | None] | None = None
    columns: Callable[[Resource], Sequence[str]] = lambda resource: ()
    needs_table: bool = False
    per_load: bool = False
    proves_load: bool = False
    blocking: bool = False

    @property
    def shown_description(self) -> str:
        """The description, with the rows that the check looks at where that varies."""
        return f"{self.description} {LOOKS_AT}" if self.of_load else self.description
