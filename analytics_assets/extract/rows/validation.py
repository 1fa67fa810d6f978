"""Steps that validate the pages of a resource and put rejected rows into a table of their own.

No row is dropped: a row that breaks the contract goes to the table `rejected_rows` of its load.
"""

from typing import Any

from dlt.extract import DltResource
from dlt.extract.items import SupportsPipe

from analytics_assets.contract.column import Hints
from analytics_assets.contract.contract import Contract
from analytics_assets.contract.rows.column_collisions import ColumnCollisions
from analytics_assets.contract.rows.processed_rows import ProcessedRows
from analytics_assets.contract.rows.validation import RowValidator
from analytics_assets.extract.compat import is_loaded
from analytics_assets.extract.http.errors import ApiError
from analytics_assets.extract.rows.arrow import is_table, sample_row
from analytics_assets.extract.rows.columns.named_rows import hints_of
from analytics_assets.extract.rows.columns.table_rows import TableRows
from analytics_assets.extract.rows.pipe_step import (
    PipeStep,
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


class UnvalidatedRows(PipeStep):
    """The step that applies the entry's own steps to rows that are not validated.

    Args:
        steps: the entry's own steps.
    """

    placement_affinity = -0.9

    def __init__(self, steps: ProcessingSteps) -> None:
        super().__init__()
        self.steps = steps

    def __call__(self, item: Any, meta: Any = None) -> Any:
        """Return the rows of a page after the steps."""
        return self.steps(item, meta) if isinstance(item, list) else item


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
