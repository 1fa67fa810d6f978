"""Steps that validate the pages of a resource and put rejected rows into a table of their own.

No row is dropped: a row that breaks the contract goes to the table `rejected_rows` of its load.
"""

from collections.abc import Iterator, Sequence
from secrets import token_hex
from typing import Any

from dlt.common.schema.typing import C_DLT_ID
from dlt.extract import DltResource
from dlt.extract.items import SupportsPipe

from analytics_assets.contract.column import Hints
from analytics_assets.contract.contract import DELETED, Contract
from analytics_assets.contract.rows.column_collisions import ColumnCollisions
from analytics_assets.contract.rows.delete_marker import DeleteMarker
from analytics_assets.contract.rows.primary_key import PrimaryKeyCheck
from analytics_assets.contract.rows.processed_rows import ProcessedRows
from analytics_assets.contract.rows.validation import Rejection, RowValidator
from analytics_assets.extract.compat import is_loaded, load_id
from analytics_assets.extract.http.errors import ApiError
from analytics_assets.extract.rows.arrow import is_table, sample_row, table_of_rows
from analytics_assets.extract.rows.columns.compat import child_rows
from analytics_assets.extract.rows.columns.dlt_columns import with_dlt_columns
from analytics_assets.extract.rows.columns.named_rows import NamedRows, hints_of
from analytics_assets.extract.rows.columns.row_type import RowType
from analytics_assets.extract.rows.pipe_step import (
    PipeStep,
    is_unaltered,
    may_expand,
    may_make_fields,
)
from analytics_assets.extract.rows.rejected_rows import RejectedRows
from analytics_assets.extract.rows.reshaping.processing_steps import (
    Processing,
    ProcessingSteps,
    Rejected,
)

NO_STEPS = ProcessingSteps()


def validate_rows(
    resource: DltResource,
    contract: Contract,
    rejected: RejectedRows,
    as_arrow: bool = False,
    has_children: bool = False,
    steps: ProcessingSteps = NO_STEPS,
    made: Contract | None = None,
) -> None:
    """Add the steps that pass only valid rows to the table of a resource.

    The validation is the first step of the resource's pipe, and applies the entry's own
    `processing_steps`. Renaming is the last, so that the whole entry uses the API's names; a key
    that steps make is checked there.

    Args:
        resource: the resource; changed in place.
        contract: the contract of its rows.
        rejected: receives the invalid rows.
        as_arrow: True to load them as Arrow tables.
        has_children: True if other resources are read from its rows. They see all rows of the API;
            if its own table is loaded too, each row must be valid.
        steps: the entry's own, which rows pass before they must be valid.
        made: the contract of the rows after the steps, if it is another.
    """
    if has_children:
        resource.add_step(ParentValidation(contract, resource, rejected, steps), insert_at=2)
        return
    resource.add_step(Validation(contract, resource, rejected, steps, made), insert_at=2)
    resource.add_step(TableRows(contract, resource, rejected, as_arrow))


class Validation(PipeStep):
    """The step that takes invalid rows out of a page, and applies the entry's own steps.

    Args:
        contract: the contract of the rows as the API sends them.
        resource: the resource, with the hints of its entry.
        rejected: receives the invalid rows.
        steps: the entry's own steps.
        made: the contract of the rows after the steps, if it is another.
    """

    placement_affinity = -0.9

    def __init__(
        self,
        contract: Contract,
        resource: DltResource,
        rejected: RejectedRows,
        steps: ProcessingSteps = NO_STEPS,
        made: Contract | None = None,
    ) -> None:
        super().__init__()
        self.steps, self._made = steps, made or contract
        self._contract, self._rejected, self._resource = contract, rejected, resource

    def bind(self, pipe: SupportsPipe) -> "Validation":
        """Start counting."""
        self._pipe = pipe
        self._validator = validator_of(self._contract, self._resource, may_make_fields(pipe))
        hints = _typed_hints(self._made, self._resource)
        self._processing = Processing(self.steps, ProcessedRows(self._made, hints))
        self._offset = 0
        whole = {name for name, hint in hints.items() if hint["data_type"] == "json"}
        nesting = self._resource.max_table_nesting
        self._collisions = ColumnCollisions(self._contract, whole, nesting)
        self._rejected.clear()
        self._custom_metrics = {}
        return self

    def __call__(self, item: Any, meta: Any = None) -> Any:
        """Return the valid rows of a page."""
        if is_table(item):
            self._offset += item.num_rows
            sample = sample_row(item)
            self._validator.observe(sample)
            self._collisions.check([sample])
            self._count()
            return item
        if not isinstance(item, list):
            return item
        self._rejected.page_offset = offset = self._offset
        rows, rejections = self._validated(item, meta)
        for rejection, is_made in rejections:
            self._rejected.add(rejection, offset + rejection.position, is_made)
        return rows

    def _validated(self, rows: list[Any], meta: Any) -> tuple[list[Any], list[Rejected]]:
        """Return the valid rows of a page after the steps, and the others; count its fields."""
        self._offset += len(rows)
        page = self._validator.validate(rows)
        found, rejections = self._processing(page, len(rows), meta)
        self._collisions.check(found)
        self._count()
        return found, rejections

    def _count(self) -> None:
        self._custom_metrics["unknown_fields"] = dict(self._validator.unknown_fields)
        self._custom_metrics["absent_fields"] = sorted(self._validator.absent_fields)
        self._custom_metrics["key_types"] = self._validator.key_types


class InvalidParentError(ApiError):
    """An invalid row cannot be left out, as other resources are read from it."""


class ParentValidation(Validation):
    """The step of a resource from whose rows others are read: no row is taken out."""

    def __call__(self, item: Any, meta: Any = None) -> Any:
        """Return the page after the entry's own steps.

        Raises:
            InvalidParentError: its table is loaded too, and a row is invalid.
        """
        if not isinstance(item, list):
            return item
        if not is_loaded(self._pipe):
            return self.steps(item, meta)
        offset, (rows, rejections) = self._offset, self._validated(item, meta)
        for first, _ in rejections:
            name, place = self._contract.resource, offset + first.position
            raise InvalidParentError(
                f"{name}: its row at offset {place} cannot be loaded: {first.reason}. "
                f"It cannot be rejected alone, as other resources of this load are read from the "
                f"rows of `{name}`. Load `{name}` by itself, and the others without it, by "
                "`with_resources`: such rows then go to `rejected_rows`."
            )
        return rows


class TableRows(PipeStep):
    """The step that names fields as columns, and emits rejected rows to their own table.

    Rows that steps of the user may have altered must have their key now.

    Args:
        contract: the key, and the names of the columns.
        resource: the resource, with the types of the columns.
        rejected: the rejected rows to emit.
        as_arrow: True to load the rows as Arrow tables.
    """

    placement_affinity = 1.2  # behind dlt's incremental step, which uses the API's names

    def __init__(
        self,
        contract: Contract,
        resource: DltResource,
        rejected: RejectedRows,
        as_arrow: bool = False,
    ) -> None:
        super().__init__()
        self._contract = contract
        self._type = RowType(contract, resource) if as_arrow else None
        hints = hints_of(resource)
        self._table = str(resource.table_name)
        self._named = NamedRows(contract, hints)
        self._is_numbered = "dedup_sort" in hints.get(C_DLT_ID, {})
        self._rejected = rejected
        self._marker = DeleteMarker(contract)

    def bind(self, pipe: SupportsPipe) -> "TableRows":
        """Yield rows as dictionaries if a step of the user may have altered them."""
        if not is_unaltered(pipe):
            self._type = None
        self._key = PrimaryKeyCheck(self._contract) if may_make_fields(pipe) else None
        self._expands = may_expand(pipe)
        self._number = 0
        self._custom_metrics = {"rows_marked_deleted": 0, "deleted_keys": []}
        if self._marker.keeps:
            self._custom_metrics["tombstones_kept"] = 0
        return self

    def __call__(self, item: Any, meta: Any = None) -> Iterator[Any]:
        """Yield the page, and its rejected rows."""
        load = load_id()
        if is_table(item):
            assert load, "tables are made in a load only"
            self._count(self._marker.deletes_in(item))
            for table, name, parent in with_dlt_columns(item, load):
                if name:
                    yield from child_rows(
                        *(table, name, parent or self._table, self._contract.resource)
                    )
                else:
                    yield table
        else:
            # a `yield_map` hands rows on one by one
            rows = [item] if isinstance(item, dict) else item
            yield self._table_rows(self._keyed(rows), load) if isinstance(rows, list) else item
        self._custom_metrics["rows_rejected"] = self._rejected.count
        if self._rejected.count:
            self._custom_metrics["rejection_reasons"] = self._rejected.by_reason
        yield from self._rejected.items()

    def _keyed(self, rows: list[Any]) -> list[Any]:
        """Return the rows that have their key; reject the others."""
        if not self._key:
            return rows
        kept = []
        for position, row in enumerate(rows):
            reason = self._key.missing(row) or self._key.reason(row)
            if reason:
                offset = self._rejected.page_offset + (0 if self._expands else position)
                self._rejected.add(Rejection(position, reason, row), offset, after_steps=True)
            else:
                self._key.learn([row])
                kept.append(row)
        return kept

    def _table_rows(self, rows: list[dict[str, Any]], load: str | None) -> Any:
        marked = [at for at, row in enumerate(rows) if self._marker.marks(row)]
        if marked:
            self._count(self._marker.keys_of([rows[at] for at in marked]))
        if self._marker.keeps:
            kept = sum(map(self._marker.is_tombstone, rows))
            self._custom_metrics["tombstones_kept"] += kept
        deleted = {*marked} if self._marker.removes and load else set()
        is_typed = load and rows and not deleted
        table = table_of_rows(self._type, rows) if self._type and is_typed else None
        if table is not None and load:
            return next(with_dlt_columns(table, load)).rows
        rows = self._named(rows)
        if deleted:
            rows = [{**row, DELETED: True} if at in deleted else row for at, row in enumerate(rows)]
        return [self._numbered(row) for row in rows] if self._is_numbered and load else rows

    def _count(self, deleted: Sequence[str]) -> None:
        """Count deletes by their keys, as JSON."""
        self._custom_metrics["rows_marked_deleted"] += len(deleted)
        self._custom_metrics["deleted_keys"] += deleted

    def _numbered(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return a row with an identifier of dlt that is greater than those of the rows before."""
        self._number += 1
        return {**row, C_DLT_ID: f"{self._number:012}{token_hex(8)}"}


def validator_of(
    contract: Contract, resource: DltResource, key_may_follow: bool = False
) -> RowValidator:
    """Return the validation of a resource's rows, see `RowValidator`."""
    return RowValidator(contract, _typed_hints(contract, resource), key_may_follow)


def _typed_hints(contract: Contract, resource: DltResource) -> Hints:
    undeclared = contract.table.undeclared
    return {
        name: hint
        for name, hint in hints_of(resource).items()
        if (kind := hint.get("data_type"))
        # what the table has, and nobody declares, is inferred again
        and (name not in undeclared or kind in ("json", "decimal"))
    }
